import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';

/** The examples' own commands, in a repository with two commits. */
const root = resolve(import.meta.dirname, '../..');
const example = (path: string) => parse(readFileSync(join(root, 'examples', path), 'utf8'));
const github: { name: string; run?: string }[] = example('github/plan.yml').jobs.plan.steps;
const gitlab: string[] = example('gitlab/.gitlab-ci.yml')['plan-balancers'].script;

const text = (server: string) =>
  `frontend www\n  mode http\n  bind :80\n  default_backend web\nbackend web\n  mode http\n  server w ${server}\n`;
const policy = (pool: string) => `policies:\n  - { name: all of it, always: ${pool} }\n`;

describe('a plan below a change', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hf-plan-'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    }).trim();
  const write = (path: string, content: string) => writeFileSync(join(folder, path), content);

  before(() => {
    mkdirSync(join(folder, 'balancers'));
    mkdirSync(join(folder, 'bin'));
    write('bin/holdfast', `#!/bin/sh\nexec '${process.execPath}' '${join(root, 'bin/holdfast.js')}' "$@"\n`);
    chmodSync(join(folder, 'bin/holdfast'), 0o755);
    git('init', '-q', '-b', 'main');
    write('balancers/haproxy.cfg', text('10.0.0.1:80'));
    write('balancers/policy.yaml', policy('web'));
    git('add', 'balancers');
    git('commit', '-q', '-m', 'before');
    git('update-ref', 'refs/remotes/origin/main', 'main');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const sh = (script: string) => {
    const env = {
      ...process.env,
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      GITHUB_BASE_REF: 'main',
      CI_MERGE_REQUEST_DIFF_BASE_SHA: git('rev-parse', 'main'),
    };
    return spawnSync('/bin/bash', ['-e', '-c', script], { cwd: folder, env, encoding: 'utf8' });
  };
  const scripts = {
    GitHub: github.find(({ name }) => name === 'Plan')?.run ?? '',
    GitLab: gitlab.filter((line) => !line.startsWith('curl')).join('\n'),
  };

  for (const [where, script] of Object.entries(scripts)) {
    it(`${where}: the same, another server, a policy that does not hold`, () => {
      write('balancers/policy.yaml', policy('web'));
      write('balancers/haproxy.cfg', text('10.0.0.1:80'));
      assert.equal(sh(script).status, 0);
      assert.match(readFileSync(join(folder, 'plan.md'), 'utf8'), /no request is treated differently/);
      write('balancers/haproxy.cfg', text('10.0.0.2:80'));
      assert.equal(sh(script).status, 0);
      assert.match(readFileSync(join(folder, 'plan.md'), 'utf8'), /10\.0\.0\.1:80.*10\.0\.0\.2:80/);
      write('balancers/policy.yaml', policy('pay'));
      assert.equal(sh(script).status, 1);
      assert.match(readFileSync(join(folder, 'plan.md'), 'utf8'), /Policies that do not hold/);
    });
  }
});

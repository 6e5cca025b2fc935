import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { proveOwn } from '#prove';
import { meaning } from '#routing';
import { until } from '../world/haproxy.ts';

const text = `defaults
  mode http
  timeout connect 1s
frontend web
  bind :80
  use_backend cart if { path_beg /cart }
  default_backend web
backend web
  server w 10.0.0.1:80
backend cart
  server c 10.0.0.2:80
`;
const nowhere = { find: () => [], read: () => null, environment: () => null };
const proof = { file: 'haproxy.cfg', folder: '/', text, dialect: 'haproxy', files: nowhere } as const;
const witnesses = ['/', '/cart', '/x'].map((path) => meaning.requestOf({ path }));
const cli = fileURLToPath(new URL('../../src/main/cli.ts', import.meta.url));

/** HAProxy, but for what a script does before, in a folder of its own. */
describe('a proof goes wrong', () => {
  let folder = '';
  const given = { tmp: process.env.TMPDIR, haproxy: process.env.HOLDFAST_HAPROXY };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-prove-'));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'tmp'));
    process.env.TMPDIR = join(folder, 'tmp');
  });
  after(() => {
    restore('TMPDIR', given.tmp);
    restore('HOLDFAST_HAPROXY', given.haproxy);
    rmSync(folder, { recursive: true, force: true });
  });

  const engine = (script: string) => {
    const file = join(folder, 'haproxy');
    writeFileSync(file, `#!/bin/sh\ncase "$1" in -v) exec haproxy -v;; esac\n${script}\nexec haproxy "$@"\n`);
    chmodSync(file, 0o755);
    process.env.HOLDFAST_HAPROXY = file;
  };
  const left = () => readdirSync(join(folder, 'tmp'));

  test('an engine that hangs at its start is ended, and told', async () => {
    engine('while :; do sleep 1; done');
    const { refused, outcomes } = await proveOwn(proof, witnesses, { withinMs: 500 });
    assert.match(refused ?? '', /did not listen within 500 ms/);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      witnesses.map(() => 'not provable'),
    );
    assert.deepEqual(left(), []);
  });

  test('one that dies in the middle of the witnesses proves nothing of the rest, and is no disagreement', async () => {
    // It answers nothing, and dies of the first request.
    engine(`sed -i 's/^  use_backend cart.*/&\\n  http-request silent-drop/' "$3"; (sleep 2; kill -9 $$) & `);
    const { outcomes } = await proveOwn(proof, witnesses);
    const kinds = new Set(outcomes.map(({ kind }) => kind));
    assert.ok(!kinds.has('proven'), JSON.stringify(outcomes));
    assert.deepEqual(left(), []);
  });

  test('two at once do not meet', async () => {
    engine('');
    const both = await Promise.all([proveOwn(proof, witnesses), proveOwn(proof, witnesses)]);
    for (const { outcomes } of both)
      assert.deepEqual(
        outcomes.map(({ kind }) => kind),
        witnesses.map(() => 'proven'),
      );
    assert.deepEqual(left(), []);
  });

  test('without room it is said, and nothing is left', async () => {
    engine('');
    process.env.TMPDIR = join(folder, 'not-there');
    await assert.rejects(proveOwn(proof, witnesses), { code: 'HF306' });
    process.env.TMPDIR = join(folder, 'tmp');
  });

  for (const signal of ['SIGINT', 'SIGKILL'] as const)
    test(`${signal} of the command in the middle of it leaves no process and no folder`, async () => {
      const started = join(folder, `started-${signal}`);
      engine(`echo $$ > "${started}.new" && mv "${started}.new" "${started}"; while :; do sleep 1; done`);
      // The engine is a user without rights.
      chmodSync(folder, 0o777);
      const [old, fresh] = ['old.cfg', 'new.cfg'].map((name) => join(folder, name));
      writeFileSync(old ?? '', text);
      writeFileSync(fresh ?? '', text.replace('/cart', '/basket'));
      const args = [cli, 'plan', fresh ?? '', '--from', old ?? '', '--prove'];
      const child = spawn(process.execPath, args, { stdio: 'ignore', detached: true, env: process.env });
      try {
        await until('the engine starts', () => existsSync(started));
        assert.equal(left().length, 1);
        process.kill(-(child.pid ?? 0), signal);
        await until('the folder goes', () => left().length === 0);
        const engineOf = readFileSync(started, 'utf8').trim();
        await until('the engine ends', () => !existsSync(`/proc/${engineOf}`));
      } finally {
        child.kill('SIGKILL');
      }
    });
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { installLine, missingPackages, tools } from './tools.ts';

const runner = join(import.meta.dirname, '../run.ts');

describe('npm test', () => {
  test('everything is here, or this test would not run', () => {
    assert.deepEqual(missingPackages(), []);
    assert.deepEqual(missingPackages({ 'no-such-command': 'some-package' }), ['some-package']);
  });

  test('whoever may not install gets the one line that does, and status 1', (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root can become somebody else');
    // Somebody else, for whom nothing outside the folders of administrators is on the path.
    const script = `process.setgid(65534); process.setuid(65534); process.env.PATH = '/nowhere';
      const { bringTools } = await import(${JSON.stringify(join(import.meta.dirname, 'tools.ts'))});
      process.exitCode = bringTools(console.log) ? 0 : 1;`;
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      cwd: import.meta.dirname,
    });
    assert.equal(status, 1);
    assert.match(stdout, /^The tests run real load balancers and tools\. Missing here: .*prometheus/m);
    assert.ok(stdout.includes(installLine(['prometheus', 'prometheus-alertmanager', 'openssl'])), stdout);
  });

  test('a file with no test, and a pattern without a file, are failures', () => {
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    const run = (file: string) => spawnSync(process.execPath, [runner, file], { encoding: 'utf8', env });
    const empty = run('test/run/deadline.ts');
    assert.equal(empty.status, 1, empty.stdout);
    assert.match(empty.stderr, /No test ran in:\n.*deadline\.ts/);
    const nothing = run('test/nothing-*.test.ts');
    assert.equal(nothing.status, 1);
    assert.match(nothing.stderr, /No test file matches/);
  });

  test('what fails among others is run once more, alone, and named; what fails twice is a failure', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-again-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = (name: string, body: string) => {
      const text = `import { test } from 'node:test';\nimport { existsSync, writeFileSync } from 'node:fs';\n`;
      writeFileSync(join(folder, name), `${text}test('it', () => { ${body} });\n`);
      return join(folder, name);
    };
    const right = file('right.test.mjs', '');
    const never = file('never.test.mjs', `throw new Error('no');`);
    const marker = JSON.stringify(join(folder, 'was here'));
    const once = file(
      'once.test.mjs',
      `const first = !existsSync(${marker}); writeFileSync(${marker}, ''); if (first) throw new Error('first');`,
    );
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT;
    const run = (...files: string[]) =>
      spawnSync(process.execPath, [runner, ...files], { encoding: 'utf8', env });
    const forgiven = run(right, once);
    assert.equal(forgiven.status, 0, forgiven.stdout);
    assert.match(forgiven.stdout, /FAILED ONCE, and passed alone\. .*\n.*once\.test\.mjs\n$/);
    const broken = run(right, never);
    assert.equal(broken.status, 1, broken.stdout);
    assert.match(broken.stdout, /Run once more, alone:\n.*never\.test\.mjs/);
    assert.doesNotMatch(broken.stdout, /FAILED ONCE/);
  });

  test('CONTRIBUTING.md names every package', () => {
    const page = readFileSync(join(import.meta.dirname, '../../CONTRIBUTING.md'), 'utf8');
    const named = Object.values(tools).filter((name) => !page.includes(`\`${name}\``));
    assert.deepEqual(named, [], 'name them in CONTRIBUTING.md');
  });
});

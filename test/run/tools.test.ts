import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
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

  test('CONTRIBUTING.md names every package', () => {
    const page = readFileSync(join(import.meta.dirname, '../../CONTRIBUTING.md'), 'utf8');
    const named = Object.values(tools).filter((name) => !page.includes(`\`${name}\``));
    assert.deepEqual(named, [], 'name them in CONTRIBUTING.md');
  });
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { codeFolder } from '../../src/base/code-folder.js';

const holdfast = resolve(import.meta.dirname, '../../bin/holdfast.js');

test('a folder for code is made, with those above it', () => {
  const cache = mkdtempSync(join(tmpdir(), 'holdfast-cache-'));
  try {
    const wanted = join(cache, 'a/b');
    assert.equal(codeFolder({ HOLDFAST_CACHE: wanted }), join(wanted, 'code'));
    assert.equal(codeFolder({ HOLDFAST_CACHE: wanted }), join(wanted, 'code'), 'it is there already');
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
});

for (const cache of ['/proc', '/proc/nowhere/at/all', '/dev/null'])
  test(`with HOLDFAST_CACHE=${cache}, where nothing can be kept, it does without`, () => {
    assert.equal(codeFolder({ HOLDFAST_CACHE: cache }), null);
    const env = { ...process.env, HOLDFAST_CACHE: cache };
    const told = execFileSync(process.execPath, [holdfast, '--version'], {
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.match(told, /^\d+\.\d+\.\d+\n$/);
  });

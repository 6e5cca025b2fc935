/** Processes that run for months know sites and read none: what reads their texts takes most of the memory and of a start. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const look = `
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  const { withSpare } = await import('./src/model/index.ts');
  const before = loaded.length;
  withSpare('a: 1', 'b', { name: 'c', host: 'd', port: 1 }, true);
  console.log(JSON.stringify({ before: loaded.slice(0, before), after: loaded.slice(before) }));
`;

test('the model is loaded without the YAML parser and the schemas', () => {
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', look];
  const { before, after } = JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8' }));
  const isParser = (url: string) => /\/node_modules\/(?:yaml|zod)\//.test(url);
  assert.ok(before.some((url: string) => url.endsWith('/src/model/site.ts')));
  assert.deepEqual(before.filter(isParser), []);
  assert.ok(after.some(isParser), 'what edits a text has loaded it');
});

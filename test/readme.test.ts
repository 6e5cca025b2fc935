import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { engines } from '#engines';
import { openTerminal } from './readme/terminal.ts';
import { difference, stepsOf } from './readme/transcript.ts';

const heading = 'The first five minutes';
const page = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');
const steps = stepsOf(page, heading);

test(`README: '${heading}' prints what it shows`, { timeout: 170_000 }, async (t) => {
  assert.ok(steps.length >= 8, `the section has only ${steps.length} commands`);
  if (!(await engines.haproxy.find())) return t.skip('the README shows HAProxy, which is not installed here');
  const terminal = await openTerminal();
  try {
    for (const step of steps) {
      const actual = await terminal.run(step);
      const differs = difference(step.expected, actual);
      const what = step.kind === 'interrupt' ? '^C' : step.command;
      assert.equal(
        differs,
        null,
        `README.md:${step.line} ${what}: ${differs}\nIt printed:\n${actual.join('\n')}`,
      );
    }
  } finally {
    await terminal.close();
  }
});

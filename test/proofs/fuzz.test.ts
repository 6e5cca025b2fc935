import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fuzz } from '../../proofs/fuzz/run.ts';

/** Of one input, on whatever machine. */
const msMax = 100_000;

test('texts that were changed at random get an answer with its place, and break nothing', async () => {
  const inputs = 8;
  const outcome = await fuzz({ folder: null, seed: 1, inputs, withoutTraps: true, msMax, say: () => {} });
  assert.deepEqual(outcome.failures, []);
  assert.equal(outcome.inputs, inputs);
  assert.ok(outcome.commands >= inputs, `only ${outcome.commands} commands`);
});

test('texts that are known to be hard get one too', async () => {
  const outcome = await fuzz({
    folder: null,
    seed: 1,
    inputs: 0,
    only: 'cfg: regex: p',
    msMax,
    say: () => {},
  });
  assert.deepEqual(outcome.failures, []);
  assert.ok(outcome.inputs >= 2, `only ${outcome.inputs} inputs`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../proofs/plan/decisions.ts';

const decisions = 3_000;

/** `npm run prove:plan -- --engine haproxy` is the long one. */
test(`HAProxy decides ${decisions} random requests as the meaning of its random texts says`, async () => {
  const outcome = await decide('haproxy', 20, decisions);
  assert.deepEqual(outcome.disagreements.slice(0, 3), []);
  assert.ok(outcome.decisions >= decisions, `only ${outcome.decisions} decisions`);
  assert.ok(outcome.unsaid < decisions / 8, `${outcome.unsaid} were left open`);
  for (const kind of ['pool', 'redirect', 'answer'])
    assert.ok((outcome.kinds[kind] ?? 0) > decisions / 20, `${kind}: ${outcome.kinds[kind]}`);
});

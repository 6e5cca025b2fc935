import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decide } from '../../proofs/plan/decisions.ts';

const decisions = 3_000;

/** `npm run prove:plan -- --engine nginx` is the long one. */
test(`NGINX decides ${decisions} random requests as the meaning of its random texts says`, async () => {
  const outcome = await decide('nginx', 20, decisions);
  assert.deepEqual(outcome.disagreements.slice(0, 3), []);
  assert.ok(outcome.decisions >= decisions, `only ${outcome.decisions} decisions`);
  assert.ok(outcome.exact > decisions / 2, `only ${outcome.exact} were told exactly`);
  assert.ok(outcome.unsaid < decisions / 6, `${outcome.unsaid} were left open`);
});

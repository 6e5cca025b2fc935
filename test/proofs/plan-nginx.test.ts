import assert from 'node:assert/strict';
import { test } from 'node:test';
import { againstNginx } from '../../proofs/plan/nginx/run.ts';

/** `npm run prove:plan -- --engine nginx` is the long one. */
test('what the meaning of a generated nginx.conf says is what NGINX does, 3,000 times', async () => {
  const { decisions, exact, tooComplex, disagreements } = await againstNginx(1, 3_000);
  const [first] = disagreements;
  assert.equal(first && JSON.stringify(first, null, 1), undefined);
  assert.ok(decisions >= 3_000 && exact > decisions / 2 && tooComplex < decisions / 20);
});

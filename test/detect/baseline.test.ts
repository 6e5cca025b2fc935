import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { baseline, baselineFloor, baselineMax } from '#detect';

test('without a past it is one in a thousand', () => {
  assert.ok(Math.abs(baseline([]) - 1e-3) < 1e-6);
});

test('never below the floor, never above the most that leaves something to look for', () => {
  assert.equal(baseline([{ requests: 1e9, bad: 0 }]), baselineFloor);
  assert.equal(baseline([{ requests: 1e6, bad: 1e6 }]), baselineMax);
});

test('ticks add up, and bad requests that have not finished count as requests', () => {
  const whole = baseline([{ requests: 1e5, bad: 200 }]);
  const parts = baseline([
    { requests: 4e4, bad: 150 },
    { requests: 6e4, bad: 50 },
  ]);
  assert.equal(whole, parts);
  assert.ok(baseline([{ requests: 0, bad: 5 }]) < 1);
});

/** log P(X <= bad) for X of `n` trials with chance `p`, summed term by term. */
function chanceOfAtMost(bad: number, n: number, p: number): number {
  let log = n * Math.log1p(-p);
  let sum = Math.exp(log);
  for (let k = 1; k <= bad; k += 1) {
    log += Math.log((n - k + 1) / k) + Math.log(p / (1 - p));
    sum += Math.exp(log);
  }
  return sum;
}

test('it is an upper 99.9 % limit: so few bad ones would be seen at most once in a thousand', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 1_000, max: 100_000 }),
      (bad, requests) => {
        const limit = baseline([{ requests, bad }]);
        const n = requests + 6_905;
        assert.ok(limit >= bad / n);
        if (limit > baselineFloor) assert.ok(chanceOfAtMost(bad, n, limit) <= 1.001e-3);
        // And not needlessly high: half as far above what was seen would not do for the exact limit.
        const half = bad / n + (limit - bad / n) / 2;
        if (half > baselineFloor) assert.ok(chanceOfAtMost(bad, n, half) > 1e-3);
      },
    ),
    { seed: 1 },
  );
});

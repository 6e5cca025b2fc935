import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ComparisonTick, comparison } from '#detect';
import { type Random, seededRandom } from '../world/random.ts';

/** One tick of `perTick` requests, of which `share` went to the candidate. */
function tick(
  random: Random,
  perTick: number,
  share: number,
  badShares: readonly [candidate: number, incumbent: number],
): ComparisonTick {
  const requests = random.poisson(perTick);
  const candidateRequests = random.binomial(requests, share);
  const incumbentRequests = requests - candidateRequests;
  return {
    candidateRequests,
    candidateErrors: random.binomial(candidateRequests, badShares[0]),
    incumbentRequests,
    incumbentErrors: random.binomial(incumbentRequests, badShares[1]),
  };
}

/** A day in the life of a canary without a difference: load, share and the share of errors all wander, errors jump. */
function wanderingRun(random: Random, see: (tick: ComparisonTick) => boolean): boolean {
  const ticks = 300;
  for (let i = 0; i < ticks; i += 1) {
    const load = 5 + 60 * (1 + Math.sin(i / 17)) * random.next();
    const share = [0.02, 0.05, 0.25, 0.5][Math.floor((4 * i) / ticks)] ?? 0.5;
    const bad = i % 60 > 50 ? 0.3 : 0.01;
    if (see(tick(random, load, share * (0.5 + random.next()), [bad, bad]))) return true;
  }
  return false;
}

test('without a difference a candidate is refused at most as often as alpha says, whenever one looks', () => {
  const random = seededRandom(5);
  const runs = 5_000;
  let refused = 0;
  for (let run = 0; run < runs; run += 1) {
    const compare = comparison({ alpha: 0.01 });
    if (wanderingRun(random, (t) => compare.add(t).refuse)) refused += 1;
  }
  // 50 expected at most; three standard deviations more.
  assert.ok(refused <= 71, `${refused} of ${runs} refused`);
  assert.ok(refused > 0, 'a bound that is never reached tests nothing');
});

test('the measured share is what makes it right: with a share that is half of the truth it fails', () => {
  const random = seededRandom(5);
  let refused = 0;
  for (let run = 0; run < 500; run += 1) {
    const compare = comparison({ alpha: 0.01 });
    const wrong = (t: ComparisonTick) => ({ ...t, candidateRequests: t.candidateRequests / 2 });
    if (wanderingRun(random, (t) => compare.add(wrong(t)).refuse)) refused += 1;
  }
  assert.ok(refused > 50, `${refused} of 500 refused`);
});

function secondsToRefuse(random: Random, perSecond: number): number {
  const compare = comparison({ alpha: 1e-6 });
  for (let i = 1; i < 10_000; i += 1) {
    if (compare.add(tick(random, perSecond / 10, 0.05, [0.9, 1e-3])).refuse) return i / 10;
  }
  return Number.POSITIVE_INFINITY;
}

for (const [perSecond, promisedSeconds] of [
  [100, 1.7],
  [1_000, 0.21],
] as const) {
  test(`5 % of ${perSecond}/s and 90 % bad: refused after about ${promisedSeconds} s`, () => {
    const random = seededRandom(9);
    const runs = 2_000;
    let sum = 0;
    for (let run = 0; run < runs; run += 1) sum += secondsToRefuse(random, perSecond);
    const mean = sum / runs;
    assert.ok(mean <= promisedSeconds * 1.05, `${mean.toFixed(3)} s`);
    assert.ok(mean >= promisedSeconds * 0.6, `${mean.toFixed(3)} s is too good to be true`);
  });
}

test('a candidate that mends a bad incumbent is never refused', () => {
  const random = seededRandom(1);
  const compare = comparison({ alpha: 1e-6 });
  for (let i = 0; i < 1_000; i += 1) {
    assert.equal(compare.add(tick(random, 100, 0.5, [0, 0.9])).refuse, false);
  }
  assert.ok(compare.verdict().eValue < 1);
});

test('a fault that both share is not held against the candidate', () => {
  const random = seededRandom(2);
  const compare = comparison({ alpha: 1e-6 });
  for (let i = 0; i < 1_000; i += 1) {
    assert.equal(compare.add(tick(random, 100, 0.05, [0.9, 0.9])).refuse, false);
  }
});

test('a tick in which only one of them answered proves nothing', () => {
  const compare = comparison({ alpha: 1e-6 });
  const alone = { candidateRequests: 100, candidateErrors: 90, incumbentRequests: 0, incumbentErrors: 0 };
  assert.equal(compare.add(alone).eValue.toFixed(9), '1.000000000');
});

test('errors of requests that have not finished, and counters that went back, do not break it', () => {
  const compare = comparison({ alpha: 1e-6 });
  const back = { candidateRequests: -9, candidateErrors: -9, incumbentRequests: 100, incumbentErrors: 0 };
  assert.equal(compare.add(back).eValue.toFixed(9), '1.000000000');
  const early = { candidateRequests: 0, candidateErrors: 3, incumbentRequests: 97, incumbentErrors: 0 };
  assert.ok(compare.add(early).eValue > 1);
});

test('refused stays refused, and its E-value is a finite number', () => {
  const compare = comparison({ alpha: 1e-6 });
  const bad = { candidateRequests: 500, candidateErrors: 500, incumbentRequests: 9_500, incumbentErrors: 0 };
  for (let i = 0; i < 10; i += 1) compare.add(bad);
  assert.ok(Number.isFinite(compare.verdict().eValue));
  const good = { candidateRequests: 500, candidateErrors: 0, incumbentRequests: 500, incumbentErrors: 500 };
  for (let i = 0; i < 20; i += 1) assert.equal(compare.add(good).refuse, true);
});

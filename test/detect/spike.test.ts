import assert from 'node:assert/strict';
import { test } from 'node:test';
import { baseline, defaultAlternatives, recoveryDetector, spikeDetector, threshold } from '#detect';
import { type Random, seededRandom } from '../world/random.ts';

const tickMs = 100;
const budget = { tickMs, series: 1, alternatives: defaultAlternatives.length, falseAlarmsPerMonth: 1 };

/** The fault begins somewhere inside a tick; seconds until the alarm, known at the end of a tick. */
function delaySeconds(random: Random, perSecond: number, badShare: number, p0: number, h: number): number {
  const detector = spikeDetector({ baseline: p0, threshold: h });
  const phase = random.next();
  for (let tick = 0; tick < 100_000; tick += 1) {
    const perTick = perSecond / 10;
    const before = tick === 0 ? random.poisson(perTick * phase) : 0;
    const after = random.poisson(tick === 0 ? perTick * (1 - phase) : perTick);
    const bad = random.binomial(before, p0) + random.binomial(after, badShare);
    if (detector.tick(before + after, bad).alarm) return (tick + 1 - phase) / 10;
  }
  return Number.POSITIVE_INFINITY;
}

function meanAndTail(delays: number[]): { mean: number; p99: number } {
  const sorted = delays.toSorted((a, b) => a - b);
  const mean = sorted.reduce((sum, d) => sum + d, 0) / sorted.length;
  return { mean, p99: sorted[Math.ceil(sorted.length * 0.99) - 1] ?? Number.NaN };
}

test('the threshold for one series, five alternatives, one false alarm a month is 18.7', () => {
  assert.equal(threshold(budget).toFixed(1), '18.7');
  assert.equal(threshold({ ...budget, series: 100 }).toFixed(1), '23.3');
});

/** [bad share, requests per second, mean, 99 of 100] as DETECTION.md promises them, in seconds. */
const promised: readonly (readonly [number, number, number, number])[] = [
  [0.9, 10, 0.43, 1.19],
  [0.9, 100, 0.09, 0.19],
  [0.9, 1_000, 0.06, 0.11],
  [0.9, 10_000, 0.05, 0.1],
  [0.5, 10, 0.82, 2.17],
  [0.5, 100, 0.13, 0.27],
  [0.5, 1_000, 0.06, 0.12],
  [0.1, 10, 5.4, 14.8],
  [0.1, 100, 0.6, 1.5],
  [0.1, 1_000, 0.12, 0.23],
  [0.01, 100, 14, 32],
  [0.01, 1_000, 1.5, 3.1],
  [0.01, 10_000, 0.21, 0.39],
];

for (const [badShare, perSecond, mean, p99] of promised) {
  test(`${badShare * 100} % bad at ${perSecond}/s is seen after ${mean} s, in 99 of 100 cases within ${p99} s`, () => {
    const random = seededRandom(7);
    const runs = perSecond >= 10_000 ? 1_000 : 4_000;
    const h = threshold(budget);
    const seen = meanAndTail(
      Array.from({ length: runs }, () => delaySeconds(random, perSecond, badShare, 1e-3, h)),
    );
    assert.ok(
      Math.abs(seen.mean - mean) <= 0.08 * mean + 0.01,
      `mean ${seen.mean.toFixed(3)} s, promised ${mean} s`,
    );
    assert.ok(seen.p99 <= 1.1 * p99 + 0.01, `99 of 100 within ${seen.p99.toFixed(3)} s, promised ${p99} s`);
  });
}

/**
 * False alarms a month, by importance sampling: excursions of each alternative's sum above zero are simulated with a
 * share of bad answers that makes them reach the threshold, and weighed by how likely they are without a fault.
 * Summed over alternatives and begun at every tick: a count that is too high, never too low.
 */
function falseAlarmsPerMonth(random: Random, perSecond: number, p0: number, h: number): number {
  const runs = 4_000;
  const perTick = perSecond / 10;
  let alarmsPerTick = 0;
  for (const p of defaultAlternatives.filter((share) => share > 1.5 * p0)) {
    const good = Math.log((1 - p) / (1 - p0));
    const badForOneTick = (h - perTick * good) / (Math.log(p / p0) - good);
    const tilted = Math.min(p, badForOneTick / perTick);
    let weights = 0;
    for (let run = 0; run < runs; run += 1) {
      const detector = spikeDetector({ baseline: p0, threshold: h, alternatives: [p] });
      let logWeight = 0;
      for (;;) {
        const requests = random.poisson(perTick);
        if (requests === 0) continue;
        const bad = random.binomial(requests, tilted);
        const { score, alarm } = detector.tick(requests, bad);
        logWeight += bad * Math.log(p0 / tilted) + (requests - bad) * Math.log((1 - p0) / (1 - tilted));
        if (alarm) weights += Math.exp(logWeight);
        if (alarm || score === 0) break;
      }
    }
    alarmsPerTick += weights / runs;
  }
  return alarmsPerTick * (2_592_000_000 / tickMs);
}

for (const p0 of [1e-4, 1e-3, 2e-2]) {
  for (const perSecond of [10, 100, 1_000, 5_000]) {
    test(`at most one false alarm a month at ${perSecond}/s with ${p0} usually bad`, () => {
      const random = seededRandom(11);
      const perMonth = falseAlarmsPerMonth(random, perSecond, p0, threshold(budget));
      assert.ok(perMonth > 0 && perMonth <= 1, `${perMonth.toFixed(3)} a month`);
      // The count answers to the threshold, so it could have found one that is too low.
      const tooLow = falseAlarmsPerMonth(random, perSecond, p0, threshold(budget) - Math.log(1e5));
      assert.ok(tooLow > 1, `a threshold that is too low gives only ${tooLow.toFixed(3)} a month`);
    });
  }
}

test('a few bad requests in a row suffice when hardly any is bad usually', () => {
  const detector = spikeDetector({ baseline: 1e-3, threshold: threshold(budget) });
  assert.deepEqual(
    [1, 2, 3].map(() => detector.tick(1, 1).alarm),
    [false, false, true],
  );
});

test('half of the threshold is the first one', () => {
  const detector = spikeDetector({ baseline: 1e-3, threshold: threshold(budget) });
  detector.tick(1, 1);
  const second = detector.tick(1, 1);
  assert.equal(second.firstThreshold, true);
  assert.equal(second.alarm, false);
  detector.reset();
  assert.equal(detector.tick(0, 0).score, 0);
});

test('retries speak before a request has finished', () => {
  const detector = spikeDetector({ baseline: 1e-3, threshold: threshold(budget) });
  assert.equal(detector.tick(0, 3).alarm, true);
});

test('counters that went back, and no numbers, are no evidence', () => {
  const detector = spikeDetector({ baseline: 1e-3, threshold: threshold(budget) });
  for (const [requests, bad] of [
    [-50, -3],
    [Number.NaN, Number.NaN],
    [10, Number.POSITIVE_INFINITY],
    [0, 0],
  ] as const) {
    assert.equal(detector.tick(requests, bad).score, 0);
  }
  assert.equal(detector.tick(10, 10).alarm, true);
});

test('a site that fails most requests does not get used to it', () => {
  const detector = spikeDetector({
    baseline: baseline([{ requests: 1e6, bad: 8e5 }]),
    threshold: threshold(budget),
  });
  detector.tick(100, 80);
  assert.equal(detector.tick(100, 80).alarm, true);
});

test('recovery after a fault needs good answers, and does not come while it lasts', () => {
  const random = seededRandom(3);
  const h = threshold(budget);
  const detector = recoveryDetector({ baseline: 1e-3, threshold: h, faultShare: 0.1 });
  for (let tick = 0; tick < 20_000; tick += 1) {
    assert.equal(detector.tick(100, random.binomial(100, 0.1)).recovered, false);
  }
  for (let tick = 0; tick < 100; tick += 1) assert.equal(detector.tick(0, 0).recovered, false);
  detector.reset();
  let good = 0;
  while (!detector.tick(1, 0).recovered) good += 1;
  // Each good answer is worth ln(0.999 / 0.9): 18.7 / 0.104.
  assert.ok(good > 170 && good < 185, `after ${good} good answers`);
});

test('recovery from the smallest fault takes a few thousand good answers', () => {
  const detector = recoveryDetector({ baseline: 1e-4, threshold: threshold(budget) });
  let good = 0;
  while (!detector.tick(1, 0).recovered) good += 1;
  assert.ok(good > 3_500 && good < 4_200, `after ${good} good answers`);
});

import { budget, defaultAlternatives, spikeDetector, threshold } from '../../src/detect/index.ts';
import { type Random, seededRandom } from '../../test/world/random.ts';
import type { Proof } from '../proof.ts';
import { round } from './delays.ts';

const tickMs = 100;
const monthTicks = 2_592_000_000 / tickMs;

/**
 * How often the detector speaks while nothing is wrong: too rare to wait for, so by importance sampling. An excursion of
 * one alternative's sum from 0 is drawn as if that alternative were true, and weighed by what the sum then is: exp(-S) is
 * the likelihood ratio. The rates of the five alternatives together bound the detector's own.
 */
export async function falseAlarms(proof: Proof): Promise<void> {
  proof.say('False alarms in 30 days while nothing is wrong, by importance sampling (budget: 1)');
  const random = seededRandom(2);
  const h = threshold({
    tickMs,
    series: 1,
    alternatives: defaultAlternatives.length,
    falseAlarmsPerMonth: 1,
  });
  for (const p0 of [1e-4, 1e-3, 1e-2])
    for (const perSecond of [1, 10, 100, 1_000, 10_000]) {
      const alternatives = defaultAlternatives.filter((p) => p > 1.5 * p0);
      const rate = alternatives.reduce((sum, p) => sum + perTick(random, { perSecond, p0, p, h }), 0);
      proof.atMost(`p0 = ${p0} at ${perSecond}/s`, round(rate * monthTicks, 4), 1);
    }
  againstCounting(proof, random);
  halves(proof);
}

/** The method against plain counting, at a threshold low enough to be passed often. */
function againstCounting(proof: Proof, random: Random): void {
  const [p0, perSecond, h] = [1e-2, 10, 5];
  const estimated = perTick(random, { perSecond, p0, p: 0.1, h });
  const ticks = 2_000_000;
  const detector = spikeDetector({ baseline: p0, threshold: h, alternatives: [0.1] });
  let alarms = 0;
  for (let i = 0; i < ticks; i += 1) {
    const n = random.poisson(perSecond / 10);
    if (!detector.tick(n, random.binomial(n, p0)).alarm) continue;
    alarms += 1;
    detector.reset();
  }
  const ratio = estimated / (alarms / ticks);
  proof.holds(
    'the estimate over what was counted at h = 5',
    round(ratio, 2).toString(),
    '0.8 to 1.25',
    ratio > 0.8 && ratio < 1.25,
  );
}

const excursions = 4_000;
const cyclesCounted = 20_000;

/** Alarms of one alternative's sum, a tick. */
function perTick(
  random: Random,
  { perSecond, p0, p, h }: { perSecond: number; p0: number; p: number; h: number },
): number {
  const gain = { bad: Math.log(p / p0), good: Math.log((1 - p) / (1 - p0)) };
  const step = (share: number) => {
    const n = random.poisson(perSecond / 10);
    const bad = random.binomial(n, share);
    return bad * gain.bad + (n - bad) * gain.good;
  };
  // Chance that an excursion reaches h before it is back at 0.
  let reached = 0;
  for (let i = 0; i < excursions; i += 1) {
    let score = 0;
    do score += step(p);
    while (score > 0 && score < h);
    if (score >= h) reached += Math.exp(-score);
  }
  // How many excursions there are in a tick: each tick at 0 begins one.
  let [ticks, begun, score] = [0, 0, 0];
  while (begun < cyclesCounted && ticks < 40 * cyclesCounted) {
    if (score === 0) begun += 1;
    ticks += 1;
    score = Math.max(0, score + step(p0));
    if (score >= h) score = 0;
  }
  return (reached / excursions) * (begun / ticks);
}

/** Half of the budget for the minutes after changes, and what a realised false alarm does. */
function halves(proof: Proof): void {
  const allowed = budget({ tickMs, series: 1, falseAlarmsPerMonth: 1 });
  proof.holds(
    'threshold in the five minutes after a change',
    allowed.threshold(60_000).toFixed(1),
    '14.9',
    allowed.threshold(60_000).toFixed(1) === '14.9',
  );
  const before = allowed.threshold(null);
  const shares = 0.0116 * Math.exp(-allowed.threshold(0)) + (1 - 0.0116) * Math.exp(-before);
  const bound = monthTicks * defaultAlternatives.length * shares;
  proof.atMost('both halves together, by the bound, in 30 days', round(bound, 3), 1.01);
  allowed.wasFalse();
  const rise = allowed.threshold(null) - before;
  proof.holds(
    'a realised false alarm raises the threshold by',
    rise.toFixed(4),
    Math.LN2.toFixed(4),
    Math.abs(rise - Math.LN2) < 1e-9,
  );
}

import { defaultAlternatives, spikeDetector, threshold } from '../../src/detect/index.ts';
import { type Random, seededRandom } from '../../test/world/random.ts';
import type { Proof } from '../proof.ts';

const tickMs = 100;
const p0 = 1e-3;
const budget = { tickMs, series: 1, alternatives: defaultAlternatives.length, falseAlarmsPerMonth: 1 };

/** Bad share, requests a second, mean and 99 of 100 in seconds, as the table has them. */
const table: readonly (readonly [number, number, number, number])[] = [
  [0.9, 10, 0.43, 1.19],
  [0.9, 100, 0.09, 0.19],
  [0.9, 1_000, 0.06, 0.11],
  [0.9, 10_000, 0.05, 0.1],
  [0.5, 10, 0.82, 2.17],
  [0.5, 100, 0.13, 0.27],
  [0.5, 1_000, 0.06, 0.12],
  [0.5, 10_000, 0.05, 0.1],
  [0.1, 10, 5.4, 14.8],
  [0.1, 100, 0.6, 1.5],
  [0.1, 1_000, 0.12, 0.23],
  [0.1, 10_000, 0.06, 0.11],
  [0.01, 100, 14, 32],
  [0.01, 1_000, 1.5, 3.1],
  [0.01, 10_000, 0.21, 0.39],
];
/** What is printed has two digits, and a sample of 2,000 has its own noise. */
const meanSlack = 1.1;
const tailSlack = 1.15;
const printedSeconds = 0.01;

/** How long from a fault's beginning, somewhere inside a tick, to the alarm. */
export async function delays(proof: Proof): Promise<void> {
  proof.say('Delay of the spike detector, mean and 99 of 100, seconds (K = 1, one false alarm a month)');
  proof.atMost('threshold for one series', round(threshold(budget), 1), 18.7);
  proof.atMost('threshold for a hundred series', round(threshold({ ...budget, series: 100 }), 1), 23.3);
  const three = spikeDetector({ baseline: p0, threshold: threshold(budget) });
  proof.holds(
    'three bad requests in a row suffice at p0 = 0.001',
    String(three.tick(3, 3).alarm),
    'true',
    three.tick(0, 0).alarm,
  );
  const random = seededRandom(1);
  for (const [share, perSecond, mean, tail] of table) {
    const runs = perSecond >= 10_000 ? 500 : 2_000;
    const seen = Array.from({ length: runs }, () => delaySeconds(random, perSecond, share)).toSorted(
      (a, b) => a - b,
    );
    const average = seen.reduce((sum, d) => sum + d, 0) / runs;
    const worst = seen[Math.ceil(runs * 0.99) - 1] ?? Number.NaN;
    const name = `${share * 100} % bad at ${perSecond}/s`;
    proof.atMost(`${name}: mean`, round(average, 3), round(mean * meanSlack + printedSeconds, 3), 's');
    proof.atMost(`${name}: 99 of 100`, round(worst, 3), round(tail * tailSlack + printedSeconds, 3), 's');
  }
  synthetic(proof, random);
}

/** At ten requests a second, five probes a second more raise the rate. */
function synthetic(proof: Proof, random: Random): void {
  const mean = (perSecond: number) => {
    const runs = 2_000;
    return (
      Array.from({ length: runs }, () => delaySeconds(random, perSecond, 0.5)).reduce(
        (sum, d) => sum + d,
        0,
      ) / runs
    );
  };
  const [without, withProbes] = [mean(10), mean(15)];
  proof.holds(
    'five synthetic probes a second at 10/s, 50 % bad: mean seconds',
    `${round(without, 2)} -> ${round(withProbes, 2)}`,
    'less',
    withProbes < without,
  );
}

function delaySeconds(random: Random, perSecond: number, badShare: number): number {
  const detector = spikeDetector({ baseline: p0, threshold: threshold(budget) });
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

export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

import {
  calibrate,
  defaultAlternatives,
  type HistoryTick,
  spikeDetector,
  threshold,
} from '../../src/detect/index.ts';
import { type Random, seededRandom } from '../../test/world/random.ts';
import type { Proof } from '../proof.ts';
import { round } from './delays.ts';

const tickMs = 100;
const dayTicks = 864_000;
const monthMs = 2_592_000_000;
const p0 = 1e-3;
const perSecond = 100;
const learnDays = 14;
const judgedDays = 60;
/** Of sites; each with its own chance. */
const sites = 5;

/**
 * Bad answers that come in bursts. Between two bursts nothing is bad, and many ticks without anything bad are to the
 * detector exactly what one with all their requests is, so two months take seconds.
 */
export async function bursts(proof: Proof): Promise<void> {
  proof.say(
    `Bad answers in bursts, ${perSecond}/s, one of a thousand bad: false alarms in ${judgedDays} days`,
  );
  const h = threshold({
    tickMs,
    series: 1,
    alternatives: defaultAlternatives.length,
    falseAlarmsPerMonth: 1,
  });
  for (const size of [1, 3, 10])
    for (const lengthMs of [50, 500]) {
      const [formula, calibrated, plain] = [0, 0, 0].map(() => [] as number[]);
      const thresholds: number[] = [];
      for (let site = 0; site < sites; site += 1) {
        const random = seededRandom(100 * size + lengthMs + site);
        const past = traffic(random, learnDays, size, lengthMs);
        const learned = calibrate({
          history: past,
          historyMs: learnDays * dayTicks * tickMs,
          baseline: p0,
          everyMs: monthMs,
        });
        const used = Math.max(h, learned.threshold ?? 0);
        thresholds.push(used);
        const judged = traffic(random, judgedDays, size, lengthMs);
        formula?.push(alarms(judged, h));
        calibrated?.push(alarms(judged, used));
        plain?.push(alarms(judged, Math.max(h, 1.3 * learned.largest)));
        await new Promise((resolve) => setImmediate(resolve));
      }
      const name = `bursts of ${size} over ${lengthMs} ms`;
      proof.tell(`${name}: with the formula's threshold, ${h.toFixed(1)}`, mean(formula));
      proof.tell(`${name}: with 1.3 times the highest of ${learnDays} days`, mean(plain));
      proof.atMost(`${name}: calibrated (${mean(thresholds).toFixed(0)})`, mean(calibrated), judgedDays / 30);
    }
}

function mean(values: readonly number[] = []): number {
  return round(values.reduce((sum, value) => sum + value, 0) / values.length, 2);
}

/** Bursts as they come, each with what went well before it: geometric in size, spread evenly over `lengthMs`. */
function traffic(random: Random, days: number, size: number, lengthMs: number): HistoryTick[] {
  const ticks: HistoryTick[] = [];
  const perTick = perSecond / 10;
  const burstsPerTick = (perTick * p0) / size;
  const all = days * dayTicks;
  for (let at = 0; at < all; ) {
    const gap = Math.max(1, Math.round(-Math.log(1 - random.next()) / burstsPerTick));
    ticks.push({ requests: gap * perTick, bad: 0 });
    at += gap;
    const bad = 1 + Math.floor(Math.log(1 - random.next()) / Math.log(1 - 1 / Math.max(1.000_001, size)));
    const spread = Math.max(1, Math.round(lengthMs / tickMs));
    const parts = Array.from({ length: spread }, () => 0);
    for (let i = 0; i < bad; i += 1) {
      const to = random.integer(spread);
      parts[to] = (parts[to] ?? 0) + 1;
    }
    for (const part of parts) ticks.push({ requests: perTick, bad: part });
    at += spread;
  }
  return ticks;
}

function alarms(ticks: readonly HistoryTick[], h: number): number {
  const detector = spikeDetector({ baseline: p0, threshold: h });
  let count = 0;
  for (const { requests, bad } of ticks) {
    if (!detector.tick(requests, bad).alarm) continue;
    count += 1;
    detector.reset();
  }
  return count;
}

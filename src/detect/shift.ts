import { logSumExp } from './mixture.ts';

const stakes: readonly number[] = [0.1, 0.3, 0.8];
/** Slower by this factor and this much more is what is looked for. */
const slowerFactor = 1.5;
const slowerMs = 50;
/** Nothing is said before so many requests; then the usual mean follows this many. */
const learnRequests = 200;
const followRequests = 20_000;

export interface ShiftDetector {
  /** Requests that finished in this tick, and the time of all of them. */
  tick(
    requests: number,
    timeMs: number,
  ): { readonly score: number; readonly usualMs: number; readonly nowMs: number };
  reset(): void;
}

/**
 * Requests that take longer than usual. A bet on each tick's mean pays 1 + s (mean / m - 1), which has mean at most 1 as
 * long as the times' mean is at most m, half as much again as usual and 50 ms more, whatever their distribution. The bets
 * begin again at 1 when they have lost (an e-detector: Shin, Ramdas and Rinaldo 2023), so the mean time between false
 * alarms is at least e^h ticks.
 */
export function shiftDetector(): ShiftDetector {
  let known = 0;
  let usualMs = 0;
  let nowMs = 0;
  let logs = stakes.map(() => 0);
  const scoreOf = () => Math.max(0, logSumExp(logs) - Math.log(stakes.length));
  return {
    tick(requests, timeMs) {
      if (!(requests > 0) || !(timeMs >= 0)) return { score: scoreOf(), usualMs, nowMs };
      const meanMs = timeMs / requests;
      nowMs += (meanMs - nowMs) / 5;
      if (known >= learnRequests) {
        const ratio = meanMs / (usualMs * slowerFactor + slowerMs);
        logs = logs.map((log, at) => Math.max(0, log + Math.log(1 + (stakes[at] ?? 0) * (ratio - 1))));
      }
      const score = scoreOf();
      if (score <= 4) {
        known += requests;
        usualMs += ((meanMs - usualMs) * requests) / Math.min(known, followRequests);
      }
      return { score, usualMs, nowMs };
    },
    reset() {
      logs = stakes.map(() => 0);
    },
  };
}

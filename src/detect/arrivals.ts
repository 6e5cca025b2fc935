import { assert } from '#base';

export interface ArrivalsDetector {
  /** Something arrived at `at` milliseconds; times never go back. */
  arrived(at: number): { readonly score: number; readonly alarm: boolean };
}

/**
 * How often rare things arrive while all is well, per millisecond, so that `alarm` comes at most once in
 * `falseAlarmEveryMs` on average: Page's sum for a Poisson process, over several alternatives. A sum begins at an arrival,
 * with 0, so the first is never evidence. The sums together never exceed a Shiryaev-Roberts statistic whose mean grows
 * by one an arrival and alternative, so e^threshold / alternatives arrivals pass on average before a false alarm.
 */
export function arrivalsDetector(options: {
  readonly usualPerMs: number;
  readonly alternativesPerMs: readonly number[];
  readonly falseAlarmEveryMs: number;
}): ArrivalsDetector {
  const { usualPerMs, falseAlarmEveryMs } = options;
  const alternatives = options.alternativesPerMs.filter((rate) => rate > 1.5 * usualPerMs);
  assert(usualPerMs > 0 && alternatives.length > 0, `no alternative above 1.5 times ${usualPerMs}`);
  const threshold = Math.log(Math.max(1, falseAlarmEveryMs * usualPerMs * alternatives.length));
  let last: number | null = null;
  let scores = alternatives.map(() => 0);
  return {
    arrived(at) {
      const before = last;
      last = at;
      if (before === null) return { score: 0, alarm: false };
      const waited = Math.max(0, at - before);
      scores = scores.map((score, i) => {
        const rate = alternatives[i] ?? usualPerMs;
        return Math.max(0, score + Math.log(rate / usualPerMs) - (rate - usualPerMs) * waited);
      });
      const score = Math.max(...scores);
      return { score, alarm: score >= threshold };
    },
  };
}

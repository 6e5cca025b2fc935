import { assert } from '#base';
import { clampBaseline } from './baseline.ts';
import { defaultAlternatives } from './threshold.ts';

export interface SpikeDetector {
  /** What one tick saw: finished requests, and how many bad things happened to requests. */
  tick(requests: number, bad: number): SpikeVerdict;
  /** Forget: after acting on an alarm, or when what is counted was replaced. */
  reset(): void;
}

export interface SpikeVerdict {
  /** Evidence for a fault, in nats. Grows as long as the fault lasts; 0 when there is none. */
  readonly score: number;
  /** At half of the threshold: do what is cheap and reversible. */
  readonly firstThreshold: boolean;
  readonly alarm: boolean;
}

/**
 * Page's sum over several alternatives: the largest of S = max(0, S + log-likelihood ratio of the tick).
 * `baseline` is the share of bad answers while all is well (see `baseline`). Alternatives must exceed 1.5 of it.
 */
export function spikeDetector(options: {
  readonly baseline: number;
  readonly threshold: number;
  readonly alternatives?: readonly number[];
}): SpikeDetector {
  const p0 = clampBaseline(options.baseline);
  const weights = likelihoodWeights(p0, options.alternatives ?? defaultAlternatives);
  let scores = weights.map(() => 0);
  return {
    tick(requests, bad) {
      const { good, failed } = clampCounts(requests, bad);
      scores = scores.map((score, i) => {
        const weight = weights[i];
        return weight ? Math.max(0, score + failed * weight.bad + good * weight.good) : 0;
      });
      const score = Math.max(...scores);
      return {
        score,
        firstThreshold: score >= options.threshold / 2,
        alarm: score >= options.threshold,
      };
    },
    reset() {
      scores = weights.map(() => 0);
    },
  };
}

function likelihoodWeights(p0: number, alternatives: readonly number[]) {
  const used = alternatives.filter((p) => p > 1.5 * p0 && p < 1);
  assert(used.length > 0, `no alternative above 1.5 times the baseline ${p0}`);
  return used.map((p) => ({ bad: Math.log(p / p0), good: Math.log((1 - p) / (1 - p0)) }));
}

/**
 * Bad events may exceed finished requests: a request that retries is counted bad before it has finished. Then every bad
 * event stands for one attempt, so the tick is worth `bad` failures and no success; cutting `bad` down to `requests`
 * would throw away exactly the early sign. Counters that went back (an engine that restarted) or are no numbers count
 * as nothing: silence is for its own alarm to notice.
 */
export function clampCounts(requests: number, bad: number): { good: number; failed: number } {
  const failed = Number.isFinite(bad) ? Math.max(0, bad) : 0;
  const finished = Number.isFinite(requests) ? Math.max(0, requests) : 0;
  return { good: Math.max(0, finished - failed), failed };
}

import { clampBaseline } from './baseline.ts';
import { clampCounts } from './spike.ts';
import { defaultAlternatives } from './threshold.ts';

export interface RecoveryDetector {
  tick(requests: number, bad: number): { readonly score: number; readonly recovered: boolean };
  reset(): void;
}

/**
 * The spike detector's sum, mirrored: evidence that the share of bad answers is back at the baseline and no longer at
 * `faultShare` or above. Without `faultShare` it is the smallest fault that the spike detector looks for, which takes
 * about threshold / 0.005 good answers. A tick without answers proves nothing.
 */
export function recoveryDetector(options: {
  readonly baseline: number;
  readonly threshold: number;
  readonly faultShare?: number;
}): RecoveryDetector {
  const p0 = clampBaseline(options.baseline);
  const smallest = defaultAlternatives.find((p) => p > 1.5 * p0) ?? 0.9;
  const fault = Math.min(0.999, Math.max(options.faultShare ?? smallest, 1.5 * p0));
  const weight = { bad: Math.log(p0 / fault), good: Math.log((1 - p0) / (1 - fault)) };
  let score = 0;
  return {
    tick(requests, bad) {
      const { good, failed } = clampCounts(requests, bad);
      score = Math.max(0, score + failed * weight.bad + good * weight.good);
      return { score, recovered: score >= options.threshold };
    },
    reset() {
      score = 0;
    },
  };
}

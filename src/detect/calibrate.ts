import { clampBaseline, type HistoryTick } from './baseline.ts';
import { spikeDetector } from './spike.ts';

/** The highest excursions are what the tail is fitted to: at least so many, at most this share. */
const peaksMin = 30;
const peaksShare = 0.05;
const peaksMax = 2_000;
/** A tail is never taken to end, nor to be heavier than this: with few peaks an estimate of it is worth little. */
const shapeMin = 0;
const shapeMax = 0.5;

export interface Calibration {
  /** The score that comes once in `everyMs` while nothing is wrong; null: too few peaks to say. */
  readonly threshold: number | null;
  readonly excursions: number;
  readonly largest: number;
  /** Of the generalised Pareto distribution of what is above `above`. */
  readonly fit: { readonly above: number; readonly shape: number; readonly scale: number } | null;
}

/**
 * Replays the site's own past through the spike detector and asks what its score reaches once in `everyMs`. Scores begin
 * again at 0, so their excursions from there are independent; the tail of the highest is a generalised Pareto
 * distribution (Pickands 1975), fitted by probability-weighted moments (Hosking and Wallis 1987).
 */
export function calibrate(options: {
  readonly history: Iterable<HistoryTick>;
  readonly historyMs: number;
  readonly baseline: number;
  readonly everyMs: number;
}): Calibration {
  const maxima = excursions(options.history, clampBaseline(options.baseline)).toSorted((a, b) => b - a);
  const largest = maxima[0] ?? 0;
  const count = Math.min(peaksMax, Math.floor(maxima.length * peaksShare));
  const none = { threshold: null, excursions: maxima.length, largest, fit: null };
  if (maxima.length < peaksMin || !(options.historyMs > 0)) return none;
  const taken = Math.max(peaksMin, count);
  const above = maxima[taken] ?? maxima.at(-1) ?? 0;
  const excesses = maxima.slice(0, taken).map((score) => score - above);
  const fit = { above, ...generalisedPareto(excesses) };
  const peaks = (taken * options.everyMs) / options.historyMs;
  return { ...none, threshold: Math.max(largest, returnLevel(fit, peaks)), fit };
}

/** What one of so many peaks exceeds. */
function returnLevel({ above, shape, scale }: NonNullable<Calibration['fit']>, peaks: number): number {
  if (peaks <= 1) return above;
  const stretch = shape < 1e-6 ? Math.log(peaks) : (peaks ** shape - 1) / shape;
  return above + scale * stretch;
}

/** Excesses from the largest down. */
function generalisedPareto(excesses: readonly number[]): { shape: number; scale: number } {
  const n = excesses.length;
  const mean = excesses.reduce((sum, x) => sum + x, 0) / n;
  // a1 = E[X (1 - F(X))]: the largest weighs least.
  const weighted = excesses.reduce((sum, x, fromTop) => sum + x * (fromTop / (n - 1)), 0) / n;
  const spread = mean - 2 * weighted;
  if (!(spread > 0) || mean === 0) return { shape: shapeMin, scale: Math.max(mean, 1e-9) };
  const shape = Math.min(shapeMax, Math.max(shapeMin, 2 - mean / spread));
  return { shape, scale: mean * (1 - shape) };
}

function excursions(history: Iterable<HistoryTick>, baseline: number): number[] {
  const detector = spikeDetector({ baseline, threshold: Number.POSITIVE_INFINITY });
  const maxima: number[] = [];
  let highest = 0;
  for (const { requests, bad } of history) {
    const { score } = detector.tick(requests, bad);
    if (score > 0) highest = Math.max(highest, score);
    else if (highest > 0) {
      maxima.push(highest);
      highest = 0;
    }
  }
  if (highest > 0) maxima.push(highest);
  return maxima;
}

export const baselineFloor = 1e-4;
/** Above it no alternative would be left to look for: a site that fails every second request is in alarm, not used to it. */
export const baselineMax = 0.5;

/** A site without a past is taken to have answered this many requests well, which makes its baseline 0.001. */
const assumedGoodRequests = 6_905;
const doubt = 1e-3;

export interface HistoryTick {
  readonly requests: number;
  readonly bad: number;
}

/**
 * The share of bad answers to expect while all is well: an upper 99.9 % limit from the counts of the last 24 hours.
 * The limit is the p at which n KL(bad/n, p) = ln 1000 (Chernoff). It equals Clopper and Pearson's when nothing was
 * bad and is never below it, so it errs towards fewer alarms.
 */
export function baseline(history: readonly HistoryTick[]): number {
  let requests = assumedGoodRequests;
  let bad = 0;
  for (const tick of history) {
    requests += Math.max(tick.requests, tick.bad);
    bad += tick.bad;
  }
  return clampBaseline(upperLimit(bad, requests, doubt));
}

/** The share that would show `bad` of `requests`, or fewer, with a chance of at most `chance`. */
function upperLimit(bad: number, requests: number, chance: number): number {
  const seen = bad / requests;
  const target = Math.log(1 / chance) / requests;
  let low = seen;
  let high = 1;
  for (let i = 0; i < 60; i += 1) {
    const middle = (low + high) / 2;
    if (divergence(seen, middle) < target) low = middle;
    else high = middle;
  }
  return high;
}

/** Kullback and Leibler's, of two coins. */
function divergence(q: number, p: number): number {
  const heads = q === 0 ? 0 : q * Math.log(q / p);
  const tails = q === 1 ? 0 : (1 - q) * Math.log((1 - q) / (1 - p));
  return heads + tails;
}

export function clampBaseline(share: number): number {
  if (!Number.isFinite(share)) return baselineFloor;
  return Math.min(baselineMax, Math.max(baselineFloor, share));
}

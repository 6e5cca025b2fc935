import { logSumExp } from './mixture.ts';

/** Shares of what is at stake, each bet a mixture's equal part. */
const stakes: readonly number[] = [0.02, 0.1, 0.3, 0.8];
/** A candidate may be slower by this factor and this much more: with few requests each may need a new connection to its server. */
const slowerFactor = 1.5;
const slowerMs = 50;
/** Nothing is known of the incumbent before so many of its requests. */
const incumbentRequestsMin = 20;
/** HAProxy tells the mean of the newest requests in whole milliseconds: of this share of them it is exact to 16 ms. */
const chunkWindow = 512;
const chunkShare = 1 / 16;

export interface TimedRequests {
  /** Cumulative. */
  readonly requests: number;
  /** Cumulative, of all of them together. */
  readonly timeMs: number;
}

export interface SlownessTest {
  add(candidate: TimedRequests, incumbent: TimedRequests): void;
  /** Logarithm of the evidence that the candidate's requests take longer. */
  logEValue(): number;
  /** Mean times so far, for people; null: too few requests. */
  means(): { readonly candidateMs: number; readonly incumbentMs: number } | null;
}

/**
 * Mean time of the candidate's requests against the incumbent's. A time is not negative, so if its mean is at most m, a
 * bet that pays 1 + s (time / m - 1) with 0 <= s < 1 has mean at most 1 whatever the distribution, and the product of
 * such bets exceeds 1/alpha with chance at most alpha, however often one looks (Waudby-Smith & Ramdas, 'Estimating means of
 * bounded random variables by betting', JRSS B 2024, one-sided case). m is the incumbent's mean up to then, half as much
 * again and 50 ms more; several requests are one bet on their mean.
 */
export function slownessTest(start: { candidate: TimedRequests; incumbent: TimedRequests }): SlownessTest {
  const logs = stakes.map(() => -Math.log(stakes.length));
  let asked = start.candidate;
  let now = start;

  /** Since the exposure began, or since its own start where that is too little. */
  function incumbentMs({ requests, timeMs }: TimedRequests): number | null {
    const since = requests - start.incumbent.requests;
    if (since >= incumbentRequestsMin) return Math.max(0, timeMs - start.incumbent.timeMs) / since;
    return requests >= incumbentRequestsMin ? Math.max(0, timeMs) / requests : null;
  }

  return {
    add(candidate, incumbent) {
      now = { candidate, incumbent };
      const requests = candidate.requests - asked.requests;
      const window = Math.min(candidate.requests, chunkWindow);
      if (requests < Math.max(1, window * chunkShare)) return;
      const meanMs = Math.max(0, candidate.timeMs - asked.timeMs) / requests;
      const usualMs = incumbentMs(incumbent);
      asked = candidate;
      if (usualMs === null) return;
      const ratio = meanMs / (usualMs * slowerFactor + slowerMs);
      for (const [at, stake] of stakes.entries())
        logs[at] = (logs[at] ?? 0) + Math.log(1 + stake * (ratio - 1));
    },
    logEValue: () => logSumExp(logs),
    means() {
      const usualMs = incumbentMs(now.incumbent);
      const requests = now.candidate.requests - start.candidate.requests;
      if (usualMs === null || requests <= 0) return null;
      const candidateMs = Math.max(0, now.candidate.timeMs - start.candidate.timeMs) / requests;
      return { candidateMs, incumbentMs: usualMs };
    },
  };
}

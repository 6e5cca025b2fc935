import { logSumExp } from './mixture.ts';

/** How many times more often than the incumbent a bad candidate may fail: each is one bet, all with the same stake. */
const relativeRisks: readonly number[] = [1.5, 2, 3, 5, 9, 16, 32, 64, 128, 256, 1024, 4096];

export interface ComparisonTick {
  readonly candidateRequests: number;
  readonly candidateErrors: number;
  readonly incumbentRequests: number;
  readonly incumbentErrors: number;
}

export interface Comparison {
  add(tick: ComparisonTick): ComparisonVerdict;
  verdict(): ComparisonVerdict;
}

export interface ComparisonVerdict {
  /** Evidence that the candidate is worse; finite, so that it survives JSON. */
  readonly eValue: number;
  readonly logEValue: number;
  /** Once true, stays true. */
  readonly refuse: boolean;
}

/**
 * Candidate against incumbent at the same moment, valid whenever one looks. Errors are counted once a connection.
 *
 * Under 'no difference' an error of a tick falls on the candidate with chance r, its observed share of that tick's
 * requests. For a relative risk q the chance would be t = q r / (q r + 1 - r), so the product over ticks of
 * (t/r)^candidateErrors ((1-t)/(1-r))^incumbentErrors has mean 1 whatever load and share do: r is known before the
 * errors are dealt out. That errors are dealt without putting back (hypergeometric, not binomial) only lowers the mean,
 * because the product is convex in candidateErrors (Hoeffding 1963). A fixed mixture over q is a test supermartingale,
 * and by Ville's inequality exceeds 1/alpha with chance at most alpha.
 *
 * Why q, and not a Beta prior over t with a = 2r, b = 2(1-r): that prior changes with r, so its mixture is no
 * martingale when the share varies; and it is two-sided, so it would refuse the candidate that mends a bad incumbent.
 */
export function comparison(options: { readonly alpha: number }): Comparison {
  const logs = relativeRisks.map(() => -Math.log(relativeRisks.length));
  const limit = Math.log(1 / options.alpha);
  let refused = false;

  function verdict(): ComparisonVerdict {
    const logEValue = logSumExp(logs);
    refused ||= logEValue >= limit;
    return { eValue: Math.exp(Math.min(logEValue, 700)), logEValue, refuse: refused };
  }

  return {
    verdict,
    add(tick) {
      const candidateErrors = count(tick.candidateErrors);
      const incumbentErrors = count(tick.incumbentErrors);
      // More errors than finished requests: some have not finished. Only the candidate's share is raised, which can
      // only weaken the evidence against it.
      const candidate = Math.max(count(tick.candidateRequests), candidateErrors);
      const incumbent = count(tick.incumbentRequests);
      if (candidate === 0 || incumbent === 0) return verdict();
      const share = candidate / (candidate + incumbent);
      for (const [i, risk] of relativeRisks.entries()) {
        const mean = risk * share + 1 - share;
        // t/r = risk / mean, (1-t)/(1-r) = 1 / mean
        const gain = candidateErrors * Math.log(risk) - (candidateErrors + incumbentErrors) * Math.log(mean);
        logs[i] = (logs[i] ?? 0) + gain;
      }
      return verdict();
    },
  };
}

/** Counters that went back, or are no numbers, count as nothing. */
function count(value: number): number {
  return Number.isFinite(value) ? Math.max(0, value) : 0;
}

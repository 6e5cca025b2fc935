/** What may be left of the traffic when it disappears: each is one sum. */
const leftShares: readonly number[] = [0.5, 0.1, 0.01];
/** How fast the usual rate follows: a minute, so that the evening is no fault. */
const followTicks = 600;
/** Arrivals are counted together in these many ticks to see how unevenly they come. */
const windows: readonly number[] = [10, 100];

export interface AbsenceDetector {
  /** How many arrived in this tick. */
  tick(arrived: number): { readonly score: number; readonly usualPerTick: number };
  reset(): void;
}

/**
 * Traffic that disappears: Page's sum for arrivals against the usual rate of the last minutes. Arrivals in bursts are
 * less evidence than single ones, so counts are divided by how much more they vary than Poisson's would. Nothing is said
 * before `learnTicks`, and while the score stands the usual rate stays as it was.
 */
export function absenceDetector(options: { readonly learnTicks: number }): AbsenceDetector {
  let usual = 0;
  let seen = 0;
  let scores = leftShares.map(() => 0);
  const uneven = windows.map((ticks) => unevenness(ticks));
  const evidence = () => (seen < options.learnTicks ? 0 : Math.max(...scores));

  return {
    tick(arrived) {
      const n = Number.isFinite(arrived) ? Math.max(0, arrived) : 0;
      const dispersion = Math.max(1, ...uneven.map((one) => one.of(usual)));
      if (seen >= options.learnTicks)
        scores = scores.map((score, at) => {
          const left = leftShares[at] ?? 1;
          return Math.max(0, score + (n * Math.log(left) + usual * (1 - left)) / dispersion);
        });
      const score = evidence();
      // While it looks like a fault, what is usual is not learned from it; a lasting change is, slowly.
      const follow = score > 4 ? followTicks * 100 : Math.min(followTicks, seen + 1);
      if (score <= 4) for (const one of uneven) one.add(n, usual);
      usual += (n - usual) / follow;
      seen += 1;
      return { score, usualPerTick: usual };
    },
    reset() {
      scores = leftShares.map(() => 0);
      seen = 0;
    },
  };
}

/** Variance of counts of `ticks` ticks over their mean; 1 for Poisson's. */
function unevenness(ticks: number) {
  let sum = 0;
  let inSum = 0;
  let variance = 0;
  let seen = 0;
  return {
    add(n: number, usual: number): void {
      sum += n;
      inSum += 1;
      if (inSum < ticks) return;
      const off = sum - usual * ticks;
      seen += 1;
      variance += (off * off - variance) / Math.min(seen, 60);
      [sum, inSum] = [0, 0];
    },
    of: (usual: number) => (usual <= 0 || seen === 0 ? 1 : variance / (usual * ticks)),
  };
}

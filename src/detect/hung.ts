import { logSumExp } from './mixture.ts';

export interface InHand {
  /** Cumulative. */
  readonly finished: number;
  /** Begun and not finished. */
  readonly inHand: number;
}

/** A request is late when it has taken this many times the mean: at most a fourth of all are (Markov's inequality). */
const lateFactor = 4;
const lateShareMax = 1 / lateFactor;
const lateMsMin = 1_000;
/** Nothing is known of the incumbent before so many of its requests. */
const incumbentRequestsMin = 20;
/** The candidate may be slower by so much. */
const slackFactor = 1.5;
/** What a bad candidate's share of late requests may be: each is one bet. */
const lateShares: readonly number[] = [0.4, 0.6, 0.8, 0.95];

export interface HungTest {
  /** One reading of both at the same moment, `atMs` of a clock that does not go back. */
  add(atMs: number, candidate: InHand, incumbent: InHand): void;
  logEValue(): number;
  /** How many of the candidate's requests are late at least, and what late is. */
  late(): { readonly requests: number; readonly ms: number };
}

/**
 * Requests that are taken and not answered: they never finish, so no time of theirs is known. What is known is how many
 * have begun and how many have finished. By Little's law the incumbent's mean time is what it has in hand over what
 * begins with it each second; a request is late after four times that, and a second at least. The fewest that can be late
 * are those that are left over when each end is given to the request that would be late next. At most a fourth may be.
 */
export function hungTest(start: { atMs: number; candidate: InHand; incumbent: InHand }): HungTest {
  const waiting: { readonly atMs: number; requests: number }[] = [];
  const logs = lateShares.map(() => -Math.log(lateShares.length));
  let before = start;
  let inHandMs = 0;
  let begunOfIncumbent = 0;
  let late = 0;
  const lateMs = () =>
    begunOfIncumbent < incumbentRequestsMin
      ? Number.POSITIVE_INFINITY
      : lateMsMin + lateFactor * slackFactor * (inHandMs / begunOfIncumbent);
  const bet = (requests: number, chance: (share: number) => number) => {
    for (const [at, share] of lateShares.entries())
      logs[at] = (logs[at] ?? 0) + requests * Math.log(chance(share));
  };

  return {
    add(atMs, candidate, incumbent) {
      inHandMs += incumbent.inHand * Math.max(0, atMs - before.atMs);
      begunOfIncumbent += begun(before.incumbent, incumbent);
      const requests = begun(before.candidate, candidate);
      if (requests > 0) waiting.push({ atMs: before.atMs, requests });
      // What is in hand no more and was not counted as finished has ended all the same.
      let ended = Math.max(0, candidate.finished - before.candidate.finished) + Math.max(0, -requests);
      before = { atMs, candidate, incumbent };
      while (ended > 0 && waiting[0]) {
        const given = Math.min(ended, waiting[0].requests);
        ended -= given;
        waiting[0].requests -= given;
        bet(given, (share) => (1 - share) / (1 - lateShareMax));
        if (waiting[0].requests === 0) waiting.shift();
      }
      while (waiting[0] && waiting[0].atMs < atMs - lateMs()) {
        const { requests: left } = waiting[0];
        waiting.shift();
        late += left;
        bet(left, (share) => share / lateShareMax);
      }
    },
    logEValue: () => logSumExp(logs),
    late: () => ({ requests: late, ms: lateMs() }),
  };
}

/** Below 0 where more have gone than were counted: over time that evens out. */
function begun(before: InHand, now: InHand): number {
  return now.finished - before.finished + now.inHand - before.inHand;
}

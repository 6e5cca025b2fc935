import { logSumExp } from './mixture.ts';

const lateFactor = 4;
/** At most a fourth of all requests take four times the mean (Markov's inequality). */
const lateShareMax = 1 / lateFactor;
const slackFactor = 1.5;
const lateMsMin = 1_000;
const lateShares: readonly number[] = [0.4, 0.6, 0.8, 0.95];
const learnRequests = 200;

export interface LateDetector {
  /** `finished` in this tick of `forMs`, and how many are in hand at its end. */
  tick(finished: number, inHand: number, forMs: number): { readonly score: number; readonly late: number };
  reset(): void;
}

/**
 * Requests that were taken and are not answered, against what is usual here: `hungTest` without an incumbent. Each
 * request bets once, when it ends or when it has waited four times the usual mean; the bets begin again at 1 when lost.
 */
export function lateDetector(): LateDetector {
  let logs = lateShares.map(() => 0);
  let waiting: { readonly atMs: number; requests: number }[] = [];
  let [nowMs, before, begunEver, inHandMs, late] = [0, 0, 0, 0, 0];
  const scoreOf = () => Math.max(0, logSumExp(logs) - Math.log(lateShares.length));
  const bet = (requests: number, chance: (share: number) => number) => {
    logs = logs.map((log, at) => Math.max(0, log + requests * Math.log(chance(lateShares[at] ?? 0.5))));
  };
  const lateAfterMs = () =>
    begunEver < learnRequests
      ? Number.POSITIVE_INFINITY
      : lateMsMin + lateFactor * slackFactor * (inHandMs / begunEver);

  return {
    tick(finished, inHand, forMs) {
      nowMs += forMs;
      const begun = finished + inHand - before;
      before = inHand;
      if (begun > 0) waiting.push({ atMs: nowMs - forMs, requests: begun });
      let ended = finished + Math.max(0, -begun);
      while (ended > 0 && waiting[0]) {
        const given = Math.min(ended, waiting[0].requests);
        ended -= given;
        waiting[0].requests -= given;
        bet(given, (share) => (1 - share) / (1 - lateShareMax));
        if (waiting[0].requests === 0) waiting.shift();
      }
      const limitMs = lateAfterMs();
      while (waiting[0] && waiting[0].atMs < nowMs - limitMs) {
        late += waiting[0].requests;
        bet(waiting[0].requests, (share) => share / lateShareMax);
        waiting.shift();
      }
      // Never learned from what looks like a fault.
      if (scoreOf() <= 4) {
        begunEver += Math.max(0, begun);
        inHandMs += inHand * forMs;
      }
      if (scoreOf() === 0) late = 0;
      return { score: scoreOf(), late };
    },
    reset() {
      logs = lateShares.map(() => 0);
      waiting = [];
      late = 0;
    },
  };
}

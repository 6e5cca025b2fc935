import type { Clock } from '#base';
import { hungTest, type InHand, type SlownessTest, slownessTest, type TimedRequests } from '#detect';
import type { Evidence, PoolEvidence } from '#engines';

export interface TimeDetections {
  /** Requests that were not answered after `ms`. */
  readonly hung: { readonly requests: number; readonly ms: number } | null;
  /** The pool that is slower by the strongest evidence. */
  readonly slower: {
    readonly pool: string;
    readonly candidateMs: number;
    readonly incumbentMs: number;
  } | null;
}

export interface TimesWatch {
  add(candidate: Evidence, incumbent: Evidence): TimeDetections;
  /** The strongest evidence so far. */
  logEValue(): number;
}

export interface TimesPlan {
  readonly candidateStart: Evidence;
  readonly incumbentStart: Evidence;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Of each of the two tests. */
  readonly alpha: number;
}

/**
 * Time to answer, pool by pool: a pool of the candidate against the incumbent's of the same name; and requests that are not
 * answered at all. A pool that is new has nothing to be compared with: a team may add one that is slow by nature.
 */
export function watchTimes({ candidateStart, incumbentStart, clock, alpha }: TimesPlan): TimesWatch {
  const limit = -Math.log(alpha);
  const slow = watchPools(candidateStart, incumbentStart);
  const hung = hungTest({
    atMs: clock.monotonicMs(),
    candidate: inHandOf(candidateStart),
    incumbent: inHandOf(incumbentStart),
  });
  let logEValue = 0;

  return {
    logEValue: () => logEValue,
    add(candidate, incumbent) {
      hung.add(clock.monotonicMs(), inHandOf(candidate), inHandOf(incumbent));
      const slowest = slow(candidate, incumbent);
      logEValue = Math.max(hung.logEValue(), slowest?.logEValue ?? 0);
      return {
        hung: hung.logEValue() >= limit ? hung.late() : null,
        slower: slowest && slowest.logEValue >= limit ? slowest : null,
      };
    },
  };
}

type SlowPool = NonNullable<TimeDetections['slower']> & { readonly logEValue: number };

function watchPools(candidateStart: Evidence, incumbentStart: Evidence) {
  const tests = new Map<string, SlownessTest>();
  const from = { candidate: timesOf(candidateStart), incumbent: timesOf(incumbentStart) };
  const nothing: TimedRequests = { requests: 0, timeMs: 0 };
  const testOf = (pool: string) =>
    slownessTest({
      candidate: from.candidate.get(pool) ?? nothing,
      incumbent: from.incumbent.get(pool) ?? nothing,
    });

  return (candidate: Evidence, incumbent: Evidence): SlowPool | null => {
    const usual = timesOf(incumbent);
    let found: SlowPool | null = null;
    for (const [pool, times] of timesOf(candidate)) {
      const before = usual.get(pool);
      if (!before) continue;
      const test = tests.get(pool) ?? testOf(pool);
      tests.set(pool, test);
      test.add(times, before);
      const means = test.means();
      const logEValue = test.logEValue();
      if (means && (!found || logEValue > found.logEValue)) found = { pool, logEValue, ...means };
    }
    // Of many pools one may look slow by chance: the mean of all their evidence counts, of which this is a part.
    return found && { ...found, logEValue: found.logEValue - Math.log(tests.size) };
  };
}

function timesOf({ pools }: Evidence): ReadonlyMap<string, TimedRequests> {
  const known = ({ pool, timedRequests: requests, timeMs }: PoolEvidence) =>
    requests === undefined || timeMs === undefined ? [] : [[pool, { requests, timeMs }] as const];
  return new Map(pools.flatMap(known));
}

/** An engine that does not tell what it has in hand is taken to have nothing. */
function inHandOf({ requests, entranceRequests, inHand = 0 }: Evidence): InHand {
  return { finished: requests + entranceRequests, inHand };
}

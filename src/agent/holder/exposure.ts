import type { Clock } from '#base';
import type { Held } from './generations.ts';

export interface Slice {
  readonly forMs: number;
  readonly alone: boolean;
  readonly leaseMs: number;
}

/** Exposure by slices under a lease: whoever stops renewing, dead, hung or cut off, ends in the last good state. */
export interface Exposures {
  /** Resolves when the candidate accepts (and, with `alone`, the active one is parked). */
  expose(candidate: Held, slice: Slice): Promise<void>;
  /** Ends the exposure for good, take-back included. */
  expire(candidate: Held): void;
  /** No timer acts on this generation any more. */
  forget(candidate: Held): void;
  /** Generations whose lease ran out. */
  expired(): number[];
}

const takeBackMsMax = 50;

export function exposures(options: { clock: Clock; activeOne: () => Held | null }): Exposures {
  const expired = new Set<number>();
  let current: Held | null = null;
  let sliceTimer: NodeJS.Timeout | undefined;
  let leaseTimer: NodeJS.Timeout | undefined;

  function stopTimers(): void {
    clearTimeout(sliceTimer);
    clearTimeout(leaseTimer);
  }

  function endSlice(candidate: Held): void {
    options
      .activeOne()
      ?.side.want('accepting')
      .catch(() => {});
    candidate.side.want('parked').catch(() => {});
  }

  function expire(candidate: Held): void {
    if (current === candidate) stopTimers();
    expired.add(candidate.spec.generation);
    endSlice(candidate);
    candidate.control.takeBack(true, takeBackMsMax).catch(() => {});
  }

  return {
    async expose(candidate, { forMs, alone, leaseMs }) {
      stopTimers();
      current = candidate;
      if (expired.delete(candidate.spec.generation)) await candidate.control.takeBack(false, takeBackMsMax);
      sliceTimer = setTimeout(() => endSlice(candidate), forMs);
      leaseTimer = setTimeout(() => expire(candidate), leaseMs);
      const active = options.activeOne();
      if (!alone) active?.side.want('accepting').catch(() => {});
      await candidate.side.want('accepting');
      // Only when somebody else surely accepts; and not when a take-back came in between.
      if (alone && current === candidate && candidate.side.wanted === 'accepting')
        await active?.side.want('parked');
    },
    expire,
    forget(candidate) {
      if (current === candidate) {
        stopTimers();
        current = null;
      }
      expired.delete(candidate.spec.generation);
    },
    expired: () => [...expired],
  };
}

import type { Clock } from '#base';

/** A clock whose time passes only when everybody waits: a timeline of minutes runs in milliseconds, the same every time. */
export interface SimulatedClock extends Clock {
  /** Runs until `work` has settled, jumping to whoever wakes next whenever nothing else is left to do. */
  run<T>(work: Promise<T>): Promise<T>;
  /** Lets `ms` pass. */
  pass(ms: number): Promise<void>;
  /** Calls `act` when `ms` have passed since now. */
  at(ms: number, act: () => void): void;
}

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

/** Waiting for longer than this with nobody asleep means that the work waits for something that never comes. */
const idleTurnsMax = 20_000;

export function simulatedClock(startsAt = Date.UTC(2026, 0, 1)): SimulatedClock {
  let elapsedMs = 0;
  const sleepers = new Set<Sleeper>();

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { wakesAt: elapsedMs + Math.max(0, ms), wake: () => end(resolve) };
      const stop = () => end(() => reject(signal?.reason));
      const end = (then: () => void) => {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', stop);
        then();
      };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  function wakeNext(): boolean {
    const [first] = [...sleepers].sort((a, b) => a.wakesAt - b.wakesAt);
    if (!first) return false;
    elapsedMs = Math.max(elapsedMs, first.wakesAt);
    first.wake();
    return true;
  }

  async function run<T>(work: Promise<T>): Promise<T> {
    let settled = false;
    const end = () => {
      settled = true;
    };
    work.then(end, end);
    for (let idleTurns = 0; !settled; ) {
      // Several turns: work that is ready to go on, and entries that are being written, go before the clock.
      for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
      if (settled) break;
      idleTurns = wakeNext() ? 0 : idleTurns + 1;
      if (idleTurns > idleTurnsMax) throw new Error('nothing is left that could end the work');
    }
    return work;
  }

  return {
    now: () => startsAt + elapsedMs,
    monotonicMs: () => elapsedMs,
    sleep,
    run,
    pass: (ms) => run(sleep(ms)),
    at: (ms, act) => void sleep(ms).then(act),
  };
}

import type { Clock } from '#base';
import { nginxFirstFd } from '#dialects';
import type { PublicSide } from '../engine.ts';
import { lead, sideOf, workersOf } from './epoll.ts';
import type { TextFacts } from './facts.ts';

const lookGapMs = 1;
/** Workers that a master has started anew accept by themselves. */
const keepEveryMs = 5;
/** While one starts: each look is a chance less for a connection to come too early. */
const startLookMs = 1;
const startMsMax = 20_000;
/** All that is otherwise looked at is who the workers are. */
const lookAllEveryMs = 250;

export interface Side {
  state(): PublicSide;
  lead(wanted: PublicSide, timeoutMs: number): Promise<void>;
  end(): void;
}

/** `keeps`: new workers follow what was last asked for; `parked` was asked for before anybody could. Null: they do not. */
export function openSide(options: {
  readonly pid: number;
  readonly facts: () => TextFacts;
  readonly clock: Clock;
  readonly keeps: PublicSide | 'unknown' | null;
}): Side {
  const { pid, facts, clock, keeps } = options;
  let wanted: PublicSide | null = keeps === 'parked' ? keeps : null;
  let turn = 0;
  let timer: NodeJS.Timeout | undefined;
  let startsSince = clock.monotonicMs();
  let started = keeps !== 'parked';
  let lookedAllAt = Number.NEGATIVE_INFINITY;
  let workersBefore = '';

  function sockets(): number[] {
    return Array.from({ length: facts().sockets }, (_, index) => nginxFirstFd + index);
  }

  /** Every worker as wanted. One that is not there yet, or is on its way out, is no worker. */
  function all(side: PublicSide): boolean {
    const numbers = sockets();
    const done = workersOf(pid).map(
      (worker) => lead(worker, numbers, side) || sideOf(worker, numbers) === null,
    );
    return done.length > 0 && done.every(Boolean);
  }

  function state(): PublicSide {
    const numbers = sockets();
    if (numbers.length === 0) return 'accepting';
    const sides = workersOf(pid).map((worker) => sideOf(worker, numbers));
    return sides.includes('accepting') ? 'accepting' : 'parked';
  }

  function isComplete(): boolean {
    const numbers = sockets();
    return workersOf(pid).filter((worker) => sideOf(worker, numbers) !== null).length >= facts().workers;
  }

  function keepParked(): void {
    const now = clock.monotonicMs();
    const workers = workersOf(pid).join(' ');
    if (workers !== workersBefore) {
      startsSince = now;
      started = false;
    }
    workersBefore = workers;
    if (started && now - lookedAllAt < lookAllEveryMs) return;
    lookedAllAt = now;
    all('parked');
    started ||= isComplete() || now - startsSince > startMsMax;
  }

  function keep(): void {
    try {
      if (wanted === 'parked') keepParked();
    } catch {
      // The text is not there yet, or not any more.
    }
    timer = setTimeout(keep, started ? keepEveryMs : startLookMs);
    timer.unref();
  }
  if (keeps !== null) keep();

  return {
    state,
    async lead(side, timeoutMs) {
      turn += 1;
      const mine = turn;
      wanted = side;
      const deadline = clock.monotonicMs() + timeoutMs;
      while (!all(side)) {
        if (clock.monotonicMs() > deadline)
          throw new Error(`process ${pid}: not ${side} within ${timeoutMs} ms`);
        await clock.sleep(lookGapMs);
        if (mine !== turn) throw new Error(`process ${pid}: another call came before it was ${side}`);
      }
    },
    end() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

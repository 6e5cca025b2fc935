import { closeSync } from 'node:fs';
import type { Clock } from '#base';
import { nginxFirstFd } from '#dialects';
import type { PublicSide } from '../engine.ts';
import { announce, isAnyWaiting, lead, sideOf, takeDescriptor, workersOf } from './epoll.ts';
import type { TextFacts } from './facts.ts';
import { StuckWorkers } from './stuck.ts';

const lookGapMs = 1;
/**
 * A worker that is just accepting may put its socket back where it was: NGINX takes it out and in again after every 16th
 * connection. So a side is as wanted when it still is a moment later.
 */
const holdsMs = 2;
/** For this long after a change every look is a thorough one. */
const unsettledMs = 500;
/** A connection that waits through so many looks was announced to a worker that was parked meanwhile. */
const waitingLooksMax = 2;
/** Workers that a master has started anew accept by themselves, and in NGINX's own way (see `epoll.ts`). */
const keepEveryMs = 10;
/** While one starts: each look is a chance less for a connection to come too early. */
const startLookMs = 1;
const startMsMax = 20_000;
/** Otherwise all that is looked at is who the workers are. */
const lookAllEveryMs = 250;

interface SideOptions {
  readonly pid: number;
  readonly facts: () => TextFacts;
  readonly clock: Clock;
  /** New workers follow what was last asked for; `parked` was asked for before anybody could. Null: they do not. */
  readonly keeps: PublicSide | 'unknown' | null;
  /** Called, again and again, when all its workers are there. Not called for one that does not keep. */
  readonly complete: () => void;
  /** Told of each worker that hung and was ended. Never called for one that does not keep. */
  readonly tell: (what: string) => void;
}

export class Side {
  readonly #options: SideOptions;
  readonly #stuck: StuckWorkers;
  #wanted: PublicSide | null;
  #turn = 0;
  #over = false;
  #timer: NodeJS.Timeout | undefined;
  #started: boolean;
  #startsSince: number;
  #changedAt: number;
  #lookedAllAt = Number.NEGATIVE_INFINITY;
  #lookedStuckAt = Number.NEGATIVE_INFINITY;
  #workersBefore = '';
  /** Copies of its listening sockets. */
  #lent: number[] | null = null;
  #waitingLooks = 0;

  constructor(options: SideOptions) {
    this.#options = options;
    const { keeps, clock, tell } = options;
    this.#stuck = new StuckWorkers({ clock, tell });
    this.#wanted = keeps === 'parked' ? keeps : null;
    this.#started = keeps !== 'parked';
    this.#startsSince = clock.monotonicMs();
    this.#changedAt = this.#startsSince;
    if (keeps !== null) this.#keep();
  }

  state(): PublicSide {
    const numbers = this.#sockets();
    if (numbers.length === 0) return 'accepting';
    const sides = workersOf(this.#options.pid).map((worker) => sideOf(worker, numbers));
    return sides.includes('accepting') ? 'accepting' : 'parked';
  }

  async lead(side: PublicSide, timeoutMs: number): Promise<void> {
    const { pid, clock } = this.#options;
    this.#turn += 1;
    const mine = this.#turn;
    this.#wanted = side;
    this.#changedAt = clock.monotonicMs();
    const deadline = this.#changedAt + timeoutMs;
    for (;;) {
      if (this.#all(side)) {
        if (side === 'accepting') return;
        await clock.sleep(holdsMs);
        if (mine === this.#turn && this.state() === side) return;
      }
      if (clock.monotonicMs() > deadline)
        throw new Error(`process ${pid}: not ${side} within ${timeoutMs} ms`);
      await clock.sleep(lookGapMs);
      if (mine !== this.#turn) throw new Error(`process ${pid}: another call came before it was ${side}`);
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#over = true;
    for (const fd of this.#lent ?? []) closeSync(fd);
    this.#lent = null;
  }

  #sockets(): number[] {
    return Array.from({ length: this.#options.facts().sockets }, (_, index) => nginxFirstFd + index);
  }

  /** Every worker as wanted. One that is not there yet, or is on its way out, is no worker. */
  #all(side: PublicSide): boolean {
    const numbers = this.#sockets();
    const done = workersOf(this.#options.pid).map(
      (worker) => lead(worker, numbers, side) || sideOf(worker, numbers) === null,
    );
    return done.length > 0 && done.every(Boolean);
  }

  #keep(): void {
    try {
      if (this.#wanted !== null) this.#keepAs(this.#wanted);
    } catch {
      // The text is not there yet, or not any more.
    }
    this.#endStuck();
    if (this.#over) return;
    this.#timer = setTimeout(() => this.#keep(), this.#started ? keepEveryMs : startLookMs);
    this.#timer.unref();
  }

  #endStuck(): void {
    const { pid, clock } = this.#options;
    const now = clock.monotonicMs();
    if (now - this.#lookedStuckAt < lookAllEveryMs) return;
    this.#lookedStuckAt = now;
    this.#stuck.look(pid, workersOf(pid));
  }

  #keepAs(side: PublicSide): void {
    const now = this.#options.clock.monotonicMs();
    const workers = workersOf(this.#options.pid).join(' ');
    if (workers !== this.#workersBefore) {
      this.#startsSince = now;
      this.#started = false;
    }
    this.#workersBefore = workers;
    if (side === 'accepting') this.#takeWaiting();
    const settled = this.#started && now - this.#changedAt > unsettledMs;
    if (settled && now - this.#lookedAllAt < lookAllEveryMs) return;
    this.#lookedAllAt = now;
    this.#all(side);
    if (this.#started) return;
    const isComplete = this.#isComplete();
    if (isComplete) this.#options.complete();
    this.#started = isComplete || now - this.#startsSince > startMsMax;
  }

  #isComplete(): boolean {
    const { pid, facts } = this.#options;
    const numbers = this.#sockets();
    return workersOf(pid).filter((worker) => sideOf(worker, numbers) !== null).length >= facts().workers;
  }

  /** The kernel tells one worker of a connection. If that one was parked before it came to it, nobody knows. */
  #takeWaiting(): void {
    this.#lent ??= this.#borrow();
    this.#waitingLooks = this.#lent !== null && isAnyWaiting(this.#lent) ? this.#waitingLooks + 1 : 0;
    if (this.#waitingLooks < waitingLooksMax) return;
    this.#waitingLooks = 0;
    for (const worker of workersOf(this.#options.pid)) announce(worker, this.#sockets(), keepEveryMs);
  }

  #borrow(): number[] | null {
    const [worker] = workersOf(this.#options.pid);
    const taken = worker === undefined ? [] : this.#sockets().map((fd) => takeDescriptor(worker, fd));
    const fds = taken.filter((fd) => fd !== null);
    if (fds.length > 0 && fds.length === taken.length) return fds;
    for (const fd of fds) closeSync(fd);
    return null;
  }
}

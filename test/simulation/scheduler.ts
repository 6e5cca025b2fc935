import type { Clock } from '#base';

/** The one order of everything that happens in a simulated world: events in a heap, ties in the order of their making. */
export class Scheduler {
  readonly startsAt: number;
  #nowMs = 0;
  #made = 0;
  #done = 0;
  readonly #heap: Happening[] = [];

  constructor(startsAt = Date.UTC(2026, 0, 1)) {
    this.startsAt = startsAt;
  }

  /** Milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get happened(): number {
    return this.#done;
  }

  /** Calls `act` when `ms` have passed. Returns the function that calls it off. */
  after(ms: number, act: () => void): () => void {
    const happening: Happening = { atMs: this.#nowMs + Math.max(0, ms), number: ++this.#made, act };
    push(this.#heap, happening);
    return () => {
      happening.act = null;
    };
  }

  /** Lets time pass until `isOver`, or until `untilMs`: false then. Whatever is ready to go on goes before the clock does. */
  async run(isOver: () => boolean, untilMs: number): Promise<boolean> {
    for (;;) {
      await everythingWaits();
      if (isOver()) return true;
      const next = pop(this.#heap);
      if (!next || next.atMs > untilMs) {
        if (next) push(this.#heap, next);
        this.#nowMs = Math.max(this.#nowMs, untilMs);
        return false;
      }
      if (!next.act) continue;
      this.#nowMs = next.atMs;
      this.#done += 1;
      next.act();
    }
  }
}

/** Resolves when every promise that could go on has gone on: ticks come after all microtasks. */
function everythingWaits(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

interface Happening {
  readonly atMs: number;
  readonly number: number;
  act: (() => void) | null;
}

const isBefore = (a: Happening, b: Happening) =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.number < b.number);

function push(heap: Happening[], one: Happening): void {
  let at = heap.length;
  heap.push(one);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (!parent || isBefore(parent, one)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = one;
}

function pop(heap: Happening[]): Happening | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (!first || !last || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    const smaller = left && right && isBefore(right, left) ? 2 * at + 2 : 2 * at + 1;
    const child = heap[smaller];
    if (!child || isBefore(last, child)) break;
    heap[at] = child;
    at = smaller;
  }
  heap[at] = last;
  return first;
}

/**
 * A process of the simulated world. What it waits for comes to it through `hears`: a dead one hears nothing any more, a
 * stopped one (SIGSTOP) hears all of it when it goes on.
 */
export class SimulatedProcess {
  readonly name: string;
  readonly #scheduler: Scheduler;
  #state: 'running' | 'stopped' | 'dead' = 'running';
  #unheard: (() => void)[] = [];
  /** Of the machine's wall clock. */
  readonly #skewMs: () => number;

  constructor(name: string, scheduler: Scheduler, skewMs: () => number = () => 0) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#skewMs = skewMs;
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  get isStopped(): boolean {
    return this.#state === 'stopped';
  }

  kill(): void {
    this.#state = 'dead';
    this.#unheard = [];
  }

  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped';
  }

  goOn(): void {
    if (this.#state !== 'stopped') return;
    this.#state = 'running';
    for (const act of this.#unheard.splice(0)) this.#scheduler.after(0, () => this.hears(act));
  }

  hears(act: () => void): void {
    if (this.#state === 'running') act();
    else if (this.#state === 'stopped') this.#unheard.push(act);
  }

  /** A dead process's promises stay as they are for ever. */
  readonly clock: Clock = {
    now: () => this.#scheduler.startsAt + Math.floor(this.#scheduler.nowMs) + this.#skewMs(),
    monotonicMs: () => this.#scheduler.nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const stop = () => {
          callOff();
          reject(signal?.reason);
        };
        const callOff = this.#scheduler.after(ms, () =>
          this.hears(() => {
            signal?.removeEventListener('abort', stop);
            if (!signal?.aborted) resolve();
          }),
        );
        signal?.addEventListener('abort', stop, { once: true });
      }),
  };
}

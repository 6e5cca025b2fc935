import type { EngineControl, Evidence, PublicSide } from '#engines';
import type { Random } from '../world/random.ts';
import type { Scheduler, SimulatedProcess } from './scheduler.ts';

/** How long a signal takes until the engine shows it, as measured: 0.1 ms, worst 1.7 ms. */
const followMsMax = 1.7;

/** What all engines of a balancer share: one listening socket, and the traffic that comes to it. */
export interface PublicSocket {
  /** Called before anything changes that traffic depends on. */
  flow(): void;
  /** Called after it has changed. */
  changed(): void;
}

/** An engine's process: it accepts while it is resumed, and does what it is told unless something is wrong with it. */
export class SimulatedEngine {
  readonly generation: number;
  readonly pid: number;
  side: PublicSide = 'parked';
  isAlive = true;
  /** SIGSTOP, or as good as that: it accepts by the kernel's queue and does nothing. */
  isHung = false;
  /** Signals do nothing. */
  isDeaf = false;
  leadsBack = false;
  /** Of its answers. */
  errorShare = 0;
  requests = 0;
  errors = 0;
  /** Told when it ends: the holder that started it. */
  ended: (how: string) => void = () => {};
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #socket: PublicSocket;
  #signalled: PublicSide | null = null;

  constructor(
    name: { readonly generation: number; readonly pid: number },
    world: { readonly scheduler: Scheduler; readonly random: Random; readonly socket: PublicSocket },
  ) {
    this.generation = name.generation;
    this.pid = name.pid;
    this.#scheduler = world.scheduler;
    this.#random = world.random;
    this.#socket = world.socket;
  }

  get isAccepting(): boolean {
    return this.isAlive && this.side === 'accepting';
  }

  die(how: string): void {
    if (!this.isAlive) return;
    this.#change(() => {
      this.isAlive = false;
    });
    this.ended(how);
  }

  hang(): void {
    this.isHung = true;
    this.#socket.changed();
  }

  /** What was signalled meanwhile is done now. */
  goOn(): void {
    this.isHung = false;
    const wanted = this.#signalled;
    if (wanted) this.#change(() => this.#become(wanted));
  }

  #become(side: PublicSide): void {
    this.side = side;
    this.#signalled = null;
  }

  #change(act: () => void): void {
    this.#socket.flow();
    act();
    this.#socket.changed();
  }

  /** The controls as one process has them: its own patience, and nothing comes to it once it is dead. */
  controlFor(process: SimulatedProcess): EngineControl {
    const answer = <T>(timeoutMs: number, act: () => T | null): Promise<T> =>
      new Promise((resolve, reject) => {
        if (process.isDead) return;
        if (!this.isAlive) {
          this.#scheduler.after(0.1, () => process.hears(() => reject(new Error('connection refused'))));
          return;
        }
        const callOff = this.#scheduler.after(timeoutMs, () =>
          process.hears(() => reject(new Error(`no answer within ${timeoutMs} ms`))),
        );
        this.#scheduler.after(0.1 + this.#random.next() * followMsMax, () => {
          const done = this.isAlive && !this.isHung ? act() : null;
          if (done === null) return;
          callOff();
          process.hears(() => resolve(done));
        });
      });
    const signalled = (side: PublicSide) => async (timeoutMs: number) => {
      if (!process.isDead && !this.isDeaf) this.#signalled = side;
      await answer(timeoutMs, () => {
        if (this.#signalled === null) return this.side === side ? true : null;
        const wanted = this.#signalled;
        this.#change(() => this.#become(wanted));
        return wanted === side ? true : null;
      });
    };
    return {
      state: (timeoutMs) => answer(timeoutMs, () => this.side),
      park: signalled('parked'),
      resume: signalled('accepting'),
      takeBack: async (on, timeoutMs) => {
        await answer(timeoutMs, () => {
          this.leadsBack = on;
          return true;
        });
      },
      net: async (_on, timeoutMs) => void (await answer(timeoutMs, () => true)),
      evidence: (timeoutMs) => answer(timeoutMs, () => this.#evidence()),
      servers: (timeoutMs) => answer(timeoutMs, () => []),
      errors: (_linesMax, timeoutMs) => answer(timeoutMs, () => []),
      drain: async (timeoutMs) => {
        await answer(timeoutMs, () => true);
        this.#scheduler.after(200, () => {
          if (!this.isHung && !this.isAccepting) this.die('exit 0');
        });
      },
      close() {},
    };
  }

  #evidence(): Evidence {
    this.#socket.flow();
    const common = { clientErrors: 0, connectionErrors: 0, retries: 0, responseErrors: 0, netUses: 0 };
    const [requests, errors] = [Math.floor(this.requests), Math.floor(this.errors)];
    return { requests, errors, ...common, entranceRequests: 0, connections: 0, pools: [] };
  }
}

import type { Clock } from '#base';
import type { HolderClient } from './holder/protocol.ts';

/** One slice and one pause. Short, so that a bad candidate's slices are short too. */
const periodMs = 200;
/** Renewed every period: three are missed before the holder ends the exposure. */
const leaseMs = 3 * periodMs;
/** How much of the difference between the share that is wanted and the one that came is made up for, each tick. */
const correction = 0.1;
/** Over so long the share is observed: until then it is that of the step before, and correcting by it would overshoot. */
const observedMs = 1_000;

export interface ExposerOptions {
  readonly holder: HolderClient;
  readonly generation: number;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
}

/**
 * Cuts time into slices so that the candidate gets its share of new connections. Up to one half the incumbent never
 * stops accepting: while both accept, each gets about half, so a share s needs the candidate for 2s of the time.
 */
export class Exposer {
  readonly #options: ExposerOptions;
  #wanted = 0;
  #aim = 0;
  #untilMs = 0;
  #correctFromMs = 0;
  #stopped = false;
  #running = false;

  constructor(options: ExposerOptions) {
    this.#options = options;
  }

  /** Share of new connections from now on, until `untilMs` on the monotonic clock. */
  set(share: number, untilMs: number): void {
    this.#untilMs = untilMs;
    if (share !== this.#wanted) {
      this.#aim = share;
      this.#correctFromMs = this.#options.clock.monotonicMs() + observedMs;
    }
    this.#wanted = share;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#run()
      .catch((error) => {
        if (!this.#stopped) this.#options.failed(error);
      })
      .finally(() => {
        this.#running = false;
      });
  }

  /** What share of requests the candidate really got lately: the slices are corrected by it. */
  observed(share: number): void {
    const wanted = this.#wanted;
    if (wanted <= 0 || wanted >= 1 || this.#options.clock.monotonicMs() < this.#correctFromMs) return;
    const aim = this.#aim + correction * (wanted - share);
    this.#aim = Math.min(0.95, 2 * wanted, Math.max(wanted / 4, aim));
  }

  pause(): void {
    this.#untilMs = 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #run(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopped && clock.monotonicMs() < this.#untilMs) {
      const began = clock.monotonicMs();
      await this.#period();
      await clock.sleep(Math.max(1, periodMs - (clock.monotonicMs() - began)));
    }
  }

  async #period(): Promise<void> {
    if (this.#wanted >= 1) return await this.#expose(leaseMs, true);
    if (this.#aim <= 0.5) return await this.#expose(Math.max(1, 2 * this.#aim * periodMs), false);
    await this.#expose(leaseMs, true);
    await this.#options.clock.sleep((2 * this.#aim - 1) * periodMs);
    if (!this.#stopped) await this.#expose(leaseMs, false);
  }

  async #expose(forMs: number, alone: boolean): Promise<void> {
    const { holder, generation } = this.#options;
    await holder.call('expose', { generation, forMs: Math.round(forMs), alone, leaseMs }, leaseMs);
  }
}

import type { Clock } from '#base';

/** Longer than any stall of a machine that still works. */
export const silentMsMax = 1_000;
/** Fewer looks than this say more of whoever looks than of who is silent. */
const looksMin = 5;

/** For how long somebody who is asked again and again has not answered. */
export class Silence {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  #sinceMs = 0;
  #looks = 0;

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  get isBegun(): boolean {
    return this.#looks > 0;
  }

  /** One look. True when it has lasted `mostMs`, and then begins anew. */
  looked(answered: boolean, mostMs: number): boolean {
    if (this.#looks === 0) this.#sinceMs = this.#clock.monotonicMs();
    this.#looks = answered ? 0 : this.#looks + 1;
    const isLong = this.#looks >= looksMin && this.#clock.monotonicMs() - this.#sinceMs >= mostMs;
    if (isLong) this.#looks = 0;
    return isLong;
  }
}

import { after, type Clock } from '#base';
import type { Held } from './held.ts';

export interface Slice {
  readonly forMs: number;
  readonly alone: boolean;
  readonly leaseMs: number;
}

const takeBackMsMax = 50;
/** Nobody waits for it, and nobody says it again: a busy machine is no reason to give up. */
const patientMs = 5_000;

/** Exposure by slices under a lease: whoever stops renewing, dead, hung or cut off, ends in the last good state. */
export class Exposures {
  readonly #activeOne: () => Held | null;
  readonly #expired = new Set<number>();
  readonly #clock: Clock;
  #current: Held | null = null;
  #callOffSlice = () => {};
  #callOffLease = () => {};

  constructor(clock: Clock, activeOne: () => Held | null) {
    this.#clock = clock;
    this.#activeOne = activeOne;
  }

  /** Resolves when the candidate accepts (and, with `alone`, the active one is parked). No time at all ends the exposure. */
  async expose(candidate: Held, { forMs, alone, leaseMs }: Slice): Promise<void> {
    this.#stopTimers();
    this.#current = candidate;
    if (this.#expired.delete(candidate.spec.generation))
      await candidate.control.takeBack(false, takeBackMsMax);
    if (this.#current !== candidate) return;
    if (forMs <= 0) {
      this.#endSlice(candidate);
      return;
    }
    const began = this.#clock.monotonicMs();
    this.#callOffSlice = after(this.#clock, forMs, () => this.#endSlice(candidate));
    this.#callOffLease = after(this.#clock, leaseMs, () => this.expire(candidate));
    const active = this.#activeOne();
    if (!alone) active?.side.want('accepting').catch(() => {});
    await candidate.side.want('accepting');
    const stillOn = this.#clock.monotonicMs() - began < forMs;
    // Only when somebody else surely accepts; and not when a take-back or the slice's end came in between.
    if (alone && stillOn && this.#current === candidate && candidate.side.wanted === 'accepting')
      await active?.side.want('parked');
  }

  /** Ends the exposure for good, take-back included. */
  expire(candidate: Held): void {
    if (this.#current === candidate) this.#stopTimers();
    this.#expired.add(candidate.spec.generation);
    this.#endSlice(candidate);
    candidate.control.takeBack(true, patientMs).catch(() => {});
  }

  /** No timer acts on this generation any more. */
  forget(candidate: Held): void {
    if (this.#current === candidate) {
      this.#stopTimers();
      this.#current = null;
    }
    this.#expired.delete(candidate.spec.generation);
  }

  /** Generations whose lease ran out. */
  expired(): number[] {
    return [...this.#expired];
  }

  #stopTimers(): void {
    this.#callOffSlice();
    this.#callOffLease();
  }

  #endSlice(candidate: Held): void {
    this.#activeOne()
      ?.side.want('accepting')
      .catch(() => {});
    candidate.side.want('parked').catch(() => {});
  }
}

import { type Clock, messageOf } from '#base';
import type { CandidateObservation } from '#contract';
import type { Stop } from './machine.ts';
import type { BalancerPort } from './ports.ts';
import { against } from './steps.ts';

/** An exposure ends by itself this long after the last renewal. */
export const leaseMs = 3_000;
const renewEveryMs = 1_000;
const lookEveryMs = 200;
/** A balancer that is silent for longer has let the lease run out: the change is over. */
export const silenceMsMax = leaseMs;
const lookTimeoutMs = 1_000;

/** What the newest looks saw, by balancer. */
export type Seen = ReadonlyMap<string, CandidateObservation>;

/** Keeps the leases of a change's exposures and looks at every exposed balancer, for as long as somebody waits on it. */
export interface Watch {
  readonly seen: Seen;
  /** From now on the balancer gives the candidate this share. Journalled before. */
  expose(balancer: BalancerPort, share: number, requestsMax: number | null): Promise<void>;
  /** The balancer's lease is renewed no more: it has promoted the candidate. */
  release(balancer: string): void;
  /** Looks until `done`; resolves with what stopped the change, or null when `done` said so first. */
  until(done: (elapsedMs: number) => boolean): Promise<Stop | null>;
  /** The same while `work` is under way; its failure is a stop too. */
  during<T>(work: Promise<T>): Promise<{ readonly stop: Stop } | { readonly stop: null; readonly value: T }>;
}

interface Exposed {
  readonly balancer: BalancerPort;
  readonly share: number;
  readonly requestsMax: number | null;
  renewedAt: number;
  answeredAt: number;
  silentBecause: string;
}

export interface WatchParts {
  readonly change: string;
  readonly clock: Clock;
  /** Aborted with a `Stop` as its reason when the change must end now. */
  readonly signal: AbortSignal;
  readonly stopped: () => Stop | null;
  journal(balancer: string, share: number): Promise<void>;
}

export function createWatch(parts: WatchParts): Watch {
  return new LeaseWatch(parts);
}

class LeaseWatch implements Watch {
  readonly #parts: WatchParts;
  readonly #exposed = new Map<string, Exposed>();
  readonly #seen = new Map<string, CandidateObservation>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
  }

  get seen(): Seen {
    return this.#seen;
  }

  async expose(balancer: BalancerPort, share: number, requestsMax: number | null): Promise<void> {
    const { journal, clock } = this.#parts;
    await journal(balancer.name, share);
    const answeredAt = this.#exposed.get(balancer.name)?.answeredAt ?? clock.monotonicMs();
    const renewedAt = Number.NEGATIVE_INFINITY;
    const one: Exposed = { balancer, share, requestsMax, renewedAt, answeredAt, silentBecause: '' };
    this.#exposed.set(balancer.name, one);
    // A failure shows in the next look, which tries again until the silence is too long.
    await this.#renew(one).catch(() => {});
  }

  release(balancer: string): void {
    this.#exposed.delete(balancer);
  }

  async until(done: (elapsedMs: number) => boolean): Promise<Stop | null> {
    const { clock, signal, stopped } = this.#parts;
    const began = clock.monotonicMs();
    for (;;) {
      const stop = stopped() ?? (await orAborted(signal, this.#lookAtAll())) ?? stopped();
      if (stop) return stop;
      if (done(clock.monotonicMs() - began)) return null;
      await clock.sleep(lookEveryMs, signal).catch(() => {});
    }
  }

  async during<T>(work: Promise<T>): Promise<{ stop: Stop } | { stop: null; value: T }> {
    const settled = work.then(
      (value) => ({ ok: true, value }) as const,
      (error: unknown) => ({ ok: false, error }) as const,
    );
    const end = new AbortController();
    void settled.then(() => end.abort());
    const looking = this.until(() => end.signal.aborted);
    const stop = (await orAborted(end.signal, looking)) ?? this.#parts.stopped();
    if (stop) return { stop };
    const result = await settled;
    if (result.ok) return { stop: null, value: result.value };
    return { stop: { kind: 'broken', code: codeOf(result.error), why: messageOf(result.error) } };
  }

  /** Guards speak before silence does: a balancer that took it back knows why, a silent one does not. */
  async #lookAtAll(): Promise<Stop | null> {
    const looks = await Promise.all([...this.#exposed.values()].map((one) => this.#look(one)));
    const stops = looks.filter((stop) => stop !== null);
    return stops.find(({ kind }) => kind === 'taken back') ?? stops[0] ?? null;
  }

  async #look(one: Exposed): Promise<Stop | null> {
    const { balancer } = one;
    const { clock, change } = this.#parts;
    try {
      // First the look: what has been taken back cannot be renewed, and only the look knows why.
      const observation = await balancer.call('observe', { change }, lookTimeoutMs);
      one.answeredAt = clock.monotonicMs();
      this.#seen.set(balancer.name, observation);
      const stop = against(balancer.name, observation);
      if (!stop && clock.monotonicMs() - one.renewedAt >= renewEveryMs) await this.#renew(one);
      return stop;
    } catch (error) {
      one.silentBecause = messageOf(error);
    }
    const silentMs = clock.monotonicMs() - one.answeredAt;
    if (silentMs <= silenceMsMax || !this.#exposed.has(balancer.name)) return null;
    return {
      kind: 'silent',
      balancer: balancer.name,
      why: `${Math.round(silentMs)} ms, ${one.silentBecause}`,
    };
  }

  async #renew(one: Exposed): Promise<void> {
    const { share, requestsMax, balancer } = one;
    await balancer.call('expose', { change: this.#parts.change, share, leaseMs, requestsMax }, lookTimeoutMs);
    one.renewedAt = this.#parts.clock.monotonicMs();
  }
}

/** What came first: the work, or the signal (null). */
function orAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T | null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve, reject) => {
    const stop = () => resolve(null);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

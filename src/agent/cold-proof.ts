import { messageOf } from '#base';
import type { ColdProofView } from '#contract';
import type { GuardRecord } from '#events';
import { faultOf } from './at-fault.ts';
import type { Fleet } from './fleet.ts';
import { siteOf } from './good.ts';
import type { Kept } from './kept.ts';
import { inSandbox } from './sandbox-process.ts';

/** What was shown so long ago is shown again: the engine's own files, and the machine, may be others by now. */
const everyMs = 6 * 60 * 60_000;
/** After a promotion or a start there is other work; a failure is looked at again sooner. */
const firstAfterMs = 60_000;
const againAfterMs = 10 * 60_000;
/** A change may rely on what was shown within this time. */
const freshMs = 10 * 60_000;

/**
 * Whether the third rung would work now: the last good text is started from nothing in a sandbox, on the same engine, asked
 * a request and killed. Before a change relies on it, and on a schedule; that it begins to fail is recorded.
 */
export class ColdProof {
  readonly #fleet: Fleet;
  readonly #kept: Kept;
  readonly #record: (what: GuardRecord['what']) => void;
  #last: ColdProofView | null = null;
  #proving: Promise<ColdProofView> | null = null;
  #dueMs: number;

  constructor(parts: { fleet: Fleet; kept: Kept; record: (what: GuardRecord['what']) => void }) {
    this.#fleet = parts.fleet;
    this.#kept = parts.kept;
    this.#record = parts.record;
    this.#dueMs = this.#clock.monotonicMs() + firstAfterMs;
  }

  /** Of what is good now; null: not shown yet. */
  get last(): ColdProofView | null {
    return this.#last?.siteHash === this.#kept.good.current.hash ? this.#last : null;
  }

  get #clock() {
    return this.#fleet.options.clock;
  }

  /** Asked now and then, while nothing else goes on. */
  tick(): void {
    if (this.#clock.monotonicMs() >= this.#dueMs) void this.#prove();
  }

  /** The last one, if it is fresh and good; else anew. Never rejects. */
  async fresh(): Promise<ColdProofView> {
    const { last } = this;
    if (last?.ok && this.#clock.now() - last.at < freshMs) return last;
    return await this.#prove();
  }

  #prove(): Promise<ColdProofView> {
    this.#proving ??= this.#try().finally(() => {
      this.#proving = null;
    });
    return this.#proving;
  }

  async #try(): Promise<ColdProofView> {
    const { current } = this.#kept.good;
    const before = this.#last;
    this.#dueMs = Number.POSITIVE_INFINITY;
    const came = await this.#start().then(
      (figures) => ({ ok: true, why: '', ...figures }),
      (error: unknown) => ({ ok: false, why: messageOf(error), startMs: 0, memoryBytes: 0 }),
    );
    this.#last = { siteHash: current.hash, at: this.#clock.now(), ...came };
    this.#dueMs = this.#clock.monotonicMs() + (came.ok ? everyMs : againAfterMs);
    if (came.ok !== (before?.ok ?? true))
      this.#record({ kind: 'coldStart', siteHash: current.hash, ok: came.ok, why: came.why });
    return this.#last;
  }

  async #start(): Promise<Pick<ColdProofView, 'startMs' | 'memoryBytes'>> {
    const site = siteOf(this.#kept.good.current);
    const where = { folder: this.#fleet.scratch(), servers: null };
    return await inSandbox(this.#fleet, this.#kept.runner, site, where, async (sandbox, startMs) => {
      const { entrance, control } = sandbox;
      const fault = await faultOf({ entrance, site, clock: this.#clock }, control, 'new');
      if (fault) throw new Error(`it started and does not serve: ${fault}`);
      return { startMs: Math.round(startMs), memoryBytes: sandbox.memoryBytes() };
    });
  }
}

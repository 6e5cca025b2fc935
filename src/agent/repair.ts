import { messageOf } from '#base';
import type { GuardRecord } from '#events';
import { activeOf, type Fleet } from './fleet.ts';
import type { HeldGeneration, HolderStatus } from './holder/protocol.ts';
import type { Kept } from './kept.ts';
import { answers, anyServerAnswers } from './proof.ts';

const standbyRetryMs = 5_000;
/** A text that dies again within this time after it was restored stays down; the one before goes on. */
const restoreAgainMs = 60_000;

export interface RepairParts {
  readonly fleet: Fleet;
  readonly kept: Kept;
  readonly record: (what: GuardRecord['what']) => void;
}

/** Brings what runs to what should run: one active generation of the last good text, one parked beside it. */
export class Repair {
  readonly #parts: RepairParts;
  #launchingStandby = false;
  #standbyRetryAt = 0;
  #restoredAt = Number.NEGATIVE_INFINITY;
  #replacing = false;

  constructor(parts: RepairParts) {
    this.#parts = parts;
  }

  /** Serves what was last good, from nothing: first start, boot, or when every engine has died. */
  async coldStart(): Promise<number> {
    const { fleet } = this.#parts;
    const launched = await this.#launchGood('standby');
    await fleet.activate(launched);
    fleet.options.log.info('serving', { generation: launched.generation });
    return launched.generation;
  }

  #launchGood(role: 'standby' | 'candidate') {
    const { fleet, kept } = this.#parts;
    return fleet.launch({ text: kept.good.current, site: kept.site, role, change: null });
  }

  /** No engine is left: the third rung. */
  async restart(): Promise<void> {
    const { clock } = this.#parts.fleet.options;
    const began = clock.monotonicMs();
    const generation = await this.coldStart();
    this.#recordRestored(generation, Math.round(clock.monotonicMs() - began));
  }

  #recordRestored(generation: number, tookMs: number): void {
    this.#parts.record({ kind: 'restored', generation, how: 'a cold start of the last good text', tookMs });
  }

  /** Whoever is active was told to accept. When it does not answer, it is replaced at once. */
  async requireAnswer(active: HeldGeneration): Promise<void> {
    if (!(await answers(this.#parts.fleet.control(active)))) await this.replaceHung(active);
  }

  /**
   * The active engine lives and says nothing. With proof that it is at fault, and not the machine or the servers, the
   * standby takes over; where there is none that answers, a cold start (rung 3). The hung one is killed (rung 2).
   */
  async replaceHung(hung: HeldGeneration): Promise<void> {
    if (this.#replacing) return;
    this.#replacing = true;
    const { fleet, kept, record } = this.#parts;
    const { log, clock } = fleet.options;
    try {
      if (await answers(fleet.control(hung))) return;
      if (!(await anyServerAnswers(kept.site, clock))) {
        log.error('the active engine is silent, and so is every server: left alone', { ...hung });
        return;
      }
      const began = clock.monotonicMs();
      const { generations } = await fleet.status();
      const standby = generations.find((g) => g.role === 'standby');
      const ready = standby && (await answers(fleet.control(standby))) ? standby : null;
      const next = ready ?? (await this.#launchGood('standby'));
      await fleet.holder.call('takeBack', { from: hung.generation, to: next.generation }, 2_000);
      const tookOverMs = Math.round(clock.monotonicMs() - began);
      const how = 'hung: it did not answer, and was killed';
      const { generation, role } = hung;
      record({ kind: 'engineDied', generation, role, how, takenOverBy: next.generation, tookOverMs });
      if (!ready) this.#recordRestored(next.generation, tookOverMs);
    } finally {
      this.#replacing = false;
    }
  }

  /** While no change is under way. */
  async settle(status: HolderStatus): Promise<void> {
    const { fleet } = this.#parts;
    // Left by a take-back that the holder did not see.
    for (const left of status.generations.filter((g) => g.role === 'candidate'))
      await fleet.retire(left.generation);
    await this.#restore(activeOf(status));
    this.#ensureStandby(status);
  }

  /** After an engine's death an older text may serve: bring the last good one back, once. */
  async #restore(active: HeldGeneration): Promise<void> {
    const { fleet, kept } = this.#parts;
    const now = fleet.options.clock.monotonicMs();
    if (active.siteHash === kept.good.current.hash || now - this.#restoredAt < restoreAgainMs) return;
    this.#restoredAt = now;
    const launched = await this.#launchGood('candidate');
    fleet.link(launched.generation, active.generation);
    await fleet.activate(launched);
  }

  #ensureStandby(status: HolderStatus): void {
    const { fleet } = this.#parts;
    const { clock, log } = fleet.options;
    const standbys = status.generations.filter((g) => g.role === 'standby');
    for (const spare of standbys.slice(0, -1)) void fleet.retire(spare.generation);
    if (standbys.length > 0 || this.#launchingStandby || clock.monotonicMs() < this.#standbyRetryAt) return;
    this.#launchingStandby = true;
    const { generation } = activeOf(status);
    this.#launchGood('standby')
      .then((launched) => fleet.link(generation, launched.generation))
      .catch((error) => {
        this.#standbyRetryAt = clock.monotonicMs() + standbyRetryMs;
        log.error('no standby', { error: messageOf(error) });
      })
      .finally(() => {
        this.#launchingStandby = false;
      });
  }
}

import { messageOf } from '#base';
import type { Evidence } from '#engines';
import type { GuardRecord } from '#events';
import type { EngineName } from '#model';
import { faultOf, look } from './at-fault.ts';
import { type BackOff, backOff } from './back-off.ts';
import { ColdStart, type Served } from './cold-start.ts';
import { activeOf, type Fleet, type Launched, type Running } from './fleet.ts';
import type { Death, HeldGeneration, HolderStatus } from './holder/protocol.ts';
import type { Kept } from './kept.ts';
import { waitedMs } from './out-of-breath.ts';
import { answers, anyServerAnswers } from './proof.ts';

/** A text that dies again within this time after it was restored stays down; the one before goes on. */
const restoreAgainMs = 60_000;
/** What was started cold and leaves nobody serving within this time has not brought the site back. */
const provenMs = 10_000;
/** Active generations of one engine that die one after the other within `provenMs`. */
const deathsMax = 3;
/** For the answer to one request, of an engine whose controls have been silent for long. */
const lastAnswerMs = 500;

export interface RepairParts {
  readonly fleet: Fleet;
  readonly kept: Kept;
  readonly record: (what: GuardRecord['what']) => void;
}

/** Brings what runs to what should run: one active generation of the last good text, one parked beside it. */
export class Repair {
  readonly #parts: RepairParts;
  readonly #coldStart: ColdStart;
  readonly #standbyBackOff: BackOff;
  readonly #restartBackOff: BackOff;
  readonly #replaceBackOff: BackOff;
  #deaths: { readonly atMs: number; readonly how: string }[] = [];
  #launchingStandby = false;
  #restartedMs = Number.NEGATIVE_INFINITY;
  #restoredAt = Number.NEGATIVE_INFINITY;
  #replacing = false;
  #heard: { readonly generation: number; readonly evidence: Evidence } | null = null;

  constructor(parts: RepairParts) {
    this.#parts = parts;
    this.#coldStart = new ColdStart(parts.fleet, parts.kept);
    this.#standbyBackOff = backOff(this.#clock, { firstMs: 1_000, mostMs: 60_000 });
    this.#restartBackOff = backOff(this.#clock, { firstMs: 250, mostMs: 5_000 });
    this.#replaceBackOff = backOff(this.#clock, { firstMs: 1_000, mostMs: 60_000 });
  }

  get #clock() {
    return this.#parts.fleet.options.clock;
  }

  /** Serves what was last good, from nothing: first start, or boot. @throws Failure when no engine does. */
  async coldStart(): Promise<void> {
    const { fleet } = this.#parts;
    const served = await this.#serve((next) => fleet.activate(next), null);
    const { generation, engine } = served.launched;
    fleet.options.log.info('serving', { generation, engine });
  }

  /** Rung 3, and 4 where that fails. */
  async #serve(activate: (next: Launched) => Promise<unknown>, givenUp: string | null): Promise<Served> {
    const served = await this.#coldStart.serve(activate, givenUp);
    if (served.instead) await this.#keepCarried(served.launched, served.instead);
    return served;
  }

  async #keepCarried(
    { generation, engine: by }: Running,
    { of, because, failedAtMs }: NonNullable<Served['instead']>,
  ): Promise<void> {
    const { fleet, kept, record } = this.#parts;
    const tookMs = Math.round(this.#clock.monotonicMs() - failedAtMs);
    this.#deaths = [];
    await fleet.discardStandbys((engine) => engine !== by);
    const instead = kept.own;
    const carried = by === instead ? null : { by, instead, since: this.#clock.now(), because };
    kept.keep({ ...kept.good, carried });
    record({ kind: 'carried', generation, by, instead: of, because, tookMs });
  }

  /** The one that had been started for the case took over before it was asked to. */
  async #tookOverAlready(active: HeldGeneration): Promise<void> {
    const of = this.#runnerName();
    const because = `${of} ended (${this.#deaths.at(-1)?.how ?? 'gone'}), and ${active.engine} stood by`;
    await this.#keepCarried(active, { of, because, failedAtMs: this.#clock.monotonicMs() });
  }

  #launchGood(role: 'standby' | 'candidate') {
    const { fleet, kept } = this.#parts;
    return fleet.launch({ text: kept.good.current, site: kept.site, role, change: null, by: kept.runner });
  }

  /** No engine is left: the third rung; the fourth when the last cold start has just come to the same end. */
  async restart(): Promise<void> {
    if (!this.#restartBackOff.due) return;
    const { fleet } = this.#parts;
    const began = this.#clock.monotonicMs();
    const again = began - this.#restartedMs < provenMs ? this.#diedAgain() : null;
    this.#restartedMs = began;
    try {
      const { launched, instead } = await this.#serve((next) => fleet.activate(next), again);
      if (!instead) this.#recordRestored(launched.generation, Math.round(this.#clock.monotonicMs() - began));
    } catch (error) {
      this.#restartBackOff.failed();
      throw error;
    }
  }

  #diedAgain(): string {
    const how = this.#deaths.at(-1)?.how ?? 'it was gone';
    return `${this.#runnerName()} was started cold and ended again (${how})`;
  }

  #runnerName(): EngineName {
    const { carried } = this.#parts.kept.good;
    return carried?.by ?? this.#parts.kept.own;
  }

  #recordRestored(generation: number, tookMs: number): void {
    this.#parts.record({ kind: 'restored', generation, how: 'a cold start of the last good text', tookMs });
  }

  /** An engine ended by itself. */
  died({ role, how }: Death): void {
    const atMs = this.#clock.monotonicMs();
    if (role === 'standby') this.#standbyBackOff.failed();
    if (role === 'active')
      this.#deaths = [...this.#deaths.filter((d) => atMs - d.atMs < provenMs), { atMs, how }];
  }

  /** The engine dies again and again, each time with another generation to take over: nothing is gained by one more. */
  async #endDying(active: HeldGeneration): Promise<boolean> {
    if (this.#deaths.length < deathsMax) return false;
    const { fleet, kept } = this.#parts;
    const how = this.#deaths.at(-1)?.how ?? '';
    const because = `${active.engine} died ${this.#deaths.length} times within ${provenMs / 1_000} s (${how})`;
    this.#deaths = [];
    if (!(await anyServerAnswers(kept.site, this.#clock))) return false;
    await this.#serve((next) => this.#takeOver(active, next), because).catch((error) =>
      fleet.options.log.error('no other engine carries the site', { error: messageOf(error) }),
    );
    return true;
  }

  #takeOver({ generation: from }: HeldGeneration, { generation: to }: { generation: number }) {
    const { fleet, kept } = this.#parts;
    const drainMs = kept.site.guard.drainTimeoutMs;
    return fleet.holder.call('takeBack', { from, to, drainMs }, 2_000);
  }

  /** Whoever is active was told to accept. When neither its controls nor requests get an answer, it is replaced at once. */
  async requireAnswer(active: HeldGeneration): Promise<void> {
    if (await this.#hangs(active)) await this.#replace(active, 'hung: it did not answer, and was killed');
  }

  async #hangs(one: HeldGeneration): Promise<boolean> {
    if (await this.#answers(one)) return false;
    const { fleet, kept } = this.#parts;
    const seen = await look({ ...fleet.suspect(one, kept.site), throughMs: lastAnswerMs });
    const { log } = fleet.options;
    if (seen.kind === 'serves') {
      log.error('the controls of an engine are silent; it serves, and is left alone', { ...one });
      return false;
    }
    // What cannot be asked by a request, a stream or a team's own text, is judged by its servers' health.
    if (seen.kind === 'not known' && !(await anyServerAnswers(kept.site, this.#clock))) {
      log.error('an engine is silent, and so is every server: left alone', { ...one });
      return false;
    }
    return true;
  }

  /**
   * The active engine lives and does not serve, by proof that it is at fault, and not the machine or the servers. The
   * standby takes over; where there is none that serves, a cold start (rung 3), or another engine (rung 4). The bad one
   * is drained, or killed where it does not park (rung 2).
   */
  async #replace(bad: HeldGeneration, how: string): Promise<void> {
    if (this.#replacing || !this.#replaceBackOff.due) return;
    this.#replacing = true;
    const { record } = this.#parts;
    try {
      const began = this.#clock.monotonicMs();
      // A take-back, or another look, may have been quicker.
      if ((await this.#parts.fleet.status()).active !== bad.generation) return;
      const ready = await this.#readyStandby();
      // A promotion may have been quicker: then it is the promoted one that took over.
      const taken = ready ? await this.#takeOver(bad, ready) : null;
      const served = ready ? null : await this.#serve((next) => this.#takeOver(bad, next), null);
      const takenOverBy = taken?.to ?? served?.launched.generation ?? null;
      const tookOverMs = Math.round(this.#clock.monotonicMs() - began);
      const { generation, role } = bad;
      record({ kind: 'engineDied', generation, role, how, takenOverBy, tookOverMs });
      if (served && !served.instead) this.#recordRestored(served.launched.generation, tookOverMs);
    } catch (error) {
      this.#replaceBackOff.failed();
      throw error;
    } finally {
      this.#replacing = false;
    }
  }

  async #readyStandby(): Promise<HeldGeneration | null> {
    const { fleet } = this.#parts;
    const { generations } = await fleet.status();
    const standby = generations.find((g) => g.role === 'standby');
    if (!standby || !(await this.#answers(standby))) return null;
    return (await this.#faultOf(standby, 'new')) === null ? standby : null;
  }

  #answers(one: HeldGeneration): Promise<boolean> {
    const waited = () => waitedMs(one.pid) + waitedMs(process.pid);
    return answers(this.#parts.fleet.control(one), this.#clock, waited);
  }

  #faultOf(one: Running, which: 'serves' | 'new'): Promise<string | null> {
    const { fleet, kept } = this.#parts;
    return faultOf(fleet.suspect(one, kept.site), fleet.control(one), which);
  }

  /**
   * An engine whose controls answer may still be deaf to requests, or answer each of them badly. Asked now and then: while
   * connections are open and no request has ended since the last time, or none has ended well.
   */
  async listen(active: HeldGeneration, evidence: Evidence): Promise<void> {
    const before = this.#heard;
    this.#heard = { generation: active.generation, evidence };
    if (before?.generation !== active.generation || active.siteHash !== this.#parts.kept.good.current.hash)
      return;
    const suspicion = suspicionOf(evidence, before.evidence);
    const fault = suspicion && (await this.#faultOf(active, 'serves'));
    if (fault) await this.#replace(active, `${suspicion}: ${fault}`);
  }

  /** While no change is under way. */
  async settle(status: HolderStatus): Promise<void> {
    const { fleet } = this.#parts;
    // Left by a take-back that the holder did not see.
    const active = activeOf(status);
    for (const left of status.generations.filter((g) => isLeft(g, active)))
      await fleet.retire(left.generation);
    if (active.engine !== this.#runnerName()) await this.#tookOverAlready(active);
    if (await this.#endDying(active)) return;
    await this.#restore(active);
    this.#ensureStandby(status);
  }

  /** After an engine's death an older text may serve: bring the last good one back, once. */
  async #restore(active: HeldGeneration): Promise<void> {
    const { fleet, kept } = this.#parts;
    const now = this.#clock.monotonicMs();
    if (active.siteHash === kept.good.current.hash || now - this.#restoredAt < restoreAgainMs) return;
    this.#restoredAt = now;
    const launched = await this.#launchGood('candidate');
    fleet.link(launched.generation, active.generation);
    await fleet.activate(launched);
  }

  #ensureStandby(status: HolderStatus): void {
    const { fleet } = this.#parts;
    const standbys = status.generations.filter((g) => g.role === 'standby');
    for (const spare of standbys.slice(0, -1)) void fleet.retire(spare.generation);
    if (standbys.length > 0 || this.#launchingStandby || !this.#standbyBackOff.due) return;
    this.#launchingStandby = true;
    const { generation } = activeOf(status);
    this.#startStandby(generation)
      .catch((error) => {
        this.#standbyBackOff.failed();
        fleet.options.log.error('no standby', { error: messageOf(error) });
      })
      .finally(() => {
        this.#launchingStandby = false;
      });
  }

  /** Whom a take-back passed over, since it did not follow: a way back that hangs is none, and whoever is in its hands waits in vain. */
  async endPassedOver(standby: HeldGeneration): Promise<void> {
    const { holder, options } = this.#parts.fleet;
    if (!(await this.#hangs(standby))) return;
    // It may have taken over meanwhile: then it is not ended.
    await holder.call('retire', { generation: standby.generation, withinMs: 0 });
    options.log.error('the standby hung, and was ended', { generation: standby.generation });
  }

  async #startStandby(active: number): Promise<void> {
    const launched = await this.#launchGood('standby');
    this.#parts.fleet.link(active, launched.generation);
  }
}

/** A second active one accepts beside the one that is meant to. */
function isLeft({ role, generation }: HeldGeneration, active: HeldGeneration): boolean {
  return role === 'candidate' || (role === 'active' && generation !== active.generation);
}

/** Errors of clients count too: an engine that answers everybody 404 serves nobody. */
function suspicionOf(now: Evidence, before: Evidence): string | null {
  const ended = now.requests - before.requests;
  const bad = now.errors + now.clientErrors - before.errors - before.clientErrors;
  if (ended === 0) return now.connections > 0 ? 'deaf' : null;
  return bad >= ended ? 'at fault' : null;
}

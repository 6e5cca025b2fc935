import { join } from 'node:path';
import { assert, Failure, messageOf } from '#base';
import type { SiteText } from '#contract';
import type { GuardRecord, TakeBack } from '#events';
import { boundHost, type Site } from '#model';
import { personsTakeBack } from './evidence.ts';
import { Fleet, type FleetOptions, type Launched } from './fleet.ts';
import { Flight } from './flight.ts';
import { prepareFolder } from './folders.ts';
import { type Good, loadGood, saveGood, siteOf } from './good.ts';
import { openAlarms, openRecords, type Records } from './guard/records.ts';
import { type SteadyWatch, watchSteady } from './guard/steady.ts';
import { tickMs } from './guard/watch.ts';
import type { Death, HeldGeneration, HolderStatus } from './holder/protocol.ts';
import { answers, anyServerAnswers } from './proof.ts';
import { clearSandboxes } from './sandbox.ts';

const reconcileEveryTicks = 5;
const standbyRetryMs = 5_000;
/** A text that dies again within this time after it was restored stays down; the one before goes on. */
const restoreAgainMs = 60_000;
const evidenceMsMax = 80;
/** For what is not urgent. */
const calmMs = 500;
/** A second: longer than any stall of a machine that still works. */
const silentTicksMax = 10;

/**
 * What one balancer serves: one active generation of the last good text, one parked to go back to, at times one
 * candidate. Ten times a second it looks, and puts right what is not so; it needs nobody for that.
 */
export class Serving {
  readonly fleet: Fleet;
  readonly records: Records;
  readonly #steady: SteadyWatch;
  readonly #seen = new Map<number, { requests: number; errors: number }>();
  #known: { good: Good; site: Site } | null = null;
  #active: HeldGeneration | null = null;
  #flight: Flight | null = null;
  #lastTakenBack: Flight | null = null;
  #lastDeath = 0;
  #launchingStandby = false;
  #launchingCandidate = false;
  #standbyRetryAt = 0;
  #restoredAt = Number.NEGATIVE_INFINITY;
  #ticks = 0;
  #silentTicks = 0;
  #replacing = false;
  #ticking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FleetOptions) {
    this.fleet = new Fleet(options);
    const { state, balancer, clock, log } = options;
    this.records = openRecords({ file: join(state, 'guard.jsonl'), balancer: balancer.name, clock, log });
    this.#steady = watchSteady(openAlarms(this.records.after(0)));
  }

  get good(): Good {
    assert(this.#known, 'the agent has begun');
    return this.#known.good;
  }

  get site(): Site {
    assert(this.#known, 'the agent has begun');
    return this.#known.site;
  }

  get flight(): Flight | null {
    return this.#flight;
  }

  get addresses(): readonly string[] {
    const { balancer } = this.fleet.options;
    return this.site.listeners.map(
      (l) => `${l.tls ? 'https' : 'http'}://${boundHost(l, balancer)}:${l.port}`,
    );
  }

  /** What was last read of a generation's counters. */
  seen(generation: number): { requests: number; errors: number } {
    return this.#seen.get(generation) ?? { requests: 0, errors: 0 };
  }

  /** Takes up what runs, or starts it; from then on keeps it running. `first`: for when nothing was proven good yet. */
  async begin(first: SiteText): Promise<void> {
    const kept = loadGood(this.fleet.options.state);
    if (kept) this.#known = { good: kept, site: siteOf(kept.current) };
    else this.#keep({ current: first, previous: null, change: null });
    clearSandboxes(this.fleet.options.run);
    await this.fleet.ensureHolder();
    const status = await this.fleet.status();
    this.#lastDeath = Math.max(0, ...status.deaths.map((d) => d.number));
    await this.#takeUp(status);
    if (status.active === null) await this.#coldStart();
    await this.#reconcile();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#endFlight();
  }

  /** Starts the text beside what runs, parked, and watches it from its first exposure. */
  async startCandidate(text: SiteText, site: Site, change: string): Promise<Launched> {
    if (this.#flight || this.#launchingCandidate) {
      const { name } = this.fleet.options.balancer;
      throw new Failure(
        'HF108',
        `${name} already has a candidate, of ${this.#flight?.options.change ?? 'a change that just began'}`,
      );
    }
    this.#launchingCandidate = true;
    try {
      const incumbent = activeOf(await this.fleet.status());
      const launched = await this.fleet.launch(text, site, 'candidate', change);
      this.fleet.link(launched.generation, incumbent.generation);
      this.#flight = this.#newFlight({ incumbent, launched, change, text, site });
      return launched;
    } finally {
      this.#launchingCandidate = false;
    }
  }

  #newFlight(of: {
    incumbent: HeldGeneration;
    launched: Launched;
    change: string;
    text: SiteText;
    site: Site;
  }): Flight {
    return new Flight({
      ...of,
      fleet: this.fleet,
      incumbent: { generation: of.incumbent.generation, control: this.fleet.control(of.incumbent) },
      liveServersShareMin: this.site.guard.limits.liveServersShareMin,
      history: this.#steady.history,
      record: (what) => this.#record(what),
    });
  }

  /** The flight of a change, in the air or just taken back; null when there is none that this process knows. */
  flightOf(change: string): Flight | null {
    return [this.#flight, this.#lastTakenBack].find((f) => f?.options.change === change) ?? null;
  }

  /** The candidate is what is good from now on. On disk first: a reboot in between comes up with it, as approved. */
  async promote(change: string): Promise<void> {
    if (this.good.change === change) return;
    const flight = this.#flight?.options.change === change ? this.#flight : null;
    if (!flight) throw new Failure('HF404', `there is no candidate of ${change}`);
    const before = await this.fleet.status();
    const incumbent = activeOf(before);
    const { launched, text } = flight.options;
    const wayBack = await this.#freshWayBack();
    this.#keep({ current: text, previous: this.good.current, change });
    flight.end();
    if (wayBack) await this.#handOver(incumbent, launched, wayBack);
    else {
      await this.#activate(launched);
      this.fleet.link(incumbent.generation, null);
    }
    this.#flight = null;
    for (const old of before.generations.filter((g) => g.role === 'standby'))
      await this.fleet.retire(old.generation);
  }

  /** The text before, as a parked process of its own: the one that ran it has users' connections, and is to end. */
  async #freshWayBack(): Promise<Launched | null> {
    try {
      return await this.fleet.launch(this.good.current, this.site, 'standby', null);
    } catch (error) {
      const { log } = this.fleet.options;
      log.warn('no fresh way back; what was active stays, with its open connections', {
        error: messageOf(error),
      });
      return null;
    }
  }

  /** Everybody moves, kept-alive connections too: what was active leads its requests to the new one, and is drained. */
  async #handOver(from: HeldGeneration, to: Launched, wayBack: Launched): Promise<void> {
    this.fleet.link(to.generation, wayBack.generation);
    this.fleet.link(from.generation, to.generation);
    await this.#withoutNet(to);
    await to.control.takeBack(false, calmMs);
    await this.fleet.holder.call('takeBack', { from: from.generation, to: to.generation }, 3_000);
  }

  /** Takes the candidate back, or after promotion goes to the generation before. Null when `change` is neither. */
  async rollback(reason: string, change: string | null): Promise<TakeBack | null> {
    if (this.#flight && (change === null || this.#flight.options.change === change)) {
      const done = await this.#flight.takeBack('person', reason);
      await this.#landed();
      return done;
    }
    const { previous, change: promoted } = this.good;
    if (this.#flight || !previous || (change !== null && promoted !== change)) return null;
    return await this.#goBack(previous, promoted, reason);
  }

  /** Parked and alive, it takes milliseconds; when it is gone, its text is started cold. */
  async #goBack(previous: SiteText, change: string | null, reason: string): Promise<TakeBack> {
    const status = await this.fleet.status();
    const { generation: from } = activeOf(status);
    const parked = status.generations.find((g) => g.role === 'standby' && g.siteHash === previous.hash);
    const { generation: to } =
      parked ?? (await this.fleet.launch(previous, siteOf(previous), 'standby', null));
    this.fleet.link(from, to);
    const done = await this.fleet.holder.call('takeBack', { from, to }, 3_000);
    this.#keep({ current: previous, previous: null, change: null });
    const takeBack = personsTakeBack({ change, from, to, reason, ...done, rung: parked ? done.rung : 3 });
    this.#record({ kind: 'tookBack', takeBack });
    return takeBack;
  }

  #record(what: GuardRecord['what']): void {
    this.records.add(what);
  }

  #keep(good: Good): void {
    const { balancer, engine, state, log } = this.fleet.options;
    saveGood(state, good);
    const site = siteOf(good.current);
    this.#known = { good, site };
    try {
      const folder = join(state, 'last-good');
      const boot = {
        identity: null,
        generation: 0,
        threads: 1,
        ticketKeys: null,
        purpose: 'boot',
        servers: null,
      } as const;
      prepareFolder({ site, balancer, engine, folder, ...boot });
    } catch (error) {
      log.error('what the next boot would use could not be written', { error: messageOf(error) });
    }
  }

  async #activate(next: { generation: number; pid: number }): Promise<void> {
    await this.fleet.holder.call('activate', { generation: next.generation }, 3_000);
    await this.#withoutNet(next);
  }

  async #withoutNet(next: { generation: number; pid: number }): Promise<void> {
    await this.fleet
      .control(next)
      .net(false, calmMs)
      .catch((error) =>
        this.fleet.options.log.warn('the net is still in', { ...next, error: messageOf(error) }),
      );
  }

  /** Serves what was last good, from nothing: first start, boot, or when every engine has died. */
  async #coldStart(): Promise<number> {
    const launched = await this.fleet.launch(this.good.current, this.site, 'standby', null);
    await this.#activate(launched);
    this.fleet.options.log.info('serving', { generation: launched.generation, addresses: this.addresses });
    return launched.generation;
  }

  /**
   * The active engine lives and says nothing. With proof that it is at fault, and not the machine or the servers, the
   * standby takes over; where there is none that answers, a cold start (rung 3). The hung one is killed (rung 2).
   */
  async #replaceHung(hung: HeldGeneration): Promise<void> {
    this.#replacing = true;
    this.#silentTicks = 0;
    const { log, clock } = this.fleet.options;
    try {
      if (await answers(this.fleet.control(hung))) return;
      if (!(await anyServerAnswers(this.site, clock))) {
        log.error('the active engine is silent, and so is every server: left alone', { ...hung });
        return;
      }
      const began = clock.monotonicMs();
      const { generations } = await this.fleet.status();
      const standby = generations.find((g) => g.role === 'standby');
      const ready = standby && (await answers(this.fleet.control(standby))) ? standby : null;
      const next = ready ?? (await this.fleet.launch(this.good.current, this.site, 'standby', null));
      await this.fleet.holder.call('takeBack', { from: hung.generation, to: next.generation }, 2_000);
      const tookOverMs = Math.round(clock.monotonicMs() - began);
      const how = 'hung: it did not answer, and was killed';
      const { generation, role } = hung;
      this.#record({ kind: 'engineDied', generation, role, how, takenOverBy: next.generation, tookOverMs });
      if (!ready)
        this.#record({
          kind: 'restored',
          generation: next.generation,
          how: 'a cold start of the last good text',
          tookMs: tookOverMs,
        });
    } finally {
      this.#replacing = false;
    }
  }

  /** No engine is left: the third rung. */
  async #restart(): Promise<void> {
    const { clock } = this.fleet.options;
    const began = clock.monotonicMs();
    const generation = await this.#coldStart();
    const tookMs = Math.round(clock.monotonicMs() - began);
    this.#record({ kind: 'restored', generation, how: 'a cold start of the last good text', tookMs });
  }

  /** After this agent's predecessor died: a candidate that was promoted is made active, any other is taken back. */
  async #takeUp(status: HolderStatus): Promise<void> {
    for (const found of status.generations.filter((g) => g.role === 'candidate')) {
      const isPromoted = found.change === null || found.change === this.good.change;
      if (found.siteHash === this.good.current.hash && isPromoted) {
        await this.#activate(found);
      } else if (status.active !== null) {
        const [from, to] = [found.generation, status.active];
        const done = await this.fleet.holder.call('takeBack', { from, to }, 2_000);
        const reason = 'the agent ended while there was a candidate';
        const takeBack = personsTakeBack({ change: found.change, from, to, reason, ...done });
        this.#record({
          kind: 'tookBack',
          takeBack: { ...takeBack, evidence: { ...takeBack.evidence, cause: 'lease' } },
        });
      }
    }
  }

  async #tick(): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#ticks += 1;
    const { log } = this.fleet.options;
    try {
      await this.#flight?.tick();
      if (this.#flight?.takenBack) await this.#landed();
      if (this.#flight || this.#ticks % reconcileEveryTicks === 0) await this.#reconcile();
      await this.#watchActive();
    } catch (error) {
      log.warn('a tick failed', { error: messageOf(error) });
      await this.#ensureHolder().catch((e) => log.error('no holder', { error: messageOf(e) }));
    } finally {
      this.#ticking = false;
    }
  }

  /** A new holder has ended the exposure. It does not begin again by itself: a canary with a hole in it proves nothing. */
  async #ensureHolder(): Promise<void> {
    const isNew = await this.fleet.ensureHolder();
    if (!isNew || !this.#flight) return;
    await this.#flight.takeBack('lease', 'the holder ended while there was a candidate');
    await this.#landed();
  }

  async #watchActive(): Promise<void> {
    const active = this.#active;
    if (!active) return;
    const evidence = await this.fleet
      .control(active)
      .evidence(evidenceMsMax)
      .catch(() => null);
    this.#silentTicks = evidence ? 0 : this.#silentTicks + 1;
    if (this.#silentTicks >= silentTicksMax && !this.#replacing) await this.#replaceHung(active);
    if (!evidence) return;
    this.#seen.set(active.generation, { requests: evidence.requests, errors: evidence.errors });
    for (const what of this.#steady.tick(active.generation, evidence)) this.#record(what);
  }

  /** Brings what runs to what should run. */
  async #reconcile(): Promise<void> {
    const status = await this.fleet.status();
    for (const death of status.deaths.filter((d) => d.number > this.#lastDeath)) await this.#died(death);
    if (status.active === null) {
      await this.#restart();
      return;
    }
    this.#active = activeOf(status);
    this.fleet.tidy(status);
    if (this.#flight || this.#launchingCandidate) return;
    // Left by a take-back that the holder did not see.
    for (const left of status.generations.filter((g) => g.role === 'candidate'))
      await this.fleet.retire(left.generation);
    await this.#restore(this.#active);
    this.#ensureStandby(status);
  }

  async #died({ number, at, generation, role, how, takenOverBy, tookOverMs }: Death): Promise<void> {
    this.#lastDeath = number;
    this.#record({ kind: 'engineDied', generation, role, how, takenOverBy, tookOverMs, diedAt: at });
    if (!this.#flight || (role !== 'candidate' && role !== 'active')) return;
    await this.#flight.takeBack('died', `the ${role}'s engine ended (${how})`);
    await this.#landed();
  }

  /** After an engine's death an older text may serve: bring the last good one back, once. */
  async #restore(active: HeldGeneration): Promise<void> {
    const now = this.fleet.options.clock.monotonicMs();
    if (active.siteHash === this.good.current.hash || now - this.#restoredAt < restoreAgainMs) return;
    this.#restoredAt = now;
    const launched = await this.fleet.launch(this.good.current, this.site, 'candidate', null);
    this.fleet.link(launched.generation, active.generation);
    await this.#activate(launched);
  }

  #ensureStandby(status: HolderStatus): void {
    const { clock, log } = this.fleet.options;
    const standbys = status.generations.filter((g) => g.role === 'standby');
    for (const spare of standbys.slice(0, -1)) void this.fleet.retire(spare.generation);
    if (standbys.length > 0 || this.#launchingStandby || clock.monotonicMs() < this.#standbyRetryAt) return;
    this.#launchingStandby = true;
    const { generation } = activeOf(status);
    this.fleet
      .launch(this.good.current, this.site, 'standby', null)
      .then((launched) => this.fleet.link(generation, launched.generation))
      .catch((error) => {
        this.#standbyRetryAt = clock.monotonicMs() + standbyRetryMs;
        log.error('no standby', { error: messageOf(error) });
      })
      .finally(() => {
        this.#launchingStandby = false;
      });
  }

  /** After a take-back: the good one was told to accept. When it does not answer, it is replaced at once. */
  async #landed(): Promise<void> {
    this.#endFlight();
    this.#active = activeOf(await this.fleet.status());
    if (!(await answers(this.fleet.control(this.#active)))) await this.#replaceHung(this.#active);
  }

  #endFlight(): void {
    if (this.#flight?.takenBack) this.#lastTakenBack = this.#flight;
    this.#flight?.end();
    this.#flight = null;
  }
}

export function activeOf(status: HolderStatus): HeldGeneration {
  const active = status.generations.find((g) => g.generation === status.active);
  if (!active) throw new Failure('HF105', 'there is no active generation');
  return active;
}

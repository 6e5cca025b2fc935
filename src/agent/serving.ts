import { join } from 'node:path';
import { messageOf } from '#base';
import type { BalancerDrift, SiteText } from '#contract';
import type { Evidence } from '#engines';
import type { GuardRecord } from '#events';
import { boundHost, schemeOf } from '#model';
import { Changes } from './changes.ts';
import { ColdProof } from './cold-proof.ts';
import { driftOf } from './drift.ts';
import { activeOf, Fleet, type FleetOptions } from './fleet.ts';
import { openAlarms, openRecords, type Records } from './guard/records.ts';
import { Silence, silentMsMax } from './guard/silence.ts';
import { type SteadyWatch, watchSteady } from './guard/steady.ts';
import { tickMs } from './guard/watch.ts';
import type { Death, HeldGeneration } from './holder/protocol.ts';
import { hostWatch } from './host.ts';
import { Kept } from './kept.ts';
import { Refresh } from './refresh.ts';
import { Repair } from './repair.ts';
import { clearSandboxes } from './sandbox-process.ts';
import { Ticks } from './ticks.ts';

const reconcileEveryTicks = 5;
const listenEveryTicks = 20;
const rememberEveryTicks = 10;
const evidenceMsMax = 80;
/** Once, before the first look. */
const learnMsMax = 500;
/** One that took over while it still started may need longer for its first word. */
const startingMsMax = 5_000;
/** A list of a thousand servers costs the engine 7 ms: once a second, rarer with more. */
const listEveryTicks = 10;
const serversPerList = 1_000;
const hostEveryTicks = 10;

/**
 * What one balancer serves: one active generation of the last good text, one parked to go back to, at times one
 * candidate. Ten times a second it looks, and puts right what is not so; it needs nobody for that.
 */
export class Serving {
  readonly fleet: Fleet;
  readonly kept: Kept;
  readonly changes: Changes;
  readonly records: Records;
  readonly coldProof: ColdProof;
  readonly ticks: Ticks;
  readonly #repair: Repair;
  readonly #steady: SteadyWatch;
  readonly #refresh: Refresh;
  readonly #host: ReturnType<typeof hostWatch>;
  readonly #seen = new Map<number, { requests: number; errors: number }>();
  #active: HeldGeneration | null = null;
  #lastDeath = 0;
  #ticks = 0;
  readonly #silence: Silence;
  #ticking = false;
  #listening = false;
  #over = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FleetOptions) {
    const { state, balancer, clock, log } = options;
    this.fleet = new Fleet(options);
    this.kept = new Kept(this.fleet);
    this.records = openRecords({ file: join(state, 'guard.jsonl'), balancer: balancer.name, clock, log });
    this.#silence = new Silence(clock);
    this.ticks = new Ticks(balancer.name, clock.now());
    this.#host = hostWatch(state);
    this.#steady = watchSteady(openAlarms(this.records.after(0)));
    const record = (what: GuardRecord['what']) => void this.records.add(what);
    const parts = { fleet: this.fleet, kept: this.kept, record };
    this.#repair = new Repair(parts);
    this.coldProof = new ColdProof(parts);
    const { history, isAlarmed } = this.#steady;
    this.changes = new Changes({ ...parts, history, isAlarmed, landed: (meant) => this.#landed(meant) });
    this.#refresh = new Refresh({ ...parts, changes: this.changes });
  }

  get addresses(): readonly string[] {
    const { balancer } = this.fleet.options;
    return this.kept.site.listeners.map((l) => `${schemeOf(l)}://${boundHost(l, balancer)}:${l.port}`);
  }

  /** What was last read of a generation's counters. */
  seen(generation: number): { requests: number; errors: number } {
    return this.#seen.get(generation) ?? { requests: 0, errors: 0 };
  }

  /** Takes up what runs, or starts it; from then on keeps it running. `first`: for when nothing was proven good yet. */
  async begin(first: SiteText): Promise<void> {
    this.kept.begin(first);
    clearSandboxes(this.fleet.options.run);
    await this.fleet.ensureHolder();
    const status = await this.fleet.status();
    this.#lastDeath = Math.max(0, ...status.deaths.map((d) => d.number));
    await this.changes.takeUp(status);
    if (status.active === null) await this.#repair.coldStart();
    await this.changes.takeUpInPlace();
    await this.#learn();
    await this.#reconcile();
    this.#timer = setInterval(() => this.#tick(), tickMs);
  }

  /** What the agent before this one knew of servers that are down: the next generation may be started at once. */
  async #learn(): Promise<void> {
    try {
      const active = activeOf(await this.fleet.status());
      const evidence = await this.fleet.control(active).evidence(learnMsMax);
      await this.#remember(active, evidence, learnMsMax);
    } catch (error) {
      this.fleet.options.log.warn('begins without what is known of servers', { error: messageOf(error) });
    }
  }

  /** Nothing is found in the middle of a change, which tells engines otherwise itself. */
  async drift(mend: 'adopt' | 'revert' | undefined): Promise<BalancerDrift> {
    if (this.changes.busy) return { found: [], mended: [] };
    const { fleet, kept } = this;
    return await driftOf({ fleet, kept, record: (what) => void this.records.add(what) }, mend);
  }

  end(): void {
    this.#over = true;
    clearInterval(this.#timer);
    this.changes.end();
  }

  async #tick(): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    this.#ticks += 1;
    const { log } = this.fleet.options;
    try {
      await this.changes.tick();
      const isDue = this.#ticks % reconcileEveryTicks === 0 || this.#silence.isBegun;
      if (this.changes.flight || isDue) await this.#reconcile();
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
    // One that was told to end is not started anew by a look that was under way.
    if (this.#over) return;
    const isNew = await this.fleet.ensureHolder();
    if (isNew) await this.changes.takeBack('lease', 'the holder ended while there was a candidate');
  }

  async #watchActive(): Promise<void> {
    const active = this.#active;
    if (!active) return;
    const evidence = await this.fleet
      .control(active)
      .evidence(evidenceMsMax)
      .catch(() => null);
    const mostMs = this.#seen.has(active.generation) ? silentMsMax : startingMsMax;
    if (this.#silence.looked(evidence !== null, mostMs)) await this.#repair.requireAnswer(active);
    await this.#tell(active, evidence);
    if (!evidence) return;
    if (this.#ticks % rememberEveryTicks === 0) await this.#remember(active, evidence);
    if (this.#ticks % listenEveryTicks === 0 && !this.changes.busy) void this.#listen(active, evidence);
    this.#seen.set(active.generation, { requests: evidence.requests, errors: evidence.errors });
    for (const what of this.#steady.tick(active.generation, evidence)) this.records.add(what);
  }

  /** For whoever watches the site as a whole. */
  async #tell(active: HeldGeneration, evidence: Evidence | null): Promise<void> {
    const { clock } = this.fleet.options;
    const servers = this.kept.site.pools.reduce((sum, pool) => sum + pool.servers.length, 0);
    const every = listEveryTicks * Math.max(1, Math.ceil(servers / serversPerList));
    const isListed = evidence !== null && this.#ticks % every === 0;
    const listed = isListed
      ? await this.fleet
          .control(active)
          .servers(evidenceMsMax)
          .catch(() => null)
      : null;
    const host = this.#ticks % hostEveryTicks === 0 ? this.#host.look(active.pid, clock.monotonicMs()) : null;
    this.ticks.add(Math.round(clock.now()), {
      generation: active.generation,
      evidence,
      servers: listed,
      host,
    });
  }

  /** Dearer than counters, so only while some server is down. */
  async #remember(active: HeldGeneration, { pools }: Evidence, withinMs = evidenceMsMax): Promise<void> {
    if (active.siteHash !== this.kept.good.current.hash) return;
    const isAnyDown = pools.some((pool) => pool.serversLive < pool.serversAll);
    const servers = isAnyDown ? await this.fleet.control(active).servers(withinMs) : [];
    this.fleet.known.remember(this.kept.site, servers);
  }

  async #listen(active: HeldGeneration, evidence: Evidence): Promise<void> {
    if (this.#listening) return;
    this.#listening = true;
    const { log } = this.fleet.options;
    await this.#repair
      .listen(active, evidence)
      .catch((error) => log.error('a deaf engine could not be replaced', { error: messageOf(error) }));
    this.#listening = false;
  }

  /** Brings what runs to what should run. */
  async #reconcile(): Promise<void> {
    const status = await this.fleet.status();
    for (const death of status.deaths.filter((d) => d.number > this.#lastDeath)) await this.#died(death);
    if (status.active === null) {
      await this.#repair.restart();
      return;
    }
    this.#active = activeOf(status);
    this.fleet.tidy(status);
    if (!this.changes.busy) await this.#repair.settle(status);
    if (!this.changes.busy) this.coldProof.tick();
    void this.#refresh.look(status);
  }

  async #died(death: Death): Promise<void> {
    const { number, at, generation, role, how, takenOverBy, tookOverMs } = death;
    this.#lastDeath = number;
    this.#repair.died(death);
    this.records.add({ kind: 'engineDied', generation, role, how, takenOverBy, tookOverMs, diedAt: at });
    if (role === 'candidate' || role === 'active')
      await this.changes.takeBack('died', `the ${role}'s engine ended (${how})`);
  }

  async #landed(meant: number | null): Promise<void> {
    const status = await this.fleet.status();
    this.#active = activeOf(status);
    const passedOver = status.generations.find((g) => g.generation === meant && g.role === 'standby');
    if (passedOver)
      void this.#repair
        .endPassedOver(passedOver)
        .catch((e) => this.fleet.options.log.error('a hung standby is left', { error: messageOf(e) }));
    await this.#repair.requireAnswer(this.#active);
  }
}

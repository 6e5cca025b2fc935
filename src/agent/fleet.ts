import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Clock, Failure, type Files, type Log, messageOf } from '#base';
import type { SiteText } from '#contract';
import { unsupportedBy } from '#dialects';
import {
  type Command,
  type EngineControl,
  engines,
  type Installed,
  identityOf,
  pickEngine,
  type ServerEvidence,
} from '#engines';
import { type Balancer, type EngineName, engineNames, type Site } from '#model';
import { KeptCommands } from './admin/kept.ts';
import { faultOf, type Suspect } from './at-fault.ts';
import { Certificates } from './certificates.ts';
import { ensureHolder } from './ensure-holder.ts';
import { type GenerationFolder, prepareFolder } from './folders.ts';
import { linkNeighbour } from './holder/neighbour.ts';
import {
  type HeldGeneration,
  type HolderClient,
  type HolderStatus,
  holderClient,
  type Role,
} from './holder/protocol.ts';
import { loadState } from './holder/state.ts';
import { Known } from './known.ts';
import { untilLearned, untilParked, untilReady, untilWarm } from './launch.ts';
import { joinPeers } from './peers.ts';
import { TicketKeys } from './ticket-keys.ts';

export interface FleetOptions {
  readonly balancer: Balancer;
  /** The engines that are here, as they were last looked for. */
  readonly installed: () => readonly Installed[];
  /** Looks for them anew. */
  readonly lookAround: () => Promise<void>;
  /** The balancer's own folders. */
  readonly run: string;
  readonly state: string;
  /** The site's: what its balancers share. */
  readonly shared: string;
  readonly holderCommand: Command;
  readonly clock: Clock;
  readonly files: Files;
  readonly log: Log;
}

/** Enough to speak to a generation: it has its own engine, whatever the balancer's. */
export interface Running {
  readonly generation: number;
  readonly pid: number;
  readonly engine: EngineName;
}

export interface LaunchPlan {
  readonly text: SiteText;
  readonly site: Site;
  readonly role: Role;
  readonly change: string | null;
  /** What runs it; absent: the engine that the site names for this balancer. */
  readonly by?: Installed;
  /** Whom its net and a take-back lead to, from its first request: some come before it is parked. */
  readonly neighbour?: number;
  /** Nobody serves meanwhile: it has this long to be ready, and its health checks are not waited for. */
  readonly withinMs?: number;
}

export interface Launched extends Running {
  readonly control: EngineControl;
  readonly startMs: number;
  readonly servers: readonly ServerEvidence[];
  readonly folder: GenerationFolder;
}

/** A generation that is no longer needed gets this long for its open connections. */
const retireMsMax = 30_000;
/** For what is not urgent: a busy machine is no reason to give up in the middle of a change. */
export const calmMs = 3_000;
/** For the first answer of a generation that nobody waits for. */
const patientMs = 10_000;
const generationFolder = /^g(\d+)$/;

/** The generations of one balancer, by way of its holder. */
export class Fleet {
  readonly options: FleetOptions;
  readonly holder: HolderClient;
  readonly known: Known;
  /** What was set at runtime, for generations to come. */
  readonly kept: KeptCommands;
  readonly certificates: Certificates;
  readonly tickets: TicketKeys;
  readonly #controls = new Map<number, EngineControl>();
  readonly #launching = new Set<number>();
  readonly #beganWithout = new Map<number, readonly string[]>();
  readonly #startMsMost = new Map<EngineName, number>();
  #lastGeneration: number;
  #lastScratch: number;

  constructor(options: FleetOptions) {
    this.options = options;
    this.known = new Known(options.clock);
    this.certificates = new Certificates(options.state);
    this.tickets = new TicketKeys(join(options.shared, 'ticket-keys'), options.clock);
    mkdirSync(options.run, { recursive: true, mode: 0o755 });
    mkdirSync(options.state, { recursive: true, mode: 0o700 });
    this.holder = holderClient(join(options.run, 'holder.sock'));
    this.kept = new KeptCommands(options.state);
    this.#lastGeneration = Math.max(0, ...numbersIn(options.run, generationFolder));
    this.#lastScratch = Math.max(0, ...numbersIn(options.run, /^scratch(\d+)$/));
  }

  /** Starts the holder when none answers: true. */
  ensureHolder(): Promise<boolean> {
    const { run, clock, holderCommand } = this.options;
    return ensureHolder({ holder: this.holder, run, command: holderCommand, clock });
  }

  /** The guard asks each tick, and must not wait long for a holder that hangs. */
  status(withinMs = 500): Promise<HolderStatus> {
    return this.holder.call('status', {}, withinMs);
  }

  /** Where others listen on our addresses too, new connections all come to us. Rejects where the sockets are not of that kind. */
  async steerToOurs(): Promise<void> {
    const { sockets: listeners } = loadState(join(this.options.run, 'holder.json'));
    await this.holder.call('steer', { listeners, first: 0, count: 1 });
  }

  folder(generation: number): string {
    return join(this.options.run, `g${generation}`);
  }

  /** A folder for a check or rehearsal, its own. */
  scratch(): string {
    this.#lastScratch += 1;
    return join(this.options.run, `scratch${this.#lastScratch}`);
  }

  /** What runs a site on this balancer. @throws Failure HF301 when it is not here. */
  engineFor(site: Site): Installed {
    return pickEngine(this.#named(site), this.options.installed());
  }

  /** The engine that a site names for this balancer, here or not; `auto` is the first that is here. */
  nameFor(site: Site): EngineName {
    const named = this.#named(site);
    return named === 'auto' ? this.engineFor(site).engine.name : named;
  }

  #named(site: Site): EngineName | 'auto' {
    const { balancer } = this.options;
    const only = site.own && engineNames.find((name) => name === site.own?.dialect);
    if (only) return only;
    return (site.balancers.find(({ name }) => name === balancer.name) ?? balancer).engine;
  }

  /** Every other engine that is here and can say all that the site says, in the order in which they are tried: our own last, it starts slowest. None for an own text. */
  othersFor(site: Site, than: EngineName): readonly Installed[] {
    if (site.own) return [];
    return this.options
      .installed()
      .filter(({ engine: { name } }) => name !== than && unsupportedBy(site, name).length === 0)
      .toSorted((a, b) => Number(isOurOwn(a)) - Number(isOurOwn(b)));
  }

  /** The longest start of this engine that was seen here; null when none was. */
  startMsMost(engine: EngineName): number | null {
    return this.#startMsMost.get(engine) ?? null;
  }

  /** The controls of a generation, kept open. */
  control({ generation, pid, engine }: Running): EngineControl {
    const known = this.#controls.get(generation);
    if (known) return known;
    const control = join(this.folder(generation), 'control.sock');
    const opened = engines[engine].control({ pid, control });
    this.#controls.set(generation, opened);
    return opened;
  }

  /** `pool/server`, as a new generation of that site would have it now. */
  downOf(site: Site): readonly string[] {
    return this.known.downFor(site).map(({ pool, server }) => `${pool}/${server}`);
  }

  /** What this process gave a generation to know at its start. */
  beganWithout(generation: number): readonly string[] {
    return this.#beganWithout.get(generation) ?? [];
  }

  /** Not by an agent before this one, which may have been killed before it had told it everything. */
  launchedHere(generation: number): boolean {
    return this.#beganWithout.has(generation);
  }

  #beginWithout(generation: number, site: Site): readonly string[] {
    const down = this.downOf(site);
    this.#beganWithout.set(generation, down);
    return down;
  }

  /** It does not answer yet. */
  isLaunching(generation: number): boolean {
    return this.#launching.has(generation);
  }

  /** What its controls remember of a generation no longer holds. */
  forget(generation: number): void {
    this.#controls.get(generation)?.close();
    this.#controls.delete(generation);
  }

  /** Controls of its own for what takes longer: who has less patience would break off the shared connection. */
  async withOwnControl(
    { generation, pid, engine }: Running,
    use: (control: EngineControl) => Promise<void>,
  ): Promise<void> {
    const control = engines[engine].control({ pid, control: join(this.folder(generation), 'control.sock') });
    try {
      await use(control);
    } finally {
      control.close();
    }
  }

  /**
   * Starts a parked generation and waits until it answers and its health checks have spoken.
   * @throws Failure HF303 when it does not start, or answers wrongly what its servers answer well.
   */
  async launch(plan: LaunchPlan): Promise<Launched> {
    this.#lastGeneration += 1;
    const generation = this.#lastGeneration;
    this.#launching.add(generation);
    try {
      const { clock, log } = this.options;
      const by = plan.by ?? this.engineFor(plan.site);
      const folder = this.#prepare(plan, generation, by);
      if (plan.neighbour !== undefined) this.link(generation, plan.neighbour);
      const { pid } = await this.#start(folder, by, { generation, plan });
      const running = { generation, pid, engine: by.engine.name };
      const control = this.control(running);
      const { withinMs } = plan;
      const limit = withinMs === undefined ? {} : { withinMs };
      const startMs = await untilReady({ pid, control, folder: folder.folder, clock, ...limit });
      this.#startMsMost.set(by.engine.name, Math.max(startMs, this.#startMsMost.get(by.engine.name) ?? 0));
      await untilParked(control, clock);
      await this.#tellKnown(control, plan.site);
      await this.#tellKept(control);
      const servers = withinMs === undefined ? await untilWarm(control, clock) : [];
      if (withinMs === undefined) await this.#untilLearned(control);
      await this.#requireService(running, plan);
      log.info('generation is ready', { ...running, role: plan.role, startMs: Math.round(startMs) });
      return { ...running, control, startMs, servers, folder };
    } catch (error) {
      await this.discard(generation);
      throw error;
    } finally {
      this.#launching.delete(generation);
    }
  }

  /** Whatever it is started for, it may have to serve with nobody there to ask it then. */
  async #requireService(one: Running, { site, withinMs }: LaunchPlan): Promise<void> {
    const patience = withinMs === undefined ? { throughMs: patientMs } : {};
    const fault = await faultOf({ ...this.suspect(one, site), ...patience }, this.control(one), 'new');
    if (fault !== null) throw new Failure('HF303', `${one.engine} has started and does not serve: ${fault}`);
  }

  /** A generation as it can be asked by its private entrance. */
  suspect({ generation }: Running, site: Site): Suspect {
    return { entrance: join(this.folder(generation), 'entrance.sock'), site, clock: this.options.clock };
  }

  /** A fault of this costs some retries, and is no reason not to start. */
  async #tellKnown(control: EngineControl, site: Site): Promise<void> {
    const down = this.known.downFor(site);
    if (down.length === 0 || !control.know) return;
    await control
      .know(down, calmMs)
      .catch((error) => this.options.log.warn('starts without what is known', { error: messageOf(error) }));
  }

  /** A generation that knows less than the others do lets some clients begin anew: no reason not to start. */
  async #untilLearned(control: EngineControl): Promise<void> {
    const { generations, active } = await this.status(calmMs);
    const before = generations.find((g) => g.generation === active);
    if (!before) return;
    await untilLearned(control, this.control(before), this.options.clock).catch((error) =>
      this.options.log.warn('starts without what is counted of clients', { error: messageOf(error) }),
    );
  }

  /** That a generation does not take what was set at runtime is no reason to do without it. */
  async #tellKept(control: EngineControl): Promise<void> {
    const { log } = this.options;
    try {
      for (const refused of await this.kept.tell(control)) log.warn('no longer holds', { refused });
    } catch (error) {
      log.error('a generation was not told what was set at runtime', { error: messageOf(error) });
    }
  }

  #prepare({ text, site }: LaunchPlan, generation: number, { engine }: Installed): GenerationFolder {
    const { balancer } = this.options;
    return prepareFolder({
      site,
      balancer,
      engine,
      identity: identityOf(engine, site),
      folder: this.folder(generation),
      generation,
      threads: availableParallelism(),
      // Those of a team's own text are the team's.
      ticketKeys: site.own ? null : this.tickets.current().keys,
      peers: joinPeers(join(this.options.run, 'peers'), this.folder(generation)),
      purpose: 'serve',
      knownDown: this.#beginWithout(generation, site),
      pems: this.certificates.of(text, site),
      servers: null,
    });
  }

  async #start(
    prepared: GenerationFolder,
    { engine, binary }: Installed,
    { generation, plan }: { generation: number; plan: LaunchPlan },
  ): Promise<{ pid: number }> {
    await this.holder.call('open', { listeners: prepared.listeners });
    return await this.holder.call('start', {
      generation,
      role: plan.role,
      siteHash: plan.text.hash,
      change: plan.change,
      urgent: plan.withinMs !== undefined,
      engine: engine.name,
      command: engine.command(binary, { textFile: prepared.textFile, parked: true }),
      identity: identityOf(engine, plan.site),
      folder: prepared.folder,
      control: prepared.placement.control,
      listeners: prepared.listeners,
    });
  }

  /** What was active is parked and stays; the next one carries the site, without a net. */
  async activate(next: Running): Promise<void> {
    await this.holder.call('activate', { generation: next.generation }, 3_000);
    await this.withoutNet(next);
  }

  async withoutNet(next: Running): Promise<void> {
    const { generation, pid } = next;
    await this.control(next)
      .net(false, calmMs)
      .catch((error) =>
        this.options.log.warn('the net is still in', { generation, pid, error: messageOf(error) }),
      );
  }

  /** Where a generation leads the requests of a take-back and of the net; null: nowhere. */
  link(generation: number, neighbour: number | null): void {
    linkNeighbour(this.folder(generation), neighbour === null ? null : this.folder(neighbour));
  }

  /** Ends a generation that is not the active one, gently. */
  async retire(generation: number): Promise<void> {
    await this.holder.call('retire', { generation, withinMs: retireMsMax }).catch(() => {});
  }

  /** Ends a generation that nobody uses, at once: a broken one may accept connections, and keep them. */
  async discard(generation: number): Promise<void> {
    await this.holder.call('retire', { generation, withinMs: 0 }).catch(() => {});
  }

  async discardStandbys(isBroken: (engine: EngineName) => boolean): Promise<void> {
    const { generations } = await this.status();
    const broken = generations.filter(({ role, engine }) => role === 'standby' && isBroken(engine));
    await Promise.all(broken.map(({ generation }) => this.discard(generation)));
  }

  /** Lets go of what belonged to generations that have ended. */
  tidy(status: HolderStatus): void {
    const held = status.generations.map((g) => g.generation);
    const living = new Set([...held, ...(status.remains ?? []), ...this.#launching]);
    const draining = new Set(
      status.generations.filter((g) => g.role === 'draining').map((g) => g.generation),
    );
    for (const [generation, opened] of this.#controls) {
      // An open control connection would keep an engine alive that is to end.
      if (living.has(generation) && !draining.has(generation)) continue;
      opened.close();
      this.#controls.delete(generation);
    }
    for (const number of numbersIn(this.options.run, generationFolder)) {
      if (living.has(number)) continue;
      rmSync(this.folder(number), { recursive: true, force: true });
      this.#beganWithout.delete(number);
    }
  }

  close(): void {
    this.holder.close();
    for (const opened of this.#controls.values()) opened.close();
  }
}

/** What needs no installation is this very program. */
function isOurOwn({ engine }: Installed): boolean {
  return engine.install === '';
}

export function activeOf(status: HolderStatus): HeldGeneration {
  const active = status.generations.find((g) => g.generation === status.active);
  if (!active) throw new Failure('HF105', 'there is no active generation');
  return active;
}

function numbersIn(folder: string, pattern: RegExp): number[] {
  return readdirSync(folder).flatMap((name) => {
    const found = pattern.exec(name);
    return found ? [Number(found[1])] : [];
  });
}

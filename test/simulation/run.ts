import { Failure, messageOf } from '#base';
import { type Event, finalStates, type JournalEntry } from '#events';
import { nextStates } from '../../src/change/machine.ts';
import { request } from '../world/changes.ts';
import { seededRandom } from '../world/random.ts';
import type { Planted, SimulatedBalancer, SimulatedWorld } from './balancer.ts';
import { controllerPaths, type SimulatedController, startSimulatedController } from './controller.ts';
import { SimulatedDisk } from './disk.ts';
import { type Breach, type Ended, type InvariantName, judges } from './invariants.ts';
import { ModelledBalancer } from './modelled-balancer.ts';
import { fair, Network, type Weather } from './network.ts';
import { type Act, calmAtMs, type Fault, type FaultKind, type Plan } from './plan.ts';
import { Scheduler } from './scheduler.ts';
import { textNumber } from './texts.ts';

export interface Line {
  readonly atMs: number;
  readonly what: string;
}

export interface Outcome {
  readonly plan: Plan;
  readonly breaches: readonly Breach[];
  readonly changes: number;
  readonly promoted: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly events: number;
  readonly simulatedMs: number;
  /** Only where it was asked for. */
  readonly timeline: readonly Line[];
}

export interface RunOptions {
  readonly timeline?: boolean;
  readonly planted?: Planted;
}

const settleMsMax = 600_000;
const quietMs = 5_000;
const probeMsMax = 300_000;
const probeText = 9;

/** Runs one plan to its end. The same plan gives the same outcome. */
export async function run(plan: Plan, options: RunOptions = {}): Promise<Outcome> {
  return await new Run(plan, options).toTheEnd();
}

class Run {
  readonly #plan: Plan;
  readonly #timeline: Line[] = [];
  readonly #breaches: Breach[] = [];
  readonly #scheduler = new Scheduler();
  readonly #disk = new SimulatedDisk();
  readonly #network: Network;
  readonly #balancers: readonly SimulatedBalancer[];
  readonly #options: RunOptions;
  readonly #weather = new Map<string, Set<Fault>>();
  readonly #faults: Partial<Record<FaultKind, number>> = {};
  readonly #shares = new Map<string, number>();
  readonly #proposed = new Map<string, { readonly siteHash: string; readonly force: boolean }>();
  /** Texts that a guard took back because of the traffic, by the change that brought them. */
  readonly #blamed = new Map<string, string>();
  #controller: SimulatedController;
  #read = 0;
  #skewMs = 0;
  readonly #random;

  constructor(plan: Plan, options: RunOptions) {
    this.#plan = plan;
    this.#options = options;
    const random = seededRandom(plan.seed ^ 0x5eed);
    this.#random = random;
    const scheduler = this.#scheduler;
    this.#network = new Network(scheduler, random, (what) => this.#tell(what));
    const world: SimulatedWorld = {
      scheduler,
      random,
      network: this.#network,
      skewMs: () => this.#skewMs,
      badnessOf: (hash) => plan.texts.find((_, number) => textNumber(number).hash === hash) ?? 'none',
      takenBack: (change) => this.#takenBack(change),
      planted: options.planted ?? null,
      exposed: (balancer, change, share) => this.#exposed(balancer, change, share),
    };
    const first = textNumber(0);
    this.#disk.liesAboutSync = options.planted === 'the journal is not synced';
    if (options.planted === 'the journal is not synced') this.#disk.syncMs = 400;
    this.#disk.alter = altered(options.planted);
    this.#balancers = ['lb-1', 'lb-2'].map((name) => new ModelledBalancer(name, world, first));
    this.#disk
      .filesFor({ isDead: false } as never)
      .writeDurably(`${controllerPaths.state}/site.json`, JSON.stringify(first));
    if (options.planted === 'the kept text is not written') this.#disk.drops = /site\.json$/;
    this.#controller = this.#startController();
  }

  async toTheEnd(): Promise<Outcome> {
    const scheduler = this.#scheduler;
    for (const act of this.#plan.acts) scheduler.after(act.atMs, () => this.#act(act));
    for (const fault of this.#plan.faults) scheduler.after(fault.atMs, () => this.#begin(fault));
    await scheduler.run(() => false, calmAtMs);
    this.#tell('from here on nothing goes wrong');
    await scheduler.run(() => this.#isQuiet(), calmAtMs + settleMsMax);
    await scheduler.run(() => false, scheduler.nowMs + quietMs);
    await scheduler.run(() => this.#isQuiet(), scheduler.nowMs + settleMsMax);
    this.#judge();
    await this.#probe();
    const { happened: events, nowMs: simulatedMs } = scheduler;
    const states = this.#disk.entries.flatMap(({ event }) =>
      event.kind === 'change.state' ? [event.state] : [],
    );
    return {
      plan: this.#plan,
      breaches: this.#breaches,
      changes: this.#disk.entries.filter(({ event }) => event.kind === 'change.proposed').length,
      promoted: states.filter((state) => state === 'promoted').length,
      faults: this.#faults,
      events,
      simulatedMs,
      timeline: this.#timeline,
    };
  }

  #tell(what: string): void {
    if (this.#options.timeline) this.#timeline.push({ atMs: this.#scheduler.nowMs, what });
    // What the code itself calls impossible.
    if (/assertion failed|machine has no step|is not a function|Cannot read prop|unreachable/.test(what))
      this.#breach('nothing breaks off unseen', what);
  }

  #breach(invariant: InvariantName, what: string): void {
    if (this.#options.timeline)
      this.#timeline.push({ atMs: this.#scheduler.nowMs, what: `BROKEN: ${invariant}: ${what}` });
    this.#breaches.push({ invariant, what });
  }

  #startController(): SimulatedController {
    return startSimulatedController({
      scheduler: this.#scheduler,
      random: this.#random,
      network: this.#network,
      disk: this.#disk,
      balancers: this.#balancers.map(({ name }) => name),
      skewMs: () => this.#skewMs,
      tell: (what) => this.#tell(what),
    });
  }

  #isQuiet(): boolean {
    this.#readJournal();
    const { pipeline } = this.#controller;
    return pipeline !== null && !pipeline.busy() && pipeline.inFlight() === null;
  }

  /** What came to the journal since the last look. */
  #readJournal(): void {
    for (const { event, by, sequence } of this.#disk.entries.slice(this.#read)) {
      if (event.kind === 'change.proposed') this.#proposed.set(event.change, event);
      if (event.kind === 'quarantine.released') this.#blamed.delete(event.siteHash);
      if (event.kind === 'change.exposed') {
        const key = `${event.balancer} ${event.change}`;
        this.#shares.set(key, Math.max(event.share, this.#shares.get(key) ?? 0));
      }
      if (this.#options.timeline) this.#tell(`journal: ${sequence} ${by}: ${said({ event })}`);
    }
    this.#read = this.#disk.entries.length;
  }

  #exposed(balancer: string, change: string, share: number): void {
    this.#readJournal();
    const most = this.#shares.get(`${balancer} ${change}`) ?? 0;
    if (share > most)
      this.#breach('exposure is never above its step', `${balancer} ${change}: ${share}, step ${most}`);
    const { siteHash = '', force = false } = this.#proposed.get(change) ?? {};
    const before = this.#blamed.get(siteHash);
    if (before !== undefined && before !== change && !force)
      this.#breach(
        'what is rolled back never comes back by itself',
        `${change} is ${before}, which a guard took back`,
      );
    const others = this.#balancers.filter(
      ({ candidate }) => candidate && candidate.change !== change && candidate.share > 0,
    );
    for (const { name, candidate } of others)
      this.#breach(
        'one change at a time has traffic',
        `${change} on ${balancer}, ${candidate?.change} on ${name}`,
      );
  }

  /** By a guard, because of what the traffic said. */
  #takenBack(change: string): void {
    this.#readJournal();
    const { siteHash } = this.#proposed.get(change) ?? {};
    if (siteHash !== undefined && !this.#blamed.has(siteHash)) this.#blamed.set(siteHash, change);
  }

  #act(act: Act): void {
    const { pipeline, process } = this.#controller;
    if (act.kind === 'tool') this.#apply(act.text, false, 'tool:ansible', act.everyMs);
    else if (act.kind === 'apply') this.#apply(act.text, act.force, act.by, null);
    else {
      this.#tell(`person: ${act.kind}`);
      process.hears(() => {
        const done =
          act.kind === 'rollback'
            ? pipeline?.rollback('person:ben', 'it is slow')
            : pipeline?.abort('person:ben', 'no');
        done?.catch((error: unknown) => this.#tell(`person is told: ${messageOf(error)}`));
      });
    }
  }

  #apply(text: number, force: boolean, by: string, againMs: number | null): void {
    const { pipeline, process } = this.#controller;
    this.#tell(`${by}: apply text ${text}${force ? ' --force' : ''}`);
    const asked = request(textNumber(text).text, { force, reason: force ? 'hurry' : '', by });
    process.hears(() => {
      pipeline?.propose(asked).catch((error: unknown) => {
        this.#tell(`${by} is told: ${messageOf(error)}`);
        if (!(error instanceof Failure))
          this.#breach('nothing breaks off unseen', `propose: ${messageOf(error)}`);
      });
    });
    if (againMs !== null && this.#scheduler.nowMs + againMs < calmAtMs)
      this.#scheduler.after(againMs, () => this.#apply(text, force, by, againMs));
  }

  #begin(fault: Fault): void {
    const balancer = this.#balancers[fault.on % this.#balancers.length];
    if (!balancer) return;
    const { kind, forMs } = fault;
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1;
    this.#tell(`fault: ${kind}, ${balancer.name}, for ${forMs} ms`);
    const ends = this.#faultsOf(balancer)[kind](fault);
    this.#scheduler.after(forMs, () => {
      this.#tell(`over: ${kind}, ${balancer.name}`);
      ends();
    });
  }

  /** Each begins one kind, and gives what ends it. */
  #faultsOf(balancer: SimulatedBalancer): Record<FaultKind, (fault: Fault) => () => void> {
    const weather = (fault: Fault) => this.#weatherFault(balancer.name, fault);
    return {
      'controller killed': () => {
        const { process } = this.#controller;
        process.kill();
        return () => {
          if (this.#controller.process === process) this.#controller = this.#startController();
        };
      },
      'controller stopped': () => {
        const { process } = this.#controller;
        process.stop();
        return () => process.goOn();
      },
      'agent killed': () => {
        const { agent } = balancer;
        balancer.killAgent();
        return () => {
          if (balancer.agent === agent) balancer.startAgent();
        };
      },
      'agent stopped': () => {
        const { agent } = balancer;
        agent.stop();
        return () => agent.goOn();
      },
      'network cut': weather,
      'network slow': weather,
      'messages lost': weather,
      'messages twice': weather,
      'disk full': () => {
        this.#disk.full = true;
        return () => {
          this.#disk.full = false;
        };
      },
      'disk slow': () => {
        this.#disk.syncMs = 700;
        return () => {
          this.#disk.syncMs = 1;
        };
      },
      'clock jumps': ({ on }) => {
        this.#skewMs += on === 0 ? -3_600_000 : 3_600_000;
        return () => {};
      },
    };
  }

  #weatherFault(name: string, fault: Fault): () => void {
    const now = this.#weather.get(name) ?? new Set();
    this.#weather.set(name, now.add(fault));
    this.#network.setWeather(name, weatherOf(now));
    return () => {
      now.delete(fault);
      this.#network.setWeather(name, weatherOf(now));
    };
  }

  #judge(): void {
    this.#readJournal();
    const kept = this.#disk.filesFor({ isDead: true } as never).read(`${controllerPaths.state}/site.json`);
    const hasPeople = this.#plan.acts.some(({ kind }) => kind === 'rollback' || kind === 'abort');
    const ended: Ended = {
      firstHash: textNumber(0).hash,
      entries: this.#disk.entries,
      acknowledged: this.#disk.acknowledged,
      balancers: this.#balancers,
      keptHash: (JSON.parse(kept) as { hash: string }).hash,
      hadFaults: this.#plan.faults.length > 0,
      isGood: (hash) =>
        this.#plan.texts.some((badness, n) => badness === 'none' && textNumber(n).hash === hash),
      wasDisturbed: () => hasPeople,
    };
    for (const [name, judge] of Object.entries(judges))
      for (const what of judge(ended)) this.#breach(name as InvariantName, what);
    for (const what of illegalSteps(this.#disk.entries))
      this.#breach('a change only goes from state to state as the machine says', what);
  }

  /** The proof that nothing is stuck: a good change that nobody has seen before is promoted. */
  async #probe(): Promise<void> {
    const { pipeline } = this.#controller;
    const invariant = 'the site takes changes again when the faults are over';
    if (!pipeline) {
      this.#breach(invariant, 'the controller never came back');
      return;
    }
    this.#tell('person: apply one more, that is good');
    let ended: string | null = null;
    const asked = request(textNumber(probeText).text, { unfreeze: true, by: 'person:probe' });
    pipeline.propose(asked).then(
      ({ id }) =>
        pipeline.watch(id, (line) => {
          if (line.kind === 'end') ended = `${line.change.state}: ${line.change.why}`;
        }),
      (error: unknown) => {
        ended = messageOf(error);
      },
    );
    const isOver = await this.#scheduler.run(() => ended !== null, this.#scheduler.nowMs + probeMsMax);
    this.#readJournal();
    const said = isOver ? String(ended) : 'it never ended';
    if (!said.startsWith('promoted')) this.#breach(invariant, said);
  }
}

function altered(planted: Planted | undefined): (event: Event) => Event | null {
  switch (planted) {
    case 'the journal forgets quarantine':
      return (event) => (['quarantine.added', 'pipeline.frozen'].includes(event.kind) ? null : event);
    case 'the journal forgets ends':
      return (event) => (event.kind === 'change.state' && event.state === 'rolled back' ? null : event);
    case 'the journal writes another state':
      return (event) =>
        event.kind === 'change.state' && event.state === 'canary' ? { ...event, state: 'promoted' } : event;
    default:
      return (event) => event;
  }
}

function weatherOf(faults: ReadonlySet<Fault>): Weather {
  const has = (kind: FaultKind) => [...faults].some((fault) => fault.kind === kind);
  return {
    cut: has('network cut'),
    lossShare: has('messages lost') ? 0.3 : fair.lossShare,
    twiceShare: has('messages twice') ? 0.3 : fair.twiceShare,
    delayMsMax: has('network slow') ? 3_000 : fair.delayMsMax,
  };
}

function illegalSteps(entries: readonly JournalEntry[]): string[] {
  const states = new Map<string, keyof typeof nextStates>();
  return entries.flatMap(({ event }) => {
    if (event.kind === 'change.proposed') states.set(event.change, 'proposed');
    if (event.kind !== 'change.state') return [];
    const from = states.get(event.change) ?? 'proposed';
    states.set(event.change, event.state);
    const allowed: readonly string[] = nextStates[from];
    const again = from === event.state && finalStates.includes(from);
    return allowed.includes(event.state) || again ? [] : [`${event.change}: ${from} -> ${event.state}`];
  });
}

function said({ event }: Pick<JournalEntry, 'event'>): string {
  switch (event.kind) {
    case 'change.proposed':
      return `${event.change} proposed, text ${event.siteHash.slice(0, 8)}`;
    case 'change.state':
      return `${event.change} is ${event.state}: ${event.why}`;
    case 'change.gate':
      return `${event.change} gate ${event.report.gate} ${event.report.verdict}`;
    case 'change.exposed':
      return `${event.change} exposed on ${event.balancer}, ${event.share}`;
    case 'change.promoted':
      return `${event.change} is promoted on ${event.balancer}`;
    case 'guard.acted':
      return `guard of ${event.record.balancer} #${event.record.number}: ${event.record.what.kind}`;
    case 'change.planned':
      return `${event.change} planned`;
    default:
      return JSON.stringify(event);
  }
}

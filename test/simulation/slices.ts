import { Failure, type Log } from '#base';
import { readSite } from '#dialects';
import type { GuardRecord } from '#events';
import { Flight } from '../../src/agent/flight.ts';
import { tickMs } from '../../src/agent/guard/watch.ts';
import { Holder } from '../../src/agent/holder/holder.ts';
import type { HolderClient } from '../../src/agent/holder/protocol.ts';
import { emptyState } from '../../src/agent/holder/state.ts';
import { seededRandom } from '../world/random.ts';
import { watchActive } from './active-watch.ts';
import type { SimulatedEngine } from './engine.ts';
import { generationSpec, simulatedMachine } from './holder-machine.ts';
import { type Handlers, Network } from './network.ts';
import type { Line } from './run.ts';
import { Scheduler, SimulatedProcess } from './scheduler.ts';
import { type SliceFault, type SlicePlan, type SlicePlanted, sliceSteps, stepsEndMs } from './slices-plan.ts';
import { textNumber } from './texts.ts';

export const sliceInvariants = [
  'somebody accepts at all times',
  'a candidate without a lease never keeps traffic',
  'exposure is never above its step',
  'a bad candidate is taken back',
  'at most one automatic take-back',
  'with no faults a good candidate is not taken back',
  'in the end one generation accepts, and it is the active one',
] as const;
export type SliceInvariant = (typeof sliceInvariants)[number];

export interface SliceOutcome {
  readonly plan: SlicePlan;
  readonly breaches: readonly { readonly invariant: SliceInvariant; readonly what: string }[];
  readonly timeline: readonly Line[];
  readonly events: number;
  /** Of the requests that came while there was a candidate, its share by step, in a run without faults. */
  readonly shares: readonly number[];
}

const endMs = 20_000;
const lookEveryMs = 5;
/** All of them run: a lease that has ended has its effect within this. */
const lateMsMax = 1_500;
/** One is resumed while the other is parked: for as long as a signal takes, what comes waits in the socket. */
const signalsMsMax = 5;
/** An engine died or hung: somebody else accepts within this. */
const gapMsMax = 3_000;
const incumbentNumber = 1;
const candidateNumber = 2;
const standbyNumber = 3;

export async function runSlices(
  plan: SlicePlan,
  options: { readonly timeline?: boolean; readonly planted?: SlicePlanted } = {},
): Promise<SliceOutcome> {
  return await new SliceRun(plan, options).toTheEnd();
}

/** One balancer: the real holder and the real flight of one candidate (exposer, guard, detectors) over simulated engines. */
class SliceRun {
  readonly #plan: SlicePlan;
  readonly #options: { readonly timeline?: boolean; readonly planted?: SlicePlanted };
  readonly #scheduler = new Scheduler();
  readonly #random;
  readonly #network: Network;
  readonly #engines = new Map<number, SimulatedEngine>();
  readonly #breaches: { readonly invariant: SliceInvariant; readonly what: string }[] = [];
  readonly #timeline: Line[] = [];
  readonly #records: GuardRecord['what'][] = [];
  readonly #shares: number[] = [];
  readonly #disk = { state: emptyState };
  #holder: SimulatedProcess | null = null;
  #agent: SimulatedProcess | null = null;
  #flight: Flight | null = null;
  #controllerGone = false;
  #promoted = false;
  #flowedAtMs = 0;
  #renewedAtMs = Number.NEGATIVE_INFINITY;
  #troubleAtMs = Number.NEGATIVE_INFINITY;
  #engineTroubleAtMs = Number.NEGATIVE_INFINITY;
  #nobodySinceMs: number | null = null;
  #badSinceMs: number | null = null;
  #step = { share: 0, all: 0, candidate: 0 };

  constructor(plan: SlicePlan, options: { readonly timeline?: boolean; readonly planted?: SlicePlanted }) {
    this.#plan = plan;
    this.#options = options;
    this.#random = seededRandom(plan.seed ^ 0xfee1);
    this.#network = new Network(this.#scheduler, this.#random, (what) => this.#tell(what));
  }

  async toTheEnd(): Promise<SliceOutcome> {
    const scheduler = this.#scheduler;
    this.#startHolder();
    const agent = new SimulatedProcess('agent', scheduler);
    this.#agent = agent;
    const set = this.#setUp(agent);
    let ready = false;
    void set.then(() => {
      ready = true;
    });
    if (!(await scheduler.run(() => ready, 900))) throw new Error('the balancer did not begin');
    for (const fault of this.#plan.faults)
      scheduler.after(fault.atMs - scheduler.nowMs, () => this.#begin(fault));
    for (const { atMs, share } of sliceSteps)
      scheduler.after(atMs - scheduler.nowMs, () => this.#enter(share));
    scheduler.after(stepsEndMs - scheduler.nowMs, () => this.#end());
    this.#look();
    this.#renew();
    await scheduler.run(() => false, endMs);
    this.#judgeEnd();
    return {
      plan: this.#plan,
      breaches: this.#breaches,
      timeline: this.#timeline,
      events: scheduler.happened,
      shares: this.#shares,
    };
  }

  #tell(what: string): void {
    if (this.#options.timeline) this.#timeline.push({ atMs: this.#scheduler.nowMs, what });
  }

  #breach(invariant: SliceInvariant, what: string): void {
    if (this.#breaches.some((one) => one.invariant === invariant)) return;
    this.#tell(`BROKEN: ${invariant}: ${what}`);
    this.#breaches.push({ invariant, what });
  }

  get #log(): Log {
    const say = (what: string, facts?: object) => this.#tell(`${what} ${JSON.stringify(facts ?? {})}`);
    return { info: say, warn: say, error: say };
  }

  async #setUp(agent: SimulatedProcess): Promise<void> {
    const holder = this.#client(agent);
    await holder.call('open', { listeners: [{ host: '*', port: 80 }] });
    await holder.call('start', generationSpec(incumbentNumber, 'standby'));
    await holder.call('activate', { generation: incumbentNumber });
    if (this.#plan.standby) await holder.call('start', generationSpec(standbyNumber, 'standby'));
    await holder.call('start', generationSpec(candidateNumber, 'candidate'));
    this.#flight = this.#newFlight(agent, holder);
    this.#tick(agent, holder);
  }

  // ---- the holder, and the machine under it

  #startHolder(): void {
    const process = new SimulatedProcess('holder', this.#scheduler);
    this.#holder = process;
    const { clock } = process;
    const machine = simulatedMachine(process, {
      scheduler: this.#scheduler,
      random: this.#random,
      socket: this.#socket,
      engines: this.#engines,
      disk: this.#disk,
      parksNobody: this.#options.planted === 'a take-back parks nobody' ? candidateNumber : null,
    });
    const holder = new Holder({ machine, clock, log: this.#log, exit: () => process.kill() });
    const { calls } = holder;
    const { planted } = this.#options;
    const expose: typeof calls.expose = async (input) => {
      this.#renewedAtMs = this.#scheduler.nowMs;
      const isEndless = planted === 'a lease has no end';
      const leaseMs = isEndless ? 1e9 : input.leaseMs;
      const factor = planted === 'slices are twice as long' ? 2.5 : 1;
      const forMs = isEndless ? 1e9 : factor * input.forMs;
      if (planted === 'the active one is parked first')
        await this.#engines
          .get(incumbentNumber)
          ?.controlFor(process)
          .park(50)
          .catch(() => {});
      return await calls.expose({ ...input, leaseMs, forMs });
    };
    this.#network.serve('holder', { process, handlers: { ...calls, expose } as unknown as Handlers });
    this.#tell('a holder has begun');
  }

  // ---- the agent: what it does with a flight ten times a second

  #client(process: SimulatedProcess): HolderClient {
    return {
      call: async (name, input, timeoutMs) =>
        (await this.#network.call(process, 'holder', name, input, timeoutMs).catch((error: unknown) => {
          // As the wire between them has it: silence is no Failure.
          throw error instanceof Failure && error.code === 'HF304' ? new Error(error.message) : error;
        })) as never,
      close() {},
    };
  }

  #newFlight(process: SimulatedProcess, holder: HolderClient): Flight {
    const [good, candidate] = [this.#engines.get(incumbentNumber), this.#engines.get(candidateNumber)];
    const text = textNumber(1);
    const { site } = readSite(text);
    if (!good || !candidate || !site) throw new Error('there are two generations');
    const control = candidate.controlFor(process);
    const { planted } = this.#options;
    const evidence = async (ms: number) => {
      const seen = await control.evidence(ms);
      if (planted === 'a guard looks away') return { ...seen, errors: 0 };
      return planted === 'a guard is afraid' ? { ...seen, errors: seen.requests } : seen;
    };
    return new Flight({
      fleet: { holder, options: { clock: process.clock, log: this.#log } },
      incumbent: { generation: incumbentNumber, pid: good.pid, control: good.controlFor(process) },
      launched: {
        generation: candidateNumber,
        pid: candidate.pid,
        engine: 'haproxy',
        control: { ...control, evidence },
        startMs: 1,
        servers: [],
        folder: { folder: '', textFile: '', placement: {} as never, listeners: [], own: null },
      },
      change: 'c1',
      text,
      site,
      policy: site.guard,
      history: [],
      bytesOf: () => 0,
      record: (what) => {
        this.#records.push(what);
        if (planted === 'a guard acts twice') this.#records.push(what);
        this.#tell(`the guard: ${what.kind}${what.kind === 'tookBack' ? `: ${what.takeBack.reason}` : ''}`);
      },
    });
  }

  /** As `Serving` does: a holder that is silent is replaced, and what it exposed is taken back. */
  #tick(process: SimulatedProcess, holder: HolderClient): void {
    void (async () => {
      let deaths = 0;
      const lookAtActive = watchActive({ process, holder, engines: this.#engines });
      for (;;) {
        await process.clock.sleep(tickMs);
        try {
          await this.#flight?.tick();
          const status = await holder.call('status', {}, 500);
          const died = status.deaths.filter(({ number }) => number > deaths);
          deaths = Math.max(deaths, ...died.map(({ number }) => number));
          if (!this.#promoted && died.length > 0) await this.#flight?.takeBack('died', 'an engine ended');
          await lookAtActive(status);
        } catch {
          const isNew = await this.#ensureHolder(process, holder);
          if (isNew && !this.#promoted) await this.#flight?.takeBack('lease', 'the holder ended');
        }
      }
    })();
  }

  async #ensureHolder(process: SimulatedProcess, holder: HolderClient): Promise<boolean> {
    const answers = () =>
      holder.call('status', {}, 300).then(
        () => true,
        () => false,
      );
    if (await answers()) return false;
    await process.clock.sleep(150);
    this.#holder?.kill();
    this.#startHolder();
    while (!(await answers())) await process.clock.sleep(20);
    return true;
  }

  /** As `Changes.takeUp`: a candidate that nobody watched any more goes. */
  #startAgent(): void {
    const process = new SimulatedProcess('agent', this.#scheduler);
    this.#agent = process;
    this.#flight = null;
    const holder = this.#client(process);
    this.#tell('an agent has begun');
    void (async () => {
      await this.#ensureHolder(process, holder);
      const status = await holder.call('status', {}, 3_000);
      const found = status.generations.find(({ role }) => role === 'candidate');
      if (found && status.active !== null) {
        const asked = { from: found.generation, to: status.active, drainMs: 2_000 };
        await holder.call('takeBack', asked, 2_000);
      }
      this.#tick(process, holder);
    })().catch(() => this.#scheduler.after(500, () => process.hears(() => this.#startAgent())));
  }

  // ---- the controller

  #enter(share: number): void {
    this.#judgeStep();
    this.#step = { share, all: 0, candidate: 0 };
    this.#tell(`step ${share}`);
    this.#renewNow();
  }

  #renew(): void {
    this.#scheduler.after(1_000, () => {
      this.#renewNow();
      this.#renew();
    });
  }

  #renewNow(): void {
    const { share } = this.#step;
    if (this.#controllerGone || share === 0) return;
    this.#agent?.hears(() => void this.#flight?.expose(share, 3_000, null).catch(() => {}));
  }

  /** The controller has decided. */
  #end(): void {
    this.#judgeStep();
    this.#step = { share: 0, all: 0, candidate: 0 };
    if (this.#controllerGone) return;
    this.#tell(this.#plan.ends);
    const process = this.#agent;
    process?.hears(() => {
      const flight = this.#flight;
      if (!flight || flight.isOver) return;
      if (this.#plan.ends === 'rolled back') {
        void flight.takeBack('person', 'it is slow');
        return;
      }
      flight.end();
      this.#promoted = true;
      this.#client(process)
        .call('activate', { generation: candidateNumber }, 3_000)
        .catch((error: unknown) => this.#tell(`not active: ${String(error)}`));
    });
  }

  // ---- what goes wrong

  #begin(fault: SliceFault): void {
    this.#tell(`fault: ${fault.kind} for ${fault.forMs} ms`);
    this.#troubleAtMs = this.#scheduler.nowMs;
    const over = this.#faultOf(fault.kind);
    this.#scheduler.after(fault.forMs, () => {
      this.#troubleAtMs = this.#scheduler.nowMs;
      this.#tell(`over: ${fault.kind}`);
      over();
    });
  }

  #faultOf(kind: SliceFault['kind']): () => void {
    const [holder, agent] = [this.#holder, this.#agent];
    const candidate = this.#engines.get(candidateNumber);
    switch (kind) {
      case 'holder killed':
        holder?.kill();
        return () => {};
      case 'holder stopped':
        holder?.stop();
        return () => holder?.goOn();
      case 'agent killed':
        agent?.kill();
        return () => {
          if (this.#agent === agent) this.#startAgent();
        };
      case 'agent stopped':
        agent?.stop();
        return () => agent?.goOn();
      case 'controller gone':
        this.#controllerGone = true;
        return () => {};
      case 'candidate killed':
        this.#engineTroubleAtMs = this.#scheduler.nowMs;
        candidate?.die('SIGSEGV');
        return () => {};
      case 'candidate hangs':
      case 'incumbent hangs': {
        this.#engineTroubleAtMs = this.#scheduler.nowMs;
        const hung = kind === 'candidate hangs' ? candidate : this.#engines.get(incumbentNumber);
        hung?.hang();
        return () => hung?.goOn();
      }
      case 'candidate is deaf':
        this.#engineTroubleAtMs = this.#scheduler.nowMs;
        if (candidate) candidate.isDeaf = true;
        return () => {
          if (candidate) candidate.isDeaf = false;
        };
      case 'candidate answers 503':
        if (candidate) candidate.errorShare = 0.9;
        return () => {};
      case 'incumbent killed':
        this.#engineTroubleAtMs = this.#scheduler.nowMs;
        this.#engines.get(incumbentNumber)?.die('SIGSEGV');
        return () => {};
    }
  }

  // ---- traffic, and what must hold

  readonly #socket = {
    flow: () => this.#flow(),
    changed: () => this.#lookNow(),
  };

  /** New connections go to whoever accepts, each in turn. */
  #flow(): void {
    const now = this.#scheduler.nowMs;
    const accepting = [...this.#engines.values()].filter((engine) => engine.isAccepting);
    const came = ((now - this.#flowedAtMs) / 1000) * this.#plan.requestsPerSecond;
    this.#flowedAtMs = now;
    for (const engine of accepting) {
      const mine = came / accepting.length;
      if (engine.generation === candidateNumber) this.#step.candidate += mine;
      this.#step.all += mine;
      // What hangs answers nothing, and counts nothing.
      if (engine.isHung) continue;
      engine.requests += mine;
      engine.errors += mine * engine.errorShare;
    }
  }

  #look(): void {
    this.#scheduler.after(lookEveryMs, () => {
      this.#flow();
      this.#lookNow();
      this.#look();
    });
  }

  get #allRun(): boolean {
    const runs = (one: SimulatedProcess | null) => one !== null && !one.isDead && !one.isStopped;
    return runs(this.#holder) && runs(this.#agent);
  }

  #lookNow(): void {
    const now = this.#scheduler.nowMs;
    if (now < 1_000) return;
    const engines = [...this.#engines.values()];
    const candidate = this.#engines.get(candidateNumber);
    if (engines.some((engine) => engine.isAccepting && !engine.isHung)) this.#nobodySinceMs = null;
    else if (engines.some(({ isAlive, isHung, isDeaf }) => isAlive && !isHung && !isDeaf)) {
      this.#nobodySinceMs ??= now;
      const allowedMs = this.#engineTroubleAtMs > 0 ? gapMsMax : signalsMsMax;
      const since = Math.max(this.#nobodySinceMs, this.#allRun ? 0 : now);
      if (now - since > allowedMs)
        this.#breach('somebody accepts at all times', `nobody for ${Math.round(now - since)} ms`);
    }
    const isCandidate = this.#disk.state.active !== candidateNumber && !this.#promoted;
    if (candidate?.isAccepting && !candidate.isHung && !candidate.isDeaf && isCandidate) {
      const since = Math.max(this.#renewedAtMs + 600, this.#troubleAtMs, this.#allRun ? 0 : now);
      if (now - since > lateMsMax)
        this.#breach(
          'a candidate without a lease never keeps traffic',
          `${Math.round(now - since)} ms after its lease`,
        );
    }
    this.#lookAtBadness(now, candidate);
  }

  #lookAtBadness(now: number, candidate: SimulatedEngine | undefined): void {
    const isBad =
      candidate !== undefined && candidate.errorShare > 0 && candidate.isAccepting && !this.#promoted;
    if (!isBad || this.#step.share < 0.5 || !this.#allRun || this.#disk.state.active === candidateNumber) {
      this.#badSinceMs = null;
      return;
    }
    this.#badSinceMs = Math.max(this.#badSinceMs ?? now, this.#troubleAtMs);
    if (now - this.#badSinceMs > lateMsMax)
      this.#breach('a bad candidate is taken back', `bad for ${now - this.#badSinceMs} ms`);
  }

  #judgeStep(): void {
    this.#flow();
    const { share, all, candidate } = this.#step;
    if (share === 0 || all === 0) return;
    if (this.#plan.faults.length === 0) this.#shares.push(candidate / all);
    if (this.#engines.get(incumbentNumber)?.isAlive !== true) return;
    // A fault in the middle of a slice: both go on accepting until it is noticed, by half of the traffic.
    const faultsSoFar = this.#plan.faults.filter(({ atMs }) => atMs <= this.#scheduler.nowMs).length;
    const excess = candidate - share * all;
    const most = this.#plan.requestsPerSecond * (0.12 + 0.5 * faultsSoFar * (lateMsMax / 1000));
    if (excess > most)
      this.#breach(
        'exposure is never above its step',
        `${(candidate / all).toFixed(3)} of a step of ${share}`,
      );
  }

  #judgeEnd(): void {
    const automatic = this.#records.filter(
      (what) => what.kind === 'tookBack' && what.takeBack.evidence.cause !== 'person',
    );
    if (automatic.length > 1) this.#breach('at most one automatic take-back', `${automatic.length}`);
    if (this.#plan.faults.length === 0 && automatic.length > 0)
      this.#breach('with no faults a good candidate is not taken back', JSON.stringify(automatic[0]));
    const accepting = [...this.#engines.values()]
      .filter((engine) => engine.isAccepting)
      .map((e) => e.generation);
    const isAnyAlive = [...this.#engines.values()].some(({ isAlive }) => isAlive);
    if (isAnyAlive && (accepting.length !== 1 || accepting[0] !== this.#disk.state.active))
      this.#breach(
        'in the end one generation accepts, and it is the active one',
        `${accepting.join(' and ') || 'none'}; active is ${this.#disk.state.active}`,
      );
  }
}

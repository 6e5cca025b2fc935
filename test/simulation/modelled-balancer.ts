import { Failure } from '#base';
import type { BalancerCalls, CandidateObservation, SiteText } from '#contract';
import { type GuardRecord, noCounts, type TakeBack } from '#events';
import { Starting } from '../../src/agent/starting.ts';
import type { Random } from '../world/random.ts';
import type { SimulatedBalancer, SimulatedWorld } from './balancer.ts';
import type { Handlers } from './network.ts';
import type { Badness } from './plan.ts';
import { SimulatedProcess } from './scheduler.ts';

const requestsPerSecond = 200;

/** What outlives the agent: its disk, the holder, the engines. */
interface Kept {
  current: SiteText;
  previous: SiteText | null;
  change: string | null;
  readonly records: GuardRecord[];
  candidate: Candidate | null;
}

interface Candidate {
  readonly change: string;
  readonly site: SiteText;
  share: number;
  leaseEndsAt: number;
  exposedAt: number | null;
  requests: number;
  countedAt: number;
}

/**
 * A balancer in aggregate, for many seeds: what an agent answers and remembers, with the times that it takes, without the
 * generations below it; which candidate may start is the agent's own code. What dies with the agent is the candidate that it watches, nothing else.
 */
export class ModelledBalancer implements SimulatedBalancer {
  readonly name: string;
  readonly #world: SimulatedWorld;
  readonly #random: Random;
  readonly #kept: Kept;
  #agent: SimulatedProcess;
  #starting = new Starting();
  readonly #last = new Map<string, TakeBack>();

  constructor(name: string, world: SimulatedWorld, first: SiteText) {
    this.name = name;
    this.#world = world;
    this.#random = world.random;
    this.#kept = { current: first, previous: null, change: null, records: [], candidate: null };
    this.#agent = this.#started();
  }

  get agent(): SimulatedProcess {
    return this.#agent;
  }

  get lastGood(): SiteText {
    return this.#kept.current;
  }

  get candidate(): { readonly change: string; readonly share: number } | null {
    const found = this.#kept.candidate;
    if (!found) return null;
    const isLeased = this.#world.scheduler.nowMs < found.leaseEndsAt;
    const isGiven = isLeased || this.#world.planted === 'a candidate goes on without a lease';
    return { change: found.change, share: isGiven ? found.share : 0 };
  }

  get records(): readonly GuardRecord[] {
    return this.#kept.records;
  }

  killAgent(): void {
    this.#agent.kill();
  }

  /** As the real one begins: a candidate that nobody watched was taken back meanwhile by the lease. */
  startAgent(): void {
    this.#agent = this.#started();
    this.#starting = new Starting();
    this.#last.clear();
    if (this.#kept.candidate) this.#takeBack('lease', 'the agent ended while there was a candidate');
  }

  #started(): SimulatedProcess {
    const process = new SimulatedProcess(`agent ${this.name}`, this.#world.scheduler, this.#world.skewMs);
    this.#world.network.serve(this.name, { process, handlers: this.#handlers(process) });
    return process;
  }

  #handlers(process: SimulatedProcess): Handlers {
    const { clock } = process;
    return {
      status: () => this.#status(),
      check: ({ site }: BalancerCalls['check']['input']) => ({
        accepted: this.#badness(site) !== 'refused',
        engine: 'builtin',
        version: '1',
        output: this.#badness(site) === 'refused' ? 'unknown keyword' : '',
        diagnostics: [],
        tookMs: 1,
      }),
      probe: ({ servers }: BalancerCalls['probe']['input']) => servers.map((s) => ({ ...s, ...answering })),
      rehearse: async () => {
        await clock.sleep(20);
        if (this.#world.planted === 'a balancer answers nonsense') return null;
        const ok = this.#world.planted !== 'a rehearsal never ends well';
        return { ok, startMs: 20, memoryBytes: 8e6, witnesses: [], replaced: [] };
      },
      wayBack: () => ({ ok: true, generation: 1, tried: [] }),
      tryRoutes: () => ({ asked: [], unasked: [] }),
      inPlace: () => ({ changes: null, why: 'it cannot be told' }),
      candidate: ({ site, change }: BalancerCalls['candidate']['input']) =>
        this.#launch(process, site, change),
      expose: (input: BalancerCalls['expose']['input']) => this.#expose(input),
      observe: ({ change }: BalancerCalls['observe']['input']) => this.#observe(change),
      promote: ({ change }: BalancerCalls['promote']['input']) => this.#promote(process, change),
      rollback: ({ change, reason }: BalancerCalls['rollback']['input']) => this.#rollback(change, reason),
      records: ({ after }: BalancerCalls['records']['input']) =>
        this.#kept.records.filter(({ number }) => number > after).map((record) => this.#numbered(record)),
    };
  }

  #numbered(record: GuardRecord): GuardRecord {
    if (this.#world.planted !== 'a guard numbers its records anew') return record;
    return { ...record, at: this.#agent.clock.now() };
  }

  #badness(site: SiteText): Badness {
    return this.#world.badnessOf(site.hash);
  }

  async #launch(process: SimulatedProcess, site: SiteText, change: string) {
    const starting = this.#starting;
    if (this.#kept.candidate || starting.now !== null)
      throw new Failure('HF108', `${this.name} already has a candidate`);
    starting.begin(change);
    await process.clock.sleep(20 + this.#random.next() ** 4 * 3_000);
    starting.end();
    starting.requireWanted(change);
    if (this.#badness(site) === 'never starts') throw new Failure('HF303', 'the engine did not answer');
    const at = this.#world.scheduler.nowMs;
    const fresh = { share: 0, leaseEndsAt: at, exposedAt: null, requests: 0, countedAt: at };
    this.#kept.candidate = { change, site, ...fresh };
    return { generation: 2, pid: 2, startMs: 10, serversDown: [], witnesses: [] };
  }

  #expose({ change, share, leaseMs }: BalancerCalls['expose']['input']): null {
    const candidate = this.#candidateOf(change);
    const at = this.#world.scheduler.nowMs;
    this.#count(candidate);
    const isFirst = candidate.exposedAt === null;
    candidate.exposedAt ??= at;
    candidate.share = share;
    candidate.leaseEndsAt = at + leaseMs;
    const factor = this.#world.planted === 'a balancer gives twice the share' ? 2 : 1;
    this.#world.exposed(this.name, change, factor * share);
    if (isFirst && this.#badness(candidate.site) === 'errors')
      this.#world.scheduler.after(200 + this.#random.next() * 1_000, () =>
        this.#agent.hears(() => {
          if (this.#kept.candidate === candidate) this.#takeBack('errors', 'nine of ten requests failed');
        }),
      );
    return null;
  }

  #observe(change: string): CandidateObservation {
    const back = this.#last.get(change) ?? this.#recorded(change);
    const candidate = back ? null : this.#candidateOf(change);
    if (candidate) this.#count(candidate);
    return {
      candidate: back?.evidence.candidate ?? { ...noCounts, requests: Math.floor(candidate?.requests ?? 0) },
      incumbent: noCounts,
      observedShare: candidate?.share ?? 0,
      eValue: 1,
      takenBack: back,
      exposedMs: 0,
    };
  }

  #recorded(change: string): TakeBack | null {
    const found = this.#kept.records.findLast(
      ({ what }) => what.kind === 'tookBack' && what.takeBack.change === change,
    );
    return found?.what.kind === 'tookBack' ? found.what.takeBack : null;
  }

  async #promote(process: SimulatedProcess, change: string): Promise<null> {
    if (this.#kept.change === change) return null;
    const candidate = this.#candidateOf(change);
    await process.clock.sleep(20 + this.#random.next() * 300);
    if (this.#kept.candidate !== candidate) throw new Failure('HF404', `${change} was taken back`);
    if (this.#world.planted === 'a promotion is not kept') {
      this.#kept.candidate = null;
      return null;
    }
    this.#kept.previous = this.#kept.current;
    this.#kept.current = candidate.site;
    this.#kept.change = change;
    this.#kept.candidate = null;
    return null;
  }

  #rollback(change: string | null, reason: string): TakeBack | null {
    const { planted } = this.#world;
    if (planted === 'a balancer forgets a take-back') return null;
    if (planted === 'a candidate goes on without a lease' && this.name === 'lb-2') return null;
    if (this.#starting.takeBack(change, reason)) return null;
    const { candidate, previous, change: promoted } = this.#kept;
    if (candidate && (change === null || candidate.change === change))
      return this.#takeBack('person', reason);
    if (candidate || !previous || (change !== null && promoted !== change)) return null;
    this.#kept.current = previous;
    this.#kept.previous = null;
    this.#kept.change = null;
    return this.#record(promoted, 'person', reason, 0);
  }

  #candidateOf(change: string): Candidate {
    const found = this.#kept.candidate;
    if (found?.change !== change) throw new Failure('HF404', `there is no candidate of ${change}`);
    return found;
  }

  #takeBack(cause: string, reason: string): TakeBack {
    const { candidate } = this.#kept;
    if (candidate && cause === 'errors') this.#world.takenBack(candidate.change);
    this.#kept.candidate = null;
    if (this.#world.planted === 'a guard acts twice')
      this.#record(candidate?.change ?? null, cause, reason, 0);
    return this.#record(candidate?.change ?? null, cause, reason, Math.floor(candidate?.requests ?? 0));
  }

  #record(change: string | null, cause: string, reason: string, requests: number): TakeBack {
    const at = this.#agent.clock.now();
    const errors = cause === 'errors' ? Math.ceil(requests * 0.9) : 0;
    const candidate = { ...noCounts, requests, errors };
    const seen = { exposedAt: at, firstBadAt: errors > 0 ? at : null, candidate, incumbent: noCounts };
    const evidence = { cause, ...seen, serversDown: [], errorLines: [] };
    const done = { change, from: 2, to: 1, reason, decidedAt: at, doneAt: at, steps: [], evidence };
    const takeBack: TakeBack = { ...done, rung: 1 };
    if (change) this.#last.set(change, takeBack);
    const number = this.#kept.records.length + 1;
    this.#kept.records.push({ number, at, balancer: this.name, what: { kind: 'tookBack', takeBack } });
    return takeBack;
  }

  #count(one: Candidate): void {
    const at = this.#world.scheduler.nowMs;
    const exposedMs = Math.max(0, Math.min(at, one.leaseEndsAt) - one.countedAt);
    if (one.exposedAt !== null) one.requests += (exposedMs / 1000) * requestsPerSecond * one.share;
    one.countedAt = at;
  }

  #status() {
    const { current, change, candidate, records } = this.#kept;
    const common = { engine: 'builtin', pid: 1, requests: 0, errors: 0 } as const;
    const active = {
      ...common,
      generation: 1,
      role: 'active',
      state: 'accepting',
      siteHash: current.hash,
      change,
    };
    const flying = candidate && {
      ...active,
      generation: 2,
      role: 'candidate',
      change: candidate.change,
      siteHash: candidate.site.hash,
    };
    return {
      balancer: this.name,
      engine: 'builtin',
      version: '1',
      carried: null,
      certificates: [],
      addresses: ['127.0.0.1:80'],
      lastGoodHash: current.hash,
      lastRecord: records.length,
      generations: flying ? [active, flying] : [active],
    };
  }
}

const answering = {
  address: '127.0.0.1:1',
  ok: true,
  tried: 'TCP connect',
  answered: 'connected in 1 ms',
  tookMs: 1,
} as const;

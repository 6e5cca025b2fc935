import { assert, type Clock, Failure } from '#base';
import type { BalancerPort, SiteKeeper } from '#change';
import type {
  BalancerCall,
  BalancerCalls,
  BalancerStatus,
  CandidateObservation,
  CandidateResult,
  SiteText,
} from '#contract';
import { type GuardRecord, noCounts, type TakeBack } from '#events';

/** A balancer that does as an agent would, without processes: lease, guard records, promotion, going back. */
export interface ScriptedBalancer extends BalancerPort {
  /** Answers of single calls to use instead; a function that throws is a balancer that says no. */
  readonly script: Partial<{
    [C in BalancerCall]: (input: BalancerCalls[C]['input']) => BalancerCalls[C]['output'];
  }>;
  /** While set, no call is answered. */
  silent: boolean;
  /** Real requests a second that the candidate would get at a share of 1. */
  requestsPerSecond: number;
  /** The guard takes the candidate back this long after its first exposure; null: never. */
  guardActsAfterMs: number | null;
  /** What a candidate says of itself when it has started. */
  candidateSays: Partial<Pick<CandidateResult, 'serversDown' | 'witnesses'>>;
  /** What it was asked, in order: `expose 0.5`. */
  readonly asked: string[];
  readonly candidate: { readonly change: string; readonly share: number } | null;
  readonly lastGood: SiteText;
  takeBacks(): number;
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

export function scriptedBalancer(name: string, clock: Clock, site: SiteText): ScriptedBalancer {
  return new Scripted(name, clock, site);
}

type Answers = { [C in BalancerCall]: (input: BalancerCalls[C]['input']) => BalancerCalls[C]['output'] };

class Scripted implements ScriptedBalancer {
  readonly name: string;
  readonly script: ScriptedBalancer['script'] = {};
  readonly asked: string[] = [];
  silent = false;
  requestsPerSecond = 200;
  guardActsAfterMs: number | null = null;
  candidateSays: ScriptedBalancer['candidateSays'] = {};
  readonly #clock: Clock;
  readonly #records: GuardRecord[] = [];
  readonly #good: { site: SiteText; change: string | null }[];
  readonly #takenBack = new Map<string, TakeBack>();
  #candidate: Candidate | null = null;

  constructor(name: string, clock: Clock, site: SiteText) {
    this.name = name;
    this.#clock = clock;
    this.#good = [{ site, change: null }];
  }

  get candidate() {
    return this.#candidate && { change: this.#candidate.change, share: this.#candidate.share };
  }

  get lastGood(): SiteText {
    const good = this.#good.at(-1);
    assert(good, 'something is always good');
    return good.site;
  }

  takeBacks(): number {
    return this.#records.filter(({ what }) => what.kind === 'tookBack').length;
  }

  async call<C extends BalancerCall>(
    call: C,
    input: BalancerCalls[C]['input'],
  ): Promise<BalancerCalls[C]['output']> {
    await null;
    this.#elapse();
    if (this.silent) throw new Failure('HF304', `${this.name}: no answer to ${call}`);
    this.asked.push('share' in input ? `${call} ${input.share}` : call);
    const answers: Answers = { ...this.#own, ...this.script };
    return answers[call](input);
  }

  readonly #own: Answers = {
    status: () => this.#status(),
    check: () => ({
      accepted: true,
      engine: 'builtin',
      version: '1',
      output: '',
      diagnostics: [],
      tookMs: 1,
    }),
    probe: ({ servers }) => servers.map((server) => ({ ...server, ...answering })),
    rehearse: () => ({
      ok: true,
      startMs: 20,
      memoryBytes: 8e6,
      witnesses: [{ request: 'GET http://shop.example/', expected: 'pool web', got: 'pool web', ok: true }],
      replaced: [],
    }),
    wayBack: () => ({
      ok: true,
      generation: this.#good.length,
      tried: [{ what: 'a request by its entrance', ok: true, answered: '200' }],
    }),
    tryRoutes: () => ({
      asked: [{ request: 'GET http://shop.example/', status: 200, worse: false }],
      unasked: [],
    }),
    drift: () => ({ found: [], mended: [] }),
    inPlace: () => ({ changes: null, why: 'it cannot be told' }),
    candidateInPlace: ({ site, change }) => this.#start(site, change),
    candidate: ({ site, change }) => this.#start(site, change),
    expose: ({ change, share, leaseMs }) => this.#expose(change, share, leaseMs),
    observe: ({ change }) => this.#observe(change),
    promote: ({ change }) => this.#promote(change),
    rollback: ({ change, reason }) => this.#rollback(change, reason),
    records: ({ after }) => this.#records.filter(({ number }) => number > after),
    ticks: () => ({ life: 1, ticks: [] }),
    note: () => null,
    stop: () => null,
  };

  #status(): BalancerStatus {
    const active = {
      generation: this.#good.length,
      engine: 'builtin',
      pid: 1,
      role: 'active',
      state: 'accepting',
      siteHash: this.lastGood.hash,
      change: this.#good.at(-1)?.change ?? null,
      requests: 0,
      errors: 0,
    } as const;
    return {
      balancer: this.name,
      engine: 'builtin',
      version: '1',
      carried: null,
      certificates: [],
      addresses: ['127.0.0.1:80'],
      lastGoodHash: this.lastGood.hash,
      lastRecord: this.#records.length,
      generations: this.#candidate
        ? [active, { ...active, ...this.#candidateStatus(this.#candidate) }]
        : [active],
    };
  }

  #candidateStatus({ change, site }: Candidate) {
    return { generation: this.#good.length + 1, role: 'candidate', change, siteHash: site.hash } as const;
  }

  #start(site: SiteText, change: string) {
    const now = this.#clock.monotonicMs();
    this.#candidate = {
      change,
      site,
      share: 0,
      leaseEndsAt: now,
      exposedAt: null,
      requests: 0,
      countedAt: now,
    };
    return {
      generation: this.#good.length + 1,
      pid: 2,
      startMs: 10,
      serversDown: [],
      witnesses: [],
      ...this.candidateSays,
    };
  }

  #expose(change: string, share: number, leaseMs: number): null {
    const candidate = this.#candidateOf(change);
    const now = this.#clock.monotonicMs();
    this.#count(candidate);
    candidate.exposedAt ??= now;
    candidate.share = share;
    candidate.leaseEndsAt = now + leaseMs;
    return null;
  }

  #observe(change: string): CandidateObservation {
    const back = this.#takenBack.get(change) ?? null;
    const candidate = back ? null : this.#candidateOf(change);
    return {
      candidate: back?.evidence.candidate ?? { ...noCounts, requests: Math.floor(candidate?.requests ?? 0) },
      incumbent: noCounts,
      observedShare: candidate?.share ?? 0,
      eValue: 1,
      takenBack: back,
      exposedMs: candidate?.exposedAt == null ? 0 : this.#clock.monotonicMs() - candidate.exposedAt,
    };
  }

  #promote(change: string): null {
    this.#good.push({ site: this.#candidateOf(change).site, change });
    this.#candidate = null;
    return null;
  }

  #rollback(change: string | null, reason: string): TakeBack | null {
    if (this.#candidate && (change === null || this.#candidate.change === change))
      return this.#takeBack(change, 'person', reason);
    if (this.#good.length < 2 || (change !== null && this.#good.at(-1)?.change !== change)) return null;
    this.#good.pop();
    return this.#takeBack(change, 'person', reason);
  }

  #candidateOf(change: string): Candidate {
    if (this.#candidate?.change !== change) throw new Error(`no candidate of ${change}`);
    return this.#candidate;
  }

  #takeBack(change: string | null, cause: string, reason: string): TakeBack {
    const at = this.#clock.now();
    const requests = Math.floor(this.#candidate?.requests ?? 0);
    const errors = cause === 'errors' ? Math.ceil(requests * 0.9) : 0;
    const evidence = {
      cause,
      exposedAt: at - 100,
      firstBadAt: errors > 0 ? at - 50 : null,
      candidate: { ...noCounts, requests, errors },
      incumbent: noCounts,
      serversDown: [],
      errorLines: [],
    };
    const done = {
      change,
      from: 2,
      to: 1,
      reason,
      decidedAt: at,
      doneAt: at,
      rung: 1,
      steps: [],
      evidence,
    } as const;
    if (change) this.#takenBack.set(change, done);
    this.#candidate = null;
    const number = this.#records.length + 1;
    this.#records.push({ number, at, balancer: this.name, what: { kind: 'tookBack', takeBack: done } });
    return done;
  }

  #count(one: Candidate): void {
    const now = this.#clock.monotonicMs();
    const exposedMs = Math.max(0, Math.min(now, one.leaseEndsAt) - one.countedAt);
    if (one.exposedAt !== null) one.requests += (exposedMs / 1000) * this.requestsPerSecond * one.share;
    one.countedAt = now;
  }

  /** What the guard and the lease do by themselves, brought up to now. */
  #elapse(): void {
    const candidate = this.#candidate;
    if (!candidate || candidate.exposedAt === null) return;
    this.#count(candidate);
    const exposedMs = this.#clock.monotonicMs() - candidate.exposedAt;
    if (this.guardActsAfterMs !== null && exposedMs >= this.guardActsAfterMs)
      this.#takeBack(candidate.change, 'errors', 'nine of ten requests failed');
    else if (this.#clock.monotonicMs() > candidate.leaseEndsAt)
      this.#takeBack(candidate.change, 'lease', 'the lease was not renewed');
  }
}

const answering = {
  address: '127.0.0.1:1',
  ok: true,
  tried: 'TCP connect',
  answered: 'connected in 1 ms',
  tookMs: 1,
} as const;

/** Where the site's text is kept, without a disk. */
export function memoryKeeper(first: SiteText): SiteKeeper {
  let kept = [first];
  return {
    current: () => kept[0] ?? first,
    async stage(next) {
      kept = [...kept.slice(0, 2), next];
    },
    async settle(hash) {
      const found = kept.find((text) => text.hash === hash);
      if (!found) return false;
      kept = [found, ...kept.filter((text) => text !== found)].slice(0, 2);
      return true;
    },
  };
}

import { messageOf } from '#base';
import type { CandidateObservation, SiteText } from '#contract';
import { comparison, type HistoryTick } from '#detect';
import type { EngineControl, Evidence, ServerEvidence } from '#engines';
import { type Counts, type GuardRecord, noCounts, type TakeBack, type TakeBackEvidence } from '#events';
import type { GuardPolicy, Site } from '#model';
import type { Fleet } from './fleet.ts';
import { type CandidateWatch, watchCandidate } from './guard/watch.ts';
import type { HeldGeneration } from './holder/protocol.ts';
import type { InPlace, Intent } from './in-place.ts';
import { inWords } from './in-place-words.ts';

const evidenceMsMax = 80;
/** Dearer than counters. */
const serversEveryTicks = 5;
const serversMsMax = 500;
const startMsMax = 5_000;
const comparisonAlpha = 1e-6;
/** What speaks of everybody's requests, whoever answered them. */
const counted: readonly string[] = ['errors', 'serverTrouble', 'netUses'];

export interface InPlaceFlightOptions {
  readonly fleet: Fleet;
  readonly inPlace: InPlace;
  readonly intent: Intent;
  readonly active: HeldGeneration;
  readonly change: string;
  readonly text: SiteText;
  readonly site: Site;
  readonly policy: GuardPolicy;
  readonly history: readonly HistoryTick[];
  readonly isAlarmed: () => boolean;
  readonly record: (what: GuardRecord['what']) => void;
}

/** Requests, errors and faults of some servers. */
interface Sum {
  readonly requests: number;
  readonly errors: number;
}

/** A change that the running generations are told of, from the telling to its promotion or taking back. */
export class InPlaceFlight {
  readonly kind = 'in place';
  readonly options: InPlaceFlightOptions;
  readonly #worse = comparison({ alpha: comparisonAlpha });
  #told: Promise<void> | null = null;
  /** What was wrong before is no evidence of it: from then on only the others at the same moment speak, where there are some. */
  #wasWrong = false;
  #watch: CandidateWatch | null = null;
  #start: Evidence | null = null;
  #before: { readonly receivers: Sum; readonly others: Sum } | null = null;
  #counts = { receivers: { requests: 0, errors: 0 }, others: { requests: 0, errors: 0 } };
  #exposedAt: number | null = null;
  #exposedSinceMs = 0;
  #firstBadAt: number | null = null;
  #leaseUntilMs = Number.POSITIVE_INFINITY;
  #ticks = 0;
  #ended = false;
  #takingBack: Promise<TakeBack> | null = null;
  takenBack: TakeBack | null = null;

  constructor(options: InPlaceFlightOptions) {
    this.options = options;
  }

  get #clock() {
    return this.options.fleet.options.clock;
  }

  get #control(): EngineControl {
    return this.options.fleet.control(this.options.active);
  }

  /** The share is all or nothing: the first call tells the engines, each one renews. */
  async expose(_share: number, leaseMs: number, _requestsMax: number | null): Promise<void> {
    if (this.#ended) return;
    this.#leaseUntilMs = this.#clock.monotonicMs() + leaseMs;
    this.#told ??= this.#tell();
    await this.#told;
  }

  async #tell(): Promise<void> {
    const { inPlace, intent, history, policy } = this.options;
    try {
      const { fleet, active } = this.options;
      await fleet.withOwnControl(active, async (control) => {
        this.#start = await control.evidence(startMsMax);
        this.#before = this.#sums(await control.servers(startMsMax));
      });
      const start = this.#start;
      if (!start) return;
      const liveServersShareMin = policy.limits.liveServersShareMin;
      this.#watch = watchCandidate({
        candidateStart: start,
        incumbentStart: start,
        history,
        liveServersShareMin,
        clock: null,
      });
      this.#wasWrong = this.options.isAlarmed() && this.#receivers().length > 0;
      this.#exposedAt = this.#clock.now();
      this.#exposedSinceMs = this.#clock.monotonicMs();
      await inPlace.do(intent);
    } catch (error) {
      await this.takeBack('lease', `the engine did not take it: ${messageOf(error)}`);
    }
  }

  async tick(): Promise<void> {
    if (this.#ended || !this.#watch) return;
    if (this.#clock.monotonicMs() > this.#leaseUntilMs) {
      await this.takeBack('lease', 'the lease was not renewed');
      return;
    }
    this.#ticks += 1;
    const evidence = await this.#control.evidence(evidenceMsMax).catch(() => null);
    if (this.#ended || !this.#start) return;
    const all = this.#watch.tick(evidence && this.#asMeant(evidence), this.#start);
    const verdict =
      (this.#wasWrong && all && counted.includes(all.cause) ? null : all) ??
      (this.#ticks % serversEveryTicks === 0 ? await this.#serversVerdict() : null);
    if (this.#watch.firstBad) this.#firstBadAt ??= this.#clock.now();
    if (verdict && !this.#ended) await this.takeBack(verdict.cause, verdict.reason);
  }

  /** Of servers that go, or are in maintenance, none is missed. */
  #asMeant(evidence: Evidence): Evidence {
    const { pools } = this.options.site;
    const meant = (pool: string) =>
      pools.find(({ name }) => name === pool)?.servers.filter((s) => !s.spare && !s.maintenance).length;
    return {
      ...evidence,
      pools: evidence.pools.map((pool) => ({ ...pool, serversAll: meant(pool.pool) ?? pool.serversAll })),
    };
  }

  /** Who gets more requests than before is compared with the others of his pool, at the same moment. */
  async #serversVerdict(): Promise<{ cause: TakeBackEvidence['cause']; reason: string } | null> {
    const servers = await this.#control.servers(serversMsMax).catch(() => null);
    if (!servers || !this.#before) return null;
    const down = servers.find((s) => this.#isReceiver(s) && s.state === 'down');
    if (down)
      return { cause: 'liveServers', reason: `${down.pool}/${down.server} is down: ${down.lastCheck}` };
    const now = this.#sums(servers);
    const since = (key: keyof typeof now, from: typeof now) => ({
      requests: now[key].requests - from[key].requests,
      errors: now[key].errors - from[key].errors,
    });
    const before = this.#counts;
    this.#counts = { receivers: since('receivers', this.#before), others: since('others', this.#before) };
    const { receivers, others } = this.#counts;
    const { refuse } = this.#worse.add({
      candidateRequests: receivers.requests - before.receivers.requests,
      candidateErrors: receivers.errors - before.receivers.errors,
      incumbentRequests: others.requests - before.others.requests,
      incumbentErrors: others.errors - before.others.errors,
    });
    if (!refuse) return null;
    const names = this.#receivers().join(', ');
    const reason = `${names} fails more than the others: ${receivers.errors} with ${receivers.requests} requests`;
    return { cause: 'comparison', reason };
  }

  #receivers(): string[] {
    return this.options.intent.changes
      .filter(
        (change) =>
          (change.kind === 'add' && !change.maintenance) ||
          (change.kind === 'weight' && change.weight > change.before) ||
          (change.kind === 'maintenance' && !change.on),
      )
      .map(({ pool, server }) => `${pool}/${server}`);
  }

  #isReceiver({ pool, server }: ServerEvidence): boolean {
    return this.#receivers().includes(`${pool}/${server}`);
  }

  #sums(servers: readonly ServerEvidence[]): { receivers: Sum; others: Sum } {
    const pools = new Set(this.options.intent.changes.map(({ pool }) => pool));
    const of = (some: readonly ServerEvidence[]) => ({
      requests: some.reduce((sum, s) => sum + s.requests, 0),
      errors: some.reduce((sum, s) => sum + s.errors + (s.faults ?? 0), 0),
    });
    const concerned = servers.filter(({ pool }) => pools.has(pool));
    return {
      receivers: of(concerned.filter((s) => this.#isReceiver(s))),
      others: of(concerned.filter((s) => !this.#isReceiver(s))),
    };
  }

  /** Idempotent: the first reason stands. */
  takeBack(cause: TakeBackEvidence['cause'], reason: string): Promise<TakeBack> {
    this.#takingBack ??= this.#takeBack(cause, reason);
    return this.#takingBack;
  }

  async #takeBack(cause: TakeBackEvidence['cause'], reason: string): Promise<TakeBack> {
    this.end();
    const { inPlace, intent, active, change, record } = this.options;
    const decidedAt = this.#clock.now();
    const servers = await this.#control.servers(serversMsMax).catch((): ServerEvidence[] => []);
    const errorLines = await this.#control.errors(20, serversMsMax).catch((): string[] => []);
    const began = this.#clock.monotonicMs();
    const ok = await inPlace.undo(intent).then(
      () => true,
      () => false,
    );
    const tookMs = this.#clock.monotonicMs() - began;
    const steps = intent.changes.map((one) => ({ what: `take back: ${inWords(one)}`, ok, tookMs }));
    const { candidate, incumbent } = this.#observed();
    const serversDown = servers
      .filter((s) => s.state === 'down' && this.#isReceiver(s))
      .map(({ pool, server, lastCheck }) => ({ pool, server, lastCheck }));
    const [exposedAt, firstBadAt] = [this.#exposedAt, this.#firstBadAt];
    const evidence = { cause, exposedAt, firstBadAt, candidate, incumbent, serversDown, errorLines };
    const { generation } = active;
    const times = { decidedAt, doneAt: this.#clock.now(), rung: 1 as const };
    this.takenBack = { change, from: generation, to: generation, reason, ...times, steps, evidence };
    record({ kind: 'tookBack', takeBack: this.takenBack });
    return this.takenBack;
  }

  /** Where somebody gets more requests than before, he and the others of his pool; else everybody, and nobody beside. */
  #observed(): { readonly candidate: Counts; readonly incumbent: Counts } {
    if (this.#receivers().length === 0)
      return { candidate: this.#watch?.candidate ?? noCounts, incumbent: noCounts };
    const { receivers, others } = this.#counts;
    return { candidate: { ...noCounts, ...receivers }, incumbent: { ...noCounts, ...others } };
  }

  observation(): CandidateObservation {
    const { candidate, incumbent } = this.#observed();
    const all = candidate.requests + incumbent.requests;
    return {
      candidate,
      incumbent,
      observedShare: all === 0 ? 0 : candidate.requests / all,
      eValue: this.#worse.verdict().eValue,
      takenBack: this.takenBack,
      exposedMs: this.#exposedAt === null ? 0 : this.#clock.monotonicMs() - this.#exposedSinceMs,
    };
  }

  end(): void {
    this.#ended = true;
  }
}

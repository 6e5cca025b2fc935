import { type Clock, messageOf } from '#base';
import type { CandidateObservation, SiteText } from '#contract';
import type { HistoryTick } from '#detect';
import type { EngineControl, Evidence } from '#engines';
import type { GuardRecord, TakeBack, TakeBackEvidence } from '#events';
import type { Site } from '#model';
import { noCounts } from './evidence.ts';
import { type Exposer, exposer } from './exposer.ts';
import type { Fleet, Launched } from './fleet.ts';
import { type CandidateWatch, tickMs, watchCandidate } from './guard/watch.ts';

/** An engine that does not answer within this is counted as silent for the tick. */
const evidenceMsMax = 80;
/** The last evidence is read between parking and draining, which is 100 ms. */
const lastEvidenceMsMax = 60;
const errorLinesMax = 20;

/** One candidate from its start to its promotion or taking back. */
export interface Flight {
  readonly change: string;
  readonly text: SiteText;
  readonly site: Site;
  readonly launched: Launched;
  expose(share: number, leaseMs: number, requestsMax: number | null): Promise<void>;
  /** One tick of the guard; takes the candidate back when it has to go. */
  tick(): Promise<void>;
  takeBack(cause: TakeBackEvidence['cause'], reason: string): Promise<TakeBack>;
  observation(): CandidateObservation;
  /** Nothing is exposed or watched from here on. */
  end(): void;
  readonly takenBack: TakeBack | null;
}

export interface FlightOptions {
  readonly fleet: Fleet;
  readonly incumbent: { readonly generation: number; readonly control: EngineControl };
  readonly launched: Launched;
  readonly change: string;
  readonly text: SiteText;
  readonly site: Site;
  readonly history: readonly HistoryTick[];
  readonly record: (what: GuardRecord['what']) => void;
}

export function startFlight(options: FlightOptions): Flight {
  const { fleet, incumbent, launched, change, text, site } = options;
  const { clock, log } = fleet.options;
  const candidate = launched.control;
  const slices: Exposer = exposer({
    holder: fleet.holder,
    generation: launched.generation,
    clock,
    failed: (error) => log.warn('exposure ended', { error: messageOf(error) }),
  });
  let watch: CandidateWatch | null = null;
  let exposedAt: number | null = null;
  let exposedSinceMs = 0;
  let firstBadAt: number | null = null;
  let requestsMax: number | null = null;
  let takingBack: Promise<TakeBack> | null = null;
  let takenBack: TakeBack | null = null;
  let ended = false;

  async function beginWatch(): Promise<void> {
    const [candidateStart, incumbentStart] = await Promise.all([
      candidate.evidence(500),
      incumbent.control.evidence(500),
    ]);
    watch = watchCandidate({
      candidateStart,
      incumbentStart,
      history: options.history,
      liveServersShareMin: site.guard.limits.liveServersShareMin,
    });
    exposedAt = clock.now();
    exposedSinceMs = clock.monotonicMs();
  }

  function evidence(): TakeBackEvidence {
    return {
      cause: 'person',
      exposedAt,
      firstBadAt,
      candidate: watch?.candidate ?? noCounts,
      incumbent: watch?.incumbent ?? noCounts,
      serversDown: [],
      errorLines: [],
    };
  }

  async function doTakeBack(cause: TakeBackEvidence['cause'], reason: string): Promise<TakeBack> {
    slices.stop();
    ended = true;
    const moved = fleet.holder.call(
      'takeBack',
      { from: launched.generation, to: incumbent.generation },
      2_000,
    );
    const [done, last] = await Promise.all([moved, lastEvidence(candidate, clock)]);
    const latest = last.evidence;
    if (latest && watch)
      await watch.tick(latest, await incumbent.control.evidence(evidenceMsMax).catch(() => latest));
    takenBack = {
      change,
      from: launched.generation,
      to: incumbent.generation,
      reason,
      decidedAt: done.decidedAt,
      doneAt: done.doneAt,
      rung: done.rung,
      steps: done.steps,
      evidence: { ...evidence(), cause, serversDown: last.serversDown, errorLines: last.errorLines },
    };
    options.record({ kind: 'tookBack', takeBack: takenBack });
    return takenBack;
  }

  function takeBack(cause: TakeBackEvidence['cause'], reason: string): Promise<TakeBack> {
    takingBack ??= doTakeBack(cause, reason);
    return takingBack;
  }

  return {
    change,
    text,
    site,
    launched,
    async expose(share, leaseMs, most) {
      if (!watch) await beginWatch();
      requestsMax = most;
      const enough = most !== null && (watch?.candidate.requests ?? 0) >= most;
      if (!ended && !enough) slices.set(share, clock.monotonicMs() + leaseMs);
    },
    async tick() {
      if (!watch || ended) return;
      const [now, other] = await Promise.all([
        candidate.evidence(evidenceMsMax).catch(() => null),
        incumbent.control.evidence(evidenceMsMax).catch(() => null),
      ]);
      if (!other || ended) return;
      const verdict = watch.tick(now, other);
      if (watch.firstBad) firstBadAt ??= clock.now() - tickMs / 2;
      if (verdict) {
        await takeBack(verdict.cause, verdict.reason);
        return;
      }
      if (watch.recentShare !== null) slices.observed(watch.recentShare);
      if (requestsMax !== null && watch.candidate.requests >= requestsMax) slices.set(0, 0);
    },
    takeBack,
    observation() {
      const c = watch?.candidate ?? noCounts;
      const i = watch?.incumbent ?? noCounts;
      const all = c.requests + i.requests;
      return {
        candidate: c,
        incumbent: i,
        observedShare: all === 0 ? 0 : c.requests / all,
        eValue: watch?.eValue ?? 1,
        takenBack,
        exposedMs: exposedAt === null ? 0 : clock.monotonicMs() - exposedSinceMs,
      };
    },
    end() {
      ended = true;
      slices.stop();
    },
    get takenBack() {
      return takenBack;
    },
  };
}

/** What the candidate still can say of itself, before it is drained. */
async function lastEvidence(control: EngineControl, clock: Clock) {
  const began = clock.monotonicMs();
  const [evidence, servers, errorLines] = await Promise.all([
    control.evidence(lastEvidenceMsMax).catch((): Evidence | null => null),
    control.servers(lastEvidenceMsMax).catch(() => []),
    control.errors(errorLinesMax, lastEvidenceMsMax).catch((): string[] => []),
  ]);
  const serversDown = servers
    .filter((s) => s.state === 'down')
    .map(({ pool, server, lastCheck }) => ({ pool, server, lastCheck }));
  return { evidence, serversDown, errorLines, tookMs: clock.monotonicMs() - began };
}

import { Failure, messageOf } from '#base';
import type { CandidateObservation, SiteText } from '#contract';
import type { HistoryTick } from '#detect';
import type { EngineControl, Evidence } from '#engines';
import { type GuardRecord, noCounts, type TakeBack, type TakeBackEvidence } from '#events';
import type { GuardPolicy, Site } from '#model';
import { takeBackByHand } from './by-hand.ts';
import { Exposer } from './exposer.ts';
import { calmMs, type Fleet, type Launched } from './fleet.ts';
import { type MemoryWatch, watchMemory } from './guard/memory.ts';
import { type CandidateWatch, tickMs, watchCandidate } from './guard/watch.ts';
import type { HolderTakeBack } from './holder/protocol.ts';

/** An engine that does not answer within this is counted as silent for the tick. */
const evidenceMsMax = 80;
/** The last evidence is read between parking and draining, which is 100 ms. */
const lastEvidenceMsMax = 60;
const errorLinesMax = 20;
/** Of the candidate, while the way back is tried in public. */
const slicedShare = 0.8;
/** Signals and their reading back take 2 ms, a kill of an engine that hangs 50 ms more. */
const holderMsMax = 250;

export interface FlightOptions {
  readonly fleet: Pick<Fleet, 'holder'> & { readonly options: Pick<Fleet['options'], 'clock' | 'log'> };
  readonly incumbent: { readonly generation: number; readonly pid: number; readonly control: EngineControl };
  readonly launched: Launched;
  readonly change: string;
  readonly text: SiteText;
  readonly site: Site;
  /** The running site's: a change is not judged by the policy that it brings. */
  readonly policy: GuardPolicy;
  /** What the incumbent did before: the baseline. */
  readonly history: readonly HistoryTick[];
  readonly record: (what: GuardRecord['what']) => void;
  /** What a process and its children hold of the machine's memory. */
  readonly bytesOf: (pid: number) => number;
}

/** One candidate from its start to its promotion or taking back. */
export class Flight {
  readonly kind = 'generation';
  readonly options: FlightOptions;
  readonly #slices: Exposer;
  #watch: CandidateWatch | null = null;
  #memory: MemoryWatch | null = null;
  #exposedAt: number | null = null;
  #exposedSinceMs = 0;
  #firstBadAt: number | null = null;
  #requestsMax: number | null = null;
  #share = 0;
  #leaseUntilMs = 0;
  #slicing = false;
  /** The incumbent has answered in a slice of public traffic while the candidate had the rest. */
  slicedBack = false;
  #takingBack: Promise<TakeBack> | null = null;
  #ended = false;
  takenBack: TakeBack | null = null;

  constructor(options: FlightOptions) {
    this.options = options;
    const { fleet, launched } = options;
    this.#slices = new Exposer({
      holder: fleet.holder,
      generation: launched.generation,
      clock: fleet.options.clock,
      failed: (error) => fleet.options.log.warn('exposure ended', { error: messageOf(error) }),
    });
  }

  /** Gives the candidate its share of new connections for `leaseMs`, or until it had `requestsMax` requests. */
  async expose(share: number, leaseMs: number, requestsMax: number | null): Promise<void> {
    const watch = this.#watch ?? (await this.#beginWatch());
    this.#requestsMax = requestsMax;
    const enough = requestsMax !== null && watch.candidate.requests >= requestsMax;
    this.#share = share;
    this.#leaseUntilMs = this.#clock.monotonicMs() + leaseMs;
    if (!this.#ended && !enough) this.#setSlices();
  }

  #setSlices(): void {
    const share = this.#slicing ? Math.min(this.#share, slicedShare) : this.#share;
    this.#slices.set(share, this.#leaseUntilMs);
  }

  /** The incumbent has a part of new connections while `work` goes on, whatever the step. */
  async slice<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw new Error('the change has ended');
    this.#slicing = true;
    this.#setSlices();
    try {
      const done = await work();
      this.slicedBack = true;
      return done;
    } finally {
      this.#slicing = false;
      if (!this.#ended) this.#setSlices();
    }
  }

  /** One tick of the guard; takes the candidate back when it has to go. */
  async tick(): Promise<void> {
    const watch = this.#watch;
    if (!watch || this.#ended) return;
    const { launched, incumbent } = this.options;
    const [candidate, other] = await Promise.all([
      launched.control.evidence(evidenceMsMax).catch(() => null),
      incumbent.control.evidence(evidenceMsMax).catch(() => null),
    ]);
    if (this.#ended) return;
    const verdict = watch.tick(candidate, other) ?? this.#memory?.tick() ?? null;
    // Somewhere in the tick that just ended, and not before the exposure.
    if (watch.firstBad) this.#firstBadAt ??= Math.max(this.#exposedAt ?? 0, this.#clock.now() - tickMs / 2);
    if (verdict) {
      await this.takeBack(verdict.cause, verdict.reason);
      return;
    }
    if (watch.recentShare !== null) this.#slices.observed(watch.recentShare);
    if (this.#requestsMax !== null && watch.candidate.requests >= this.#requestsMax) this.#slices.pause();
  }

  /** Idempotent: the first reason stands. */
  takeBack(cause: TakeBackEvidence['cause'], reason: string): Promise<TakeBack> {
    this.#takingBack ??= this.#takeBack(cause, reason);
    return this.#takingBack;
  }

  observation(): CandidateObservation {
    const candidate = this.#watch?.candidate ?? noCounts;
    const incumbent = this.#watch?.incumbent ?? noCounts;
    const all = candidate.requests + incumbent.requests;
    return {
      candidate,
      incumbent,
      observedShare: all === 0 ? 0 : candidate.requests / all,
      eValue: this.#watch?.eValue ?? 1,
      takenBack: this.takenBack,
      exposedMs: this.#exposedAt === null ? 0 : this.#clock.monotonicMs() - this.#exposedSinceMs,
    };
  }

  /** Nothing is exposed or watched from here on. */
  end(): void {
    this.#ended = true;
    this.#slices.stop();
  }

  /** Promoted, taken back, or about to be. */
  get isOver(): boolean {
    return this.#ended;
  }

  get #clock() {
    return this.options.fleet.options.clock;
  }

  async #beginWatch(): Promise<CandidateWatch> {
    const { launched, incumbent, history, policy, bytesOf } = this.options;
    const [candidateStart, incumbentStart] = await Promise.all([
      launched.control.evidence(calmMs),
      incumbent.control.evidence(calmMs),
    ]);
    this.#watch ??= watchCandidate({
      candidateStart,
      incumbentStart,
      history,
      liveServersShareMin: policy.limits.liveServersShareMin,
      clock: this.#clock,
    });
    const factorMax = policy.rehearsal.memoryFactorMax;
    this.#memory ??= watchMemory({ candidate: launched.pid, incumbent: incumbent.pid, factorMax, bytesOf });
    this.#exposedAt = this.#clock.now();
    this.#exposedSinceMs = this.#clock.monotonicMs();
    return this.#watch;
  }

  /** By the holder; when that hangs or is gone, by the same signals from here. Its successor finds things as they are then. */
  async #moveBack(): Promise<HolderTakeBack> {
    const { fleet, launched, incumbent, policy } = this.options;
    const drainMs = policy.drainTimeoutMs;
    const asked = { from: launched.generation, to: incumbent.generation, drainMs };
    try {
      return await fleet.holder.call('takeBack', asked, holderMsMax);
    } catch (error) {
      // One that answers knows better: the incumbent has ended, say, and the candidate is all that is left.
      if (error instanceof Failure) return this.#notMoved(error);
      fleet.options.log.error('the holder did not take back, so the agent does', { error: messageOf(error) });
      return await takeBackByHand(this.#clock, incumbent.control, launched.control);
    }
  }

  #notMoved({ message }: Failure): HolderTakeBack {
    const at = this.#clock.now();
    const steps = [{ what: `taking back, refused by the holder: ${message}`, ok: false, tookMs: 0 }];
    this.options.fleet.options.log.error('the candidate could not be taken back', { error: message });
    return { decidedAt: at, doneAt: at, rung: 1, steps };
  }

  async #takeBack(cause: TakeBackEvidence['cause'], reason: string): Promise<TakeBack> {
    this.end();
    const { launched, incumbent, change, record } = this.options;
    const { generation: from } = launched;
    const { generation: to } = incumbent;
    const [done, last] = await Promise.all([this.#moveBack(), lastEvidence(launched.control)]);
    if (last.evidence && this.#watch) {
      const now = await incumbent.control.evidence(evidenceMsMax).catch(() => null);
      if (now) this.#watch.tick(last.evidence, now);
    }
    launched.control.close();
    const evidence: TakeBackEvidence = {
      cause,
      exposedAt: this.#exposedAt,
      firstBadAt: this.#firstBadAt,
      candidate: this.#watch?.candidate ?? noCounts,
      incumbent: this.#watch?.incumbent ?? noCounts,
      serversDown: last.serversDown,
      errorLines: last.errorLines,
    };
    this.takenBack = { change, from, to, reason, ...done, evidence };
    record({ kind: 'tookBack', takeBack: this.takenBack });
    return this.takenBack;
  }
}

/** What the candidate still can say of itself, before it is drained. */
async function lastEvidence(control: EngineControl) {
  const [evidence, servers, errorLines] = await Promise.all([
    control.evidence(lastEvidenceMsMax).catch((): Evidence | null => null),
    control.servers(lastEvidenceMsMax).catch(() => []),
    control.errors(errorLinesMax, lastEvidenceMsMax).catch((): string[] => []),
  ]);
  const serversDown = servers
    .filter((s) => s.state === 'down')
    .map(({ pool, server, lastCheck }) => ({ pool, server, lastCheck }));
  return { evidence, serversDown, errorLines };
}

import { assert, type Clock, Failure, type Log, silentLog } from '#base';
import type { ApplyRequest, ChangeView, Progress, RollbackView } from '#contract';
import type { AskedFor, Journal } from '#events';
import type { WrittenText } from '#model';
import { approveChange, confirmChange } from './approvals.ts';
import { type Book, openBook } from './book.ts';
import type { Proposal } from './gates/index.ts';
import { type GoBackParts, goBack } from './go-back.ts';
import { createHubs, tellOld } from './hubs.ts';
import { blameLate } from './late-blame.ts';
import { inFlight } from './ledger.ts';
import type { Stop } from './machine.ts';
import { createMissed, type Missed } from './missed.ts';
import { createOwed, type Owed } from './owed.ts';
import type { BalancerPort, Planner, SiteKeeper } from './ports.ts';
import { proposalOf, runningSite } from './proposal.ts';
import {
  bindingOf,
  changeId,
  differenceOf,
  namedAs,
  type ReadFile,
  type Reading,
  readText,
} from './reading.ts';
import { createRecordCollector, type RecordCollector } from './records.ts';
import { recoverChange } from './recover.ts';
import { journalBeforeTakeBackMs, runChange } from './running.ts';
import { aheadOf, type UnderWay, underWay } from './under-way.ts';

export interface PipelineParts {
  readonly journal: Journal;
  /** In the order in which they are canaried. */
  readonly balancers: readonly BalancerPort[];
  readonly sites: SiteKeeper;
  readonly planner: Planner;
  readonly clock: Clock;
  readonly readFile: ReadFile;
  readonly log?: Log;
}

/** Owns every change of one site, one at a time. */
export interface Pipeline {
  /**
   * Resolves once the proposal is on disk; the change goes on by itself. Rejects with HF108 (another is in flight),
   * HF109 (frozen), HF110 (forced without a reason), HF203 (the journal does not take it).
   */
  propose(request: ApplyRequest): Promise<ChangeView>;
  /** Somebody approves a change that is not in traffic yet. Rejects with HF404, HF114 (the author, or too late), HF203. */
  approve(change: string, by: string, reason: string): Promise<ChangeView>;
  /** A person says that a change which asked for it is as it should be. Rejects with HF404, HF117 (it waits for none, or too late), HF203. */
  confirm(change: string, by: string, reason: string): Promise<ChangeView>;
  /**
   * Takes back what is in traffic: the change in flight, or else what was promoted last. One that only waits for people
   * is abandoned besides. Works without the journal.
   */
  rollback(by: string, reason: string): Promise<RollbackView>;
  /** Ends the change in flight, and nothing else. Rejects with HF404 when there is none. */
  abort(by: string, reason: string): Promise<RollbackView>;
  /** Oldest first, from the journal alone. */
  views(): readonly ChangeView[];
  frozen(): string | null;
  inFlight(): ChangeView | null;
  /** A change is being proposed, is under way or is just ending. */
  busy(): boolean;
  /** What was, at once, then what comes; null when there is no such change. Returns the function that stops it. */
  watch(change: string, use: (line: Progress) => void): (() => void) | null;
  /** Once at the start, before anything is proposed: ends what an earlier controller left under way. */
  recover(): Promise<void>;
  /** Now and then: balancers that missed a take-back told again, what the disk did not take written, guard records into the journal. */
  tend(): Promise<void>;
}

interface Waiting {
  readonly view: ChangeView;
  readonly written: WrittenText;
  readonly newGeneration: boolean;
}

export function createPipeline(parts: PipelineParts): Pipeline {
  return new OneAtATime(parts);
}

class OneAtATime implements Pipeline {
  readonly #parts: PipelineParts;
  readonly #log: Log;
  readonly #book: Book;
  readonly #records: RecordCollector;
  readonly #hubs = createHubs();
  readonly #missed: Missed;
  readonly #owed: Owed;
  readonly #goBack: GoBackParts;
  /** Aborted when somebody has approved the change of that name. */
  readonly #heard = new Map<string, AbortController>();
  /** By change that has not ended: what an approval is of. */
  readonly #bindings = new Map<string, string>();
  #busy: UnderWay | null = null;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#log = parts.log ?? silentLog;
    this.#book = openBook(parts.journal);
    this.#records = createRecordCollector(this.#book, parts.balancers);
    this.#missed = createMissed(parts.balancers);
    this.#owed = createOwed(this.#log);
    this.#goBack = {
      ...parts,
      book: this.#book,
      records: this.#records,
      missed: this.#missed,
      owed: this.#owed,
    };
  }

  views(): readonly ChangeView[] {
    return [...this.#book.ledger().changes.values()];
  }

  frozen(): string | null {
    return this.#book.ledger().frozen;
  }

  inFlight(): ChangeView | null {
    return inFlight(this.#book.ledger());
  }

  busy(): boolean {
    return this.#busy !== null;
  }

  async propose(request: ApplyRequest): Promise<ChangeView> {
    if ((request.force || request.breakGlass) && !request.reason.trim())
      throw new Failure(
        'HF110',
        `${request.force ? 'a forced change' : 'a change past its review'} needs a reason`,
        'Add --reason "why".',
      );
    const { clock } = this.#parts;
    const renewal = this.#busy ? await this.#sameRenewal(this.#busy, request) : null;
    if (renewal) return renewal;
    if (this.#busy) throw aheadOf(this.#busy, this.#view(this.#busy.change), clock);
    const mine = underWay(request.by, request.file, clock.now());
    this.#busy = mine;
    try {
      return await this.#begin(request, mine);
    } catch (error) {
      this.#busy = null;
      throw error;
    }
  }

  /** The hook of a certificate client may come when its certificate was noticed already: that change is what it asks for. */
  async #sameRenewal({ by, change }: UnderWay, request: ApplyRequest): Promise<ChangeView | null> {
    if (by !== 'controller' || change === null || request.force) return null;
    const current = runningSite(this.#parts.sites);
    const named = namedAs(current.text, current.site, request);
    const { text } = await readText(named, this.#parts.readFile, this.#parts.clock.now());
    const view = this.#view(change);
    return view && view.siteHash === text.hash && this.#busy?.change === change ? view : null;
  }

  async #begin(request: ApplyRequest, mine: UnderWay): Promise<ChangeView> {
    const { sites, clock } = this.#parts;
    await this.#owed.pay();
    if (this.inFlight()) await this.recover();
    await blameLate(this.#book);
    const before = runningSite(sites);
    const named = namedAs(before.text, before.site, request);
    const reading = await readText(named, this.#parts.readFile, clock.now());
    await this.#release(request, reading);
    const frozen = this.frozen();
    if (frozen !== null)
      throw new Failure(
        'HF109',
        `the pipeline is frozen: ${frozen}`,
        'Read the incident, then `holdfast apply FILE --unfreeze`.',
      );
    const change = changeId(this.#book.ledger().changes.size + 1, request, clock.now());
    const { file, text, force, reason, by } = request;
    const difference = differenceOf(before.site, reading.site);
    const siteHash = reading.text.hash;
    await this.#book.append(by, {
      kind: 'change.proposed',
      change,
      file,
      siteHash,
      text,
      force,
      reason,
      difference,
      ...askedFor(request),
    });
    mine.change = change;
    const view = this.#view(change);
    assert(view, 'a change that was journalled is in the ledger');
    this.#start(view, reading, { before, newGeneration: request.newGeneration ?? false }, mine);
    return view;
  }

  /** Both are a person's decisions of their own, so each is an entry of its own. */
  async #release(request: ApplyRequest, { text }: Reading): Promise<void> {
    const ledger = this.#book.ledger();
    const reason = request.reason.trim() || `asked for with ${request.file}`;
    if (request.unfreeze && ledger.frozen !== null)
      await this.#book.append(request.by, { kind: 'pipeline.released', reason });
    if (request.release && ledger.quarantine.has(text.hash))
      await this.#book.append(request.by, { kind: 'quarantine.released', siteHash: text.hash, reason });
  }

  #start(
    view: ChangeView,
    reading: Reading,
    { before, newGeneration }: Pick<Proposal, 'before' | 'newGeneration'>,
    mine: UnderWay,
  ): void {
    const { balancers, sites, clock, planner } = this.#parts;
    const hub = this.#hubs.open(view.id);
    const shared = { view, book: this.#book, clock, hub };
    const heard = this.#heard;
    this.#bindings.set(view.id, bindingOf(reading, before.site));
    const proposal = proposalOf({
      ...shared,
      reading,
      before,
      newGeneration,
      mine,
      balancers,
      planner,
      heard,
    });
    mine.ended = runChange({
      ...shared,
      proposal,
      sites,
      records: this.#records,
      log: this.#log,
      owed: this.#owed,
      stopped: () => mine.stop,
      untold: this.#missed.remember,
    }).finally(() => {
      this.#bindings.delete(view.id);
      if (this.#busy === mine) this.#busy = null;
    });
  }

  async approve(change: string, by: string, reason: string): Promise<ChangeView> {
    const view = await approveChange(this.#book, change, this.#bindings.get(change) ?? null, { by, reason });
    this.#heard.get(change)?.abort();
    return view;
  }

  confirm(change: string, by: string, reason: string): Promise<ChangeView> {
    return confirmChange(this.#book, change, this.#parts.clock.now(), { by, reason });
  }

  async rollback(by: string, reason: string): Promise<RollbackView> {
    const stop = { kind: 'person', by, reason } as const;
    const onlyWaited = this.#busy?.waits ?? false;
    const ended = await this.#stop(stop);
    return ended === null || onlyWaited ? goBack(this.#goBack, stop) : ended;
  }

  async abort(by: string, reason: string): Promise<RollbackView> {
    const ended = await this.#stop({ kind: 'person', by, reason });
    if (ended) return ended;
    const remedy = '`holdfast rollback` takes back what was promoted last.';
    throw new Failure('HF404', 'no change is in flight', remedy);
  }

  /** Null: there was nothing to stop. */
  async #stop(stop: Stop): Promise<RollbackView | null> {
    const running = this.#busy;
    if (!running) return null;
    running.stop ??= stop;
    running.abort.abort();
    await this.#begun(running);
    if (!running.ended) return null;
    const balancers = await running.ended;
    return { change: this.#view(running.change), balancers };
  }

  /** A change that is just being proposed is the one that is meant, not the good one before it. */
  async #begun(running: UnderWay): Promise<void> {
    const { clock } = this.#parts;
    const giveUpAt = clock.monotonicMs() + journalBeforeTakeBackMs;
    while (this.#busy === running && !running.ended && clock.monotonicMs() < giveUpAt) await clock.sleep(10);
  }

  watch(change: string, use: (line: Progress) => void): (() => void) | null {
    const hub = this.#hubs.of(change);
    if (hub) return hub.watch(use);
    const view = this.#view(change);
    if (!view) return null;
    tellOld(view, use);
    return () => {};
  }

  async recover(): Promise<void> {
    const { balancers, sites, clock } = this.#parts;
    const waiting = this.#busy ? null : this.#waiting();
    await recoverChange({
      book: this.#book,
      balancers,
      sites,
      records: this.#records,
      clock,
      log: this.#log,
      waiting: waiting?.view.id ?? null,
      remember: this.#missed.remember,
    });
    if (waiting) await this.#resume(waiting);
  }

  /** A change that waited for people when an earlier controller ended: nothing of it was in traffic. */
  #waiting(): Waiting | null {
    const ledger = this.#book.ledger();
    const view = inFlight(ledger);
    const again = view && ledger.awaiting.get(view.id);
    return view?.state === 'proposed' && again ? { view, ...again } : null;
  }

  /** Every gate is asked again; what was approved stays approved, as long as the text is the same. */
  async #resume({ view, written, newGeneration }: Waiting): Promise<void> {
    const { sites, clock, readFile } = this.#parts;
    const before = runningSite(sites);
    const reading = await readText(written, readFile, clock.now());
    const { id: change, by, file, siteHash, proposedAt: since } = view;
    if (reading.text.hash !== siteHash) {
      const why = 'what it was proposed with is not the same any more';
      await this.#book.append('controller', { kind: 'change.state', change, state: 'abandoned', why });
      return;
    }
    const mine = underWay(by, file, since, change);
    this.#busy = mine;
    this.#start(view, reading, { before, newGeneration }, mine);
  }

  async tend(): Promise<void> {
    // First what needs no disk.
    await this.#missed.tellAgain();
    await this.#owed.pay();
    await this.#records.poll();
    if (!this.#busy) await blameLate(this.#book);
  }

  #view(change: string | null): ChangeView | null {
    return change === null ? null : (this.#book.ledger().changes.get(change) ?? null);
  }
}

function askedFor(request: ApplyRequest): { readonly asked?: AskedFor } {
  const { newGeneration, older, breakGlass, confirmWithinMs } = request;
  const asked = {
    ...(newGeneration ? { newGeneration } : {}),
    ...(older ? { older } : {}),
    ...(breakGlass ? { breakGlass } : {}),
    ...(confirmWithinMs === undefined ? {} : { confirmWithinMs }),
  };
  return Object.keys(asked).length > 0 ? { asked } : {};
}

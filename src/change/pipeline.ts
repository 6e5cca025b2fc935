import { assert, type Clock, Failure, type Log, messageOf, silentLog } from '#base';
import type { ApplyRequest, ChangeView, Progress, RollbackView } from '#contract';
import type { AskedFor, Journal } from '#events';
import type { WrittenText } from '#model';
import { approveChange, confirmChange } from './approvals.ts';
import { type Book, openBook } from './book.ts';
import type { Proposal } from './gates/index.ts';
import { type GoBackParts, goBack } from './go-back.ts';
import { createHubs, tellOld } from './hubs.ts';
import { blameLate } from './late-blame.ts';
import { begun, inFlight, waitingLine } from './ledger.ts';
import { type Stop, whyStopped } from './machine.ts';
import { createMissed, type Missed } from './missed.ts';
import { createOwed, type Owed } from './owed.ts';
import type { BalancerPort, Planner, SiteKeeper } from './ports.ts';
import { proposalOf, runningSite } from './proposal.ts';
import { abandonQueue, endWaiting, enqueue, heldBack, type QueueParts } from './queue.ts';
import {
  bindingOf,
  changeId,
  differenceOf,
  isRenewal,
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
   * Resolves once the proposal is on disk; the change goes on by itself, or, where it asks for that, waits in the queue.
   * Rejects with HF108 (another is in flight), HF109 (frozen), HF110 (forced without a reason), HF118 (not at this hour,
   * not during an incident), HF203 (the journal does not take it).
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
  /** Ends the change in flight, or the named one that waits, and nothing else. Rejects with HF404 when there is none. */
  abort(by: string, reason: string, change?: string): Promise<RollbackView>;
  /** Oldest first, from the journal alone. */
  views(): readonly ChangeView[];
  frozen(): string | null;
  inFlight(): ChangeView | null;
  /** A change is being proposed, is under way or is just ending. */
  busy(): boolean;
  /** The change that is under way only waits for people: one that may not wait goes before it. */
  waits(): boolean;
  /** Changes that wait, in their order, without the one in flight. */
  queue(): readonly ChangeView[];
  /** What was, at once, then what comes; null when there is no such change. Returns the function that stops it. */
  watch(change: string, use: (line: Progress) => void): (() => void) | null;
  /** Once at the start, before anything is proposed: ends what an earlier controller left under way. */
  recover(): Promise<void>;
  /** Now and then: balancers that missed a take-back told again, what the disk did not take written, guard records into the journal. */
  tend(): Promise<void>;
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
  readonly #queue: QueueParts;
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
    this.#queue = { book: this.#book, hubs: this.#hubs };
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

  waits(): boolean {
    return this.#busy?.waits ?? false;
  }

  queue(): readonly ChangeView[] {
    const flying = this.inFlight()?.id;
    return waitingLine(this.#book.ledger()).filter(({ id }) => id !== flying);
  }

  async propose(request: ApplyRequest): Promise<ChangeView> {
    if (isUrgent(request) && !request.reason.trim())
      throw new Failure('HF110', 'what is forced or urgent needs a reason', 'Add --reason "why".');
    for (let busy = this.#busy; busy; busy = this.#busy) {
      const same = await this.#sameRenewal(busy, request);
      if (same) return same;
      const passes = busy.waits && (await this.#mayPass(request));
      // Who was ahead may have ended meanwhile.
      if (this.#busy !== busy) continue;
      if (passes) return this.#take(request, busy);
      if (request.queue) return this.#enqueue(request, `behind ${busy.change ?? 'another change'}`);
      throw aheadOf(busy, this.#view(busy.change), this.#parts.clock);
    }
    return this.#take(request, null);
  }

  /** `before`: a change that waits for people; it is set aside, and begins anew afterwards. */
  async #take(request: ApplyRequest, before: UnderWay | null): Promise<ChangeView> {
    const mine = underWay(request.by, request.file, this.#parts.clock.now());
    this.#busy = mine;
    try {
      if (before) {
        before.stop ??= { kind: 'aside' };
        before.abort.abort();
        await before.ended;
      }
      return await this.#begin(request, mine);
    } catch (error) {
      this.#free(mine);
      throw error;
    }
  }

  /** What may not wait for people who look at something else: a renewed certificate, and what a person says is urgent. */
  async #mayPass(request: ApplyRequest): Promise<boolean> {
    if (request.by === 'controller' || isUrgent(request)) return true;
    const before = runningSite(this.#parts.sites);
    return isRenewal(await this.#read(request, before), before);
  }

  #read(request: ApplyRequest, { text, site }: Proposal['before']): Promise<Reading> {
    return readText(namedAs(text, site, request), this.#parts.readFile, this.#parts.clock.now());
  }

  /** Whoever is next begins. */
  #free(mine: UnderWay): void {
    if (this.#busy !== mine) return;
    this.#busy = null;
    void this.#next();
  }

  /** The hook of a certificate client may come when its certificate was noticed already: that change is what it asks for. */
  async #sameRenewal({ by, change }: UnderWay, request: ApplyRequest): Promise<ChangeView | null> {
    if (by !== 'controller' || change === null || request.force) return null;
    const current = runningSite(this.#parts.sites);
    const { text } = await this.#read(request, current);
    const view = this.#view(change);
    return view && view.siteHash === text.hash && this.#busy?.change === change ? view : null;
  }

  async #begin(request: ApplyRequest, mine: UnderWay): Promise<ChangeView> {
    const { sites, clock } = this.#parts;
    await this.#owed.pay();
    if (begun(this.#book.ledger())) await this.recover();
    await blameLate(this.#book);
    const before = runningSite(sites);
    const reading = await this.#read(request, before);
    await this.#release(request, reading);
    const who = { isRenewal: isRenewal(reading, before), isUrgent: isUrgent(request) };
    const held = heldBack(this.#book.ledger(), before.site.guard.changes, clock.now(), who);
    if (held && request.queue) {
      const view = await this.#enqueue(request, held.message);
      this.#free(mine);
      return view;
    }
    if (held) throw held;
    const view = await this.#journalProposal(request, reading, before);
    mine.change = view.id;
    this.#start(view, reading, { before, newGeneration: request.newGeneration ?? false }, mine);
    return view;
  }

  async #enqueue(request: ApplyRequest, because: string): Promise<ChangeView> {
    const before = runningSite(this.#parts.sites);
    const reading = await this.#read(request, before);
    const named = namedAs(before.text, before.site, request);
    const propose = () => this.#journalProposal(request, reading, before);
    return enqueue(this.#queue, named, { because, propose });
  }

  async #journalProposal(
    request: ApplyRequest,
    reading: Reading,
    before: Proposal['before'],
  ): Promise<ChangeView> {
    const change = changeId(this.#book.ledger().changes.size + 1, request, this.#parts.clock.now());
    const { file, text, force, reason, by } = request;
    await this.#book.append(by, {
      kind: 'change.proposed',
      change,
      file,
      siteHash: reading.text.hash,
      text,
      force,
      reason,
      difference: differenceOf(before.site, reading.site),
      ...askedFor(request),
    });
    const view = this.#view(change);
    assert(view, 'a change that was journalled is in the ledger');
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
    }).finally(async () => {
      this.#bindings.delete(view.id);
      if (this.#view(view.id)?.state === 'rolled back') await this.#emptyQueue(`${view.id} was taken back`);
      this.#free(mine);
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
    if (ended !== null && !onlyWaited) return ended;
    const back = await goBack(this.#goBack, stop);
    await this.#emptyQueue(whyStopped(stop));
    return back;
  }

  /** After a step back nothing begins by itself. A journal that does not take it holds up nobody. */
  async #emptyQueue(because: string): Promise<void> {
    await abandonQueue(this.#queue, because).catch((error: unknown) =>
      this.#log.error('the queue is not emptied', { why: messageOf(error) }),
    );
  }

  async abort(by: string, reason: string, change?: string): Promise<RollbackView> {
    const waiting = this.queue().find(({ id }) => id === change);
    if (waiting) {
      await endWaiting(this.#queue, waiting.id, 'abandoned', whyStopped({ kind: 'person', by, reason }), by);
      return { change: this.#view(waiting.id), balancers: [] };
    }
    if (change !== undefined && this.#busy?.change !== change)
      throw new Failure('HF404', `change "${change}" neither waits nor is in flight`);
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
    await recoverChange({
      book: this.#book,
      balancers,
      sites,
      records: this.#records,
      clock,
      log: this.#log,
      remember: this.#missed.remember,
    });
    await this.#next();
  }

  /** The first that waits begins, or begins anew: every gate is asked, and what was approved stays approved. */
  async #next(): Promise<void> {
    try {
      const ledger = this.#book.ledger();
      const [view] = waitingLine(ledger);
      const again = view && ledger.awaiting.get(view.id);
      if (this.#busy || !view || !again) return;
      const { changes } = runningSite(this.#parts.sites).site.guard;
      const who = { isRenewal: false, isUrgent: false };
      if (ledger.queued.has(view.id) && heldBack(ledger, changes, this.#parts.clock.now(), who)) return;
      const mine = underWay(view.by, view.file, view.proposedAt, view.id);
      this.#busy = mine;
      await this.#resume(view, again, mine).catch((error: unknown) => {
        this.#busy = null;
        throw error;
      });
    } catch (error) {
      this.#log.error('what waits cannot begin', { why: messageOf(error) });
    }
  }

  async #resume(
    view: ChangeView,
    { written, newGeneration }: { readonly written: WrittenText; readonly newGeneration: boolean },
    mine: UnderWay,
  ): Promise<void> {
    const { sites, clock, readFile } = this.#parts;
    const before = runningSite(sites);
    const reading = await readText(written, readFile, clock.now());
    if (reading.text.hash !== view.siteHash) {
      const why = 'what it was proposed with is not the same any more';
      await endWaiting(this.#queue, view.id, 'abandoned', why);
      this.#free(mine);
      return;
    }
    this.#start(view, reading, { before, newGeneration }, mine);
  }

  async tend(): Promise<void> {
    // First what needs no disk.
    await this.#missed.tellAgain();
    await this.#owed.pay();
    await this.#records.poll();
    if (!this.#busy) await blameLate(this.#book);
    await this.#next();
  }

  #view(change: string | null): ChangeView | null {
    return change === null ? null : (this.#book.ledger().changes.get(change) ?? null);
  }
}

/** Past the hour, past an incident, and past whoever waits for people. */
function isUrgent({ force, breakGlass = false, emergency = false }: ApplyRequest): boolean {
  return force || breakGlass || emergency;
}

function askedFor(request: ApplyRequest): { readonly asked?: AskedFor } {
  const { newGeneration, older, breakGlass, emergency, confirmWithinMs } = request;
  const asked = {
    ...(newGeneration ? { newGeneration } : {}),
    ...(older ? { older } : {}),
    ...(breakGlass ? { breakGlass } : {}),
    ...(emergency ? { emergency } : {}),
    ...(confirmWithinMs === undefined ? {} : { confirmWithinMs }),
  };
  return Object.keys(asked).length > 0 ? { asked } : {};
}

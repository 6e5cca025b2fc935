import { type Clock, Failure, type Log } from '#base';
import type { ApplyRequest, ChangeView, Progress, RollbackView } from '#contract';
import type { Journal } from '#events';
import { approveChange, confirmChange } from './approvals.ts';
import { type Desk, openDesk, viewOf } from './desk.ts';
import { goBack } from './go-back.ts';
import { tellOld } from './hubs.ts';
import { blameLate } from './late-blame.ts';
import { inFlight, waitingLine } from './ledger.ts';
import { whyStopped } from './machine.ts';
import type { BalancerPort, Planner, SiteKeeper } from './ports.ts';
import { endWaiting } from './queue.ts';
import type { ReadFile } from './reading.ts';
import { settleByBalancers } from './settle.ts';
import { Turns } from './turns.ts';

export interface PipelineParts {
  readonly journal: Journal;
  /** In the order in which they are canaried. */
  readonly balancers: readonly BalancerPort[];
  readonly sites: SiteKeeper;
  readonly planner: Planner;
  readonly clock: Clock;
  readonly readFile: ReadFile;
  readonly log?: Log;
  /** Why no change may begin now, from evidence of elsewhere: one line each. Absent: there is none. */
  against?(): readonly string[];
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
  readonly #desk: Desk;
  readonly #turns: Turns;

  constructor(parts: PipelineParts) {
    this.#desk = openDesk(parts);
    this.#turns = new Turns(this.#desk);
  }

  views(): readonly ChangeView[] {
    return [...this.#desk.book.ledger().changes.values()];
  }

  frozen(): string | null {
    return this.#desk.book.ledger().frozen;
  }

  inFlight(): ChangeView | null {
    return inFlight(this.#desk.book.ledger());
  }

  busy(): boolean {
    return this.#turns.now !== null;
  }

  waits(): boolean {
    return this.#turns.now?.waits ?? false;
  }

  queue(): readonly ChangeView[] {
    const flying = this.inFlight()?.id;
    return waitingLine(this.#desk.book.ledger()).filter(({ id }) => id !== flying);
  }

  propose(request: ApplyRequest): Promise<ChangeView> {
    return this.#turns.propose(request);
  }

  async approve(change: string, by: string, reason: string): Promise<ChangeView> {
    const view = await approveChange(this.#desk.book, change, this.#turns.bindingOf(change), { by, reason });
    this.#turns.heard(change);
    return view;
  }

  confirm(change: string, by: string, reason: string): Promise<ChangeView> {
    return confirmChange(this.#desk.book, change, this.#desk.clock.now(), { by, reason });
  }

  async rollback(by: string, reason: string): Promise<RollbackView> {
    const stop = { kind: 'person', by, reason } as const;
    const onlyWaited = this.waits();
    const ended = await this.#turns.stop(stop);
    if (ended !== null && !onlyWaited) return ended;
    const back = await goBack(this.#desk, stop);
    await this.#turns.emptyQueue(whyStopped(stop));
    return back;
  }

  async abort(by: string, reason: string, change?: string): Promise<RollbackView> {
    const stop = { kind: 'person', by, reason } as const;
    const waiting = this.queue().find(({ id }) => id === change);
    if (waiting) {
      await endWaiting(this.#desk, waiting.id, 'abandoned', whyStopped(stop), by);
      return { change: viewOf(this.#desk, waiting.id), balancers: [] };
    }
    if (change !== undefined && this.#turns.now?.change !== change)
      throw new Failure('HF404', `change "${change}" neither waits nor is in flight`);
    const ended = await this.#turns.stop(stop);
    if (ended) return ended;
    const remedy = '`holdfast rollback` takes back what was promoted last.';
    throw new Failure('HF404', 'no change is in flight', remedy);
  }

  watch(change: string, use: (line: Progress) => void): (() => void) | null {
    const hub = this.#desk.hubs.of(change);
    if (hub) return hub.watch(use);
    const view = viewOf(this.#desk, change);
    if (!view) return null;
    tellOld(view, use);
    return () => {};
  }

  recover(): Promise<void> {
    return this.#turns.recover();
  }

  async tend(): Promise<void> {
    const { missed, owed, records, book, sites } = this.#desk;
    // First what needs no disk.
    if (await missed.tellAgain())
      await owed.write('the text that was gone back to', () => settleByBalancers(sites, missed.heard()));
    await owed.pay();
    await records.poll();
    if (!this.busy()) await blameLate(book);
    await this.#turns.next();
  }
}

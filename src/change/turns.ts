import { Failure, formatDiagnostic, messageOf } from '#base';
import type { ApplyRequest, ChangeView, RollbackView } from '#contract';
import type { WrittenText } from '#model';
import { type Desk, viewOf } from './desk.ts';
import type { Proposal } from './gates/index.ts';
import { blameLate } from './late-blame.ts';
import { begun, waitingLine } from './ledger.ts';
import type { Stop } from './machine.ts';
import { proposalOf, runningSite } from './proposal.ts';
import { isUrgent, journalProposal, journalReleases, readProposed, renewed } from './propose.ts';
import { abandonQueue, endWaiting, enqueue, heldBack } from './queue.ts';
import { bindingOf, isRenewal, isSpareTurnOf, namedAs, type Reading, readText } from './reading.ts';
import { recoverChange } from './recover.ts';
import { journalBeforeTakeBackMs, runChange } from './running.ts';
import { aheadOf, type UnderWay, underWay } from './under-way.ts';

/**
 * Who has the site for himself: one change at a time, from before it is journalled until it has ended; who goes before whom,
 * and who is next.
 */
export class Turns {
  readonly #desk: Desk;
  /** Aborted when somebody has approved the change of that name. */
  readonly #heard = new Map<string, AbortController>();
  /** By change that has not ended: what an approval is of. */
  readonly #bindings = new Map<string, string>();
  #busy: UnderWay | null = null;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  /** The change that has it now. */
  get now(): Pick<UnderWay, 'change' | 'waits'> | null {
    return this.#busy;
  }

  /** What an approval of that change is of; null: it is not under way. */
  bindingOf(change: string): string | null {
    return this.#bindings.get(change) ?? null;
  }

  /** Somebody has approved it. */
  heard(change: string): void {
    this.#heard.get(change)?.abort();
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
      throw aheadOf(busy, viewOf(this.#desk, busy.change), this.#desk.clock);
    }
    return this.#take(request, null);
  }

  /** `before`: a change that waits for people; it is set aside, and begins anew afterwards. */
  async #take(request: ApplyRequest, before: UnderWay | null): Promise<ChangeView> {
    const mine = underWay(request.by, request.file, this.#desk.clock.now());
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
    const before = runningSite(this.#desk.sites);
    return isRenewal(await readProposed(this.#desk, request, before), before);
  }

  /** Whoever is next begins. */
  #free(mine: UnderWay): void {
    if (this.#busy !== mine) return;
    this.#busy = null;
    void this.next();
  }

  /** The hook of a certificate client may come when its certificate was noticed already: that change is what it asks for. */
  async #sameRenewal({ by, change }: UnderWay, request: ApplyRequest): Promise<ChangeView | null> {
    if (by !== 'controller' || change === null || request.force) return null;
    const current = runningSite(this.#desk.sites);
    const { text } = await readProposed(this.#desk, request, current);
    const view = viewOf(this.#desk, change);
    return view && view.siteHash === text.hash && this.#busy?.change === change ? view : null;
  }

  async #begin(request: ApplyRequest, mine: UnderWay): Promise<ChangeView> {
    const { sites } = this.#desk;
    await this.#desk.owed.pay();
    if (begun(this.#desk.book.ledger())) await this.recover();
    await blameLate(this.#desk.book);
    const before = runningSite(sites);
    const reading = await readProposed(this.#desk, request, before);
    await journalReleases(this.#desk, request, reading);
    const isSpare = isSpareTurnOf(reading, before, request.by);
    const who = { isRenewal: isRenewal(reading, before), isUrgent: isUrgent(request) || isSpare };
    const held = heldBack(this.#moment(), who);
    if (held && request.queue) {
      const view = await this.#enqueue(request, held.message);
      this.#free(mine);
      return view;
    }
    if (held) throw held;
    const view = await journalProposal(this.#desk, request, reading, before);
    mine.change = view.id;
    this.#start(view, reading, { before, newGeneration: request.newGeneration ?? false }, mine);
    return view;
  }

  async #enqueue(request: ApplyRequest, because: string): Promise<ChangeView> {
    const before = runningSite(this.#desk.sites);
    const reading = await readProposed(this.#desk, request, before);
    const named = namedAs(before.text, before.site, request);
    const propose = () => journalProposal(this.#desk, request, reading, before);
    return enqueue(this.#desk, named, { because, propose });
  }

  #start(
    view: ChangeView,
    reading: Reading,
    { before, newGeneration }: Pick<Proposal, 'before' | 'newGeneration'>,
    mine: UnderWay,
  ): void {
    const shared = { ...this.#desk, view, hub: this.#desk.hubs.open(view.id) };
    this.#bindings.set(view.id, bindingOf(reading, before.site));
    const heard = this.#heard;
    const proposal = proposalOf({ ...shared, reading, before, newGeneration, mine, heard });
    mine.ended = runChange({
      ...shared,
      proposal,
      stopped: () => mine.stop,
      untold: this.#desk.missed.remember,
    }).finally(async () => {
      this.#bindings.delete(view.id);
      if (viewOf(this.#desk, view.id)?.state === 'rolled back')
        await this.emptyQueue(`${view.id} was taken back`);
      this.#free(mine);
    });
  }

  /** Null: there was nothing to stop. */
  async stop(stop: Stop): Promise<RollbackView | null> {
    const running = this.#busy;
    if (!running) return null;
    running.stop ??= stop;
    running.abort.abort();
    await this.#begun(running);
    if (!running.ended) return null;
    const balancers = await running.ended;
    return { change: viewOf(this.#desk, running.change), balancers };
  }

  /** A change that is just being proposed is the one that is meant, not the good one before it. */
  async #begun(running: UnderWay): Promise<void> {
    const { clock } = this.#desk;
    const giveUpAt = clock.monotonicMs() + journalBeforeTakeBackMs;
    while (this.#busy === running && !running.ended && clock.monotonicMs() < giveUpAt) await clock.sleep(10);
  }

  /** Once at the start: ends what an earlier controller left under way; then the first that waits begins. */
  async recover(): Promise<void> {
    await recoverChange(this.#desk);
    await this.next();
  }

  #moment(): Parameters<typeof heldBack>[0] {
    const { book, sites, clock, against } = this.#desk;
    const { changes } = runningSite(sites).site.guard;
    return { ledger: book.ledger(), changes, now: clock.now(), against: against?.() ?? [] };
  }

  /** The first that waits begins, or begins anew: every gate is asked, and what was approved stays approved. */
  async next(): Promise<void> {
    try {
      const ledger = this.#desk.book.ledger();
      const [view] = waitingLine(ledger);
      const again = view && ledger.awaiting.get(view.id);
      if (this.#busy || !view || !again) return;
      const who = { isRenewal: false, isUrgent: false };
      if (ledger.queued.has(view.id) && heldBack(this.#moment(), who)) return;
      const mine = underWay(view.by, view.file, view.proposedAt, view.id);
      this.#busy = mine;
      await this.#resume(view, again, mine).catch((error: unknown) => {
        this.#busy = null;
        throw error;
      });
    } catch (error) {
      this.#desk.log.error('what waits cannot begin', { why: messageOf(error) });
    }
  }

  async #resume(
    view: ChangeView,
    { written, newGeneration }: { readonly written: WrittenText; readonly newGeneration: boolean },
    mine: UnderWay,
  ): Promise<void> {
    const { sites, clock, readFile } = this.#desk;
    const before = runningSite(sites);
    const reading = await readText(written, readFile, clock.now());
    const isAsBefore = reading.site !== null || reading.text.hash === view.siteHash;
    const lost = isAsBefore ? null : reading.diagnostics.find(({ severity }) => severity === 'error');
    if (lost) {
      const why = `what it was proposed with cannot be used any more: ${formatDiagnostic(lost)}`;
      await endWaiting(this.#desk, view.id, 'abandoned', why);
      this.#free(mine);
      return;
    }
    const now = await renewed(this.#desk, view, reading.text.hash);
    this.#start(now, reading, { before, newGeneration }, mine);
  }

  /** After a step back nothing begins by itself. A journal that does not take it holds up nobody. */
  async emptyQueue(because: string): Promise<void> {
    await abandonQueue(this.#desk, because).catch((error: unknown) =>
      this.#desk.log.error('the queue is not emptied', { why: messageOf(error) }),
    );
  }
}

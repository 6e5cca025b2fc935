import { assert, type Clock, Failure, type Log, messageOf, silentLog } from '#base';
import type { ApplyRequest, ChangeView, Progress, RollbackView, SiteText } from '#contract';
import { readSite } from '#dialects';
import { finalStates, type Journal } from '#events';
import type { GuardPolicy, Site, WrittenText } from '#model';
import { approveChange, waitingApprovals } from './approvals.ts';
import { type Book, openBook } from './book.ts';
import type { Proposal } from './gates/index.ts';
import { inFlight, type Ledger } from './ledger.ts';
import { decide, type Stop, whyStopped } from './machine.ts';
import type { BalancerPort, Planner, SiteKeeper } from './ports.ts';
import { createProgressHub, type ProgressHub } from './progress.ts';
import {
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
import { type Told, tellEvery } from './take-back.ts';
import { createWatch } from './watch.ts';

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
  /** Now and then: guard records into the journal, and balancers that missed a take-back told again. */
  tend(): Promise<void>;
}

interface Busy {
  readonly by: string;
  readonly file: string;
  readonly since: number;
  change: string | null;
  /** For people who approve it: nothing of it is in traffic. */
  waits: boolean;
  stop: Stop | null;
  readonly abort: AbortController;
  ended: Promise<Told> | null;
}

interface Waiting {
  readonly view: ChangeView;
  readonly written: WrittenText;
  readonly newGeneration: boolean;
}

/** Progress of so many changes is kept for those who come late; older ones are told from the journal. */
const hubsMax = 20;
export function createPipeline(parts: PipelineParts): Pipeline {
  return new OneAtATime(parts);
}

class OneAtATime implements Pipeline {
  readonly #parts: PipelineParts;
  readonly #log: Log;
  readonly #book: Book;
  readonly #records: RecordCollector;
  readonly #hubs = new Map<string, ProgressHub>();
  readonly #untold = new Map<string, { readonly change: string; readonly reason: string }>();
  /** Aborted when somebody has approved the change of that name. */
  readonly #heard = new Map<string, AbortController>();
  #busy: Busy | null = null;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#log = parts.log ?? silentLog;
    this.#book = openBook(parts.journal);
    this.#records = createRecordCollector(this.#book, parts.balancers);
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
    if (request.force && !request.reason.trim())
      throw new Failure('HF110', 'a forced change needs a reason', 'Add --reason "why".');
    const { clock } = this.#parts;
    const renewal = this.#busy ? await this.#sameRenewal(this.#busy, request) : null;
    if (renewal) return renewal;
    if (this.#busy) throw ahead(this.#busy, this.#book.ledger(), clock);
    const mine: Busy = {
      by: request.by,
      file: request.file,
      since: clock.now(),
      change: null,
      waits: false,
      stop: null,
      abort: new AbortController(),
      ended: null,
    };
    this.#busy = mine;
    try {
      return await this.#begin(request, mine);
    } catch (error) {
      this.#busy = null;
      throw error;
    }
  }

  /** The hook of a certificate client may come when its certificate was noticed already: that change is what it asks for. */
  async #sameRenewal({ by, change }: Busy, request: ApplyRequest): Promise<ChangeView | null> {
    if (by !== 'controller' || change === null || request.force) return null;
    const current = this.#parts.sites.current();
    const named = namedAs(current, siteOf(current), request);
    const { text } = await readText(named, this.#parts.readFile, this.#parts.clock.now());
    const view = this.#view(change);
    return view && view.siteHash === text.hash && this.#busy?.change === change ? view : null;
  }

  async #begin(request: ApplyRequest, mine: Busy): Promise<ChangeView> {
    const { sites, clock } = this.#parts;
    if (this.inFlight()) await this.recover();
    const before = { text: sites.current(), site: siteOf(sites.current()) };
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
    mine: Busy,
  ): void {
    const { balancers, sites, clock, planner } = this.#parts;
    const hub = this.#hubFor(view.id);
    const book = this.#book;
    const stopped = () => mine.stop;
    const watch = createWatch({
      change: view.id,
      clock,
      signal: mine.abort.signal,
      stopped,
      journal: async (balancer, share) => {
        await book.append('controller', { kind: 'change.exposed', change: view.id, balancer, share });
      },
    });
    const proposal: Proposal = {
      change: view.id,
      forced: view.force,
      newGeneration,
      reading,
      before,
      policy: policyFor(reading, before),
      difference: view.difference,
      quarantined: book.ledger().quarantine.get(reading.text.hash) ?? null,
      balancers,
      clock,
      watch,
      show: hub.show,
      planner,
      planned: { view: null },
      approvals: waitingApprovals({
        view,
        again: { written: reading.text, newGeneration },
        book,
        clock,
        show: hub.show,
        heard: this.#heard,
        waits: (now) => {
          mine.waits = now;
        },
      }),
      signal: mine.abort.signal,
    };
    const untold = this.#remember;
    const [records, log] = [this.#records, this.#log];
    mine.ended = runChange({
      view,
      proposal,
      book,
      sites,
      records,
      hub,
      clock,
      log,
      stopped,
      untold,
    }).finally(() => {
      if (this.#busy === mine) this.#busy = null;
    });
  }

  async approve(change: string, by: string, reason: string): Promise<ChangeView> {
    const view = await approveChange(this.#book, change, by, reason);
    this.#heard.get(change)?.abort();
    return view;
  }

  #hubFor(change: string): ProgressHub {
    const hub = createProgressHub();
    this.#hubs.set(change, hub);
    for (const old of [...this.#hubs.keys()].slice(0, -hubsMax)) this.#hubs.delete(old);
    return hub;
  }

  async rollback(by: string, reason: string): Promise<RollbackView> {
    const stop = { kind: 'person', by, reason } as const;
    const onlyWaited = this.#busy?.waits ?? false;
    const ended = await this.#stop(stop);
    return ended === null || onlyWaited ? this.#rollbackPromoted(stop) : ended;
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
  async #begun(running: Busy): Promise<void> {
    const { clock } = this.#parts;
    const giveUpAt = clock.monotonicMs() + journalBeforeTakeBackMs;
    while (this.#busy === running && !running.ended && clock.monotonicMs() < giveUpAt) await clock.sleep(10);
  }

  async #rollbackPromoted(stop: Extract<Stop, { kind: 'person' }>): Promise<RollbackView> {
    const { balancers, sites } = this.#parts;
    const last = this.views().findLast(
      ({ state, siteHash }) => state === 'promoted' && siteHash === sites.current().hash,
    );
    const change = last?.id ?? null;
    const why = whyStopped(stop);
    if (last) await this.#journalRollback(last, stop);
    const told = await tellEvery(balancers, change, why);
    if (change) this.#remember(told, change, why);
    if (told.some(({ takeBack }) => takeBack)) await this.#settleByBalancers();
    await this.#records.poll().catch(() => {});
    return { change: this.#view(change), balancers: told };
  }

  /** Journalled before, but a disk that hangs or is full holds nobody up. */
  async #journalRollback({ id: change, siteHash }: ChangeView, stop: Extract<Stop, { kind: 'person' }>) {
    const step = decide('promoted', { kind: 'stopped', stop });
    assert(step, 'a person may go back from what is promoted');
    const { state, why } = step;
    const journalled = Promise.all([
      this.#book.append(stop.by, { kind: 'quarantine.added', siteHash, change, why }),
      this.#book.append(stop.by, { kind: 'change.state', change, state, why }),
    ]).catch((error: unknown) => this.#log.error('the journal does not take it', { why: messageOf(error) }));
    await Promise.race([journalled, this.#parts.clock.sleep(journalBeforeTakeBackMs)]);
  }

  async #settleByBalancers(): Promise<void> {
    for (const balancer of this.#parts.balancers) {
      const status = await balancer.call('status', {}).catch(() => null);
      if (status && (await this.#parts.sites.settle(status.lastGoodHash))) return;
    }
  }

  watch(change: string, use: (line: Progress) => void): (() => void) | null {
    const hub = this.#hubs.get(change);
    if (hub) return hub.watch(use);
    const view = this.#view(change);
    if (!view) return null;
    for (const report of view.gates) use({ kind: 'gate', report });
    use({ kind: 'state', state: view.state, why: view.why });
    if (finalStates.includes(view.state)) use({ kind: 'end', change: view });
    return () => {};
  }

  async recover(): Promise<void> {
    const { balancers, sites, clock } = this.#parts;
    const waiting = this.#busy ? null : this.#waiting();
    await recoverChange({
      book: this.#book,
      balancers,
      sites,
      clock,
      log: this.#log,
      waiting: waiting?.view.id ?? null,
      remember: this.#remember,
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
    const before = { text: sites.current(), site: siteOf(sites.current()) };
    const reading = await readText(written, readFile, clock.now());
    const { id: change, by, file, siteHash, proposedAt: since } = view;
    if (reading.text.hash !== siteHash) {
      const why = 'what it was proposed with is not the same any more';
      await this.#book.append('controller', { kind: 'change.state', change, state: 'abandoned', why });
      return;
    }
    const mine: Busy = {
      by,
      file,
      since,
      change,
      waits: false,
      stop: null,
      abort: new AbortController(),
      ended: null,
    };
    this.#busy = mine;
    this.#start(view, reading, { before, newGeneration }, mine);
  }

  async tend(): Promise<void> {
    await this.#records.poll();
    for (const [name, { change, reason }] of this.#untold) {
      const missed = this.#parts.balancers.filter((balancer) => balancer.name === name);
      this.#remember(await tellEvery(missed, change, reason), change, reason);
    }
  }

  readonly #remember = (told: Told, change: string, reason: string): void => {
    for (const { balancer, error } of told)
      if (error) this.#untold.set(balancer, { change, reason });
      else this.#untold.delete(balancer);
  };

  #view(change: string | null): ChangeView | null {
    return change === null ? null : (this.#book.ledger().changes.get(change) ?? null);
  }
}

/** What a renewed certificate can do wrong shows at once: it is watched for seconds, not for minutes. */
const renewalStepMs = 3_000;
const renewalBakeMs = 5_000;

/** The running site's: a change is not judged by the policy that it brings. */
function policyFor(reading: Reading, before: Proposal['before']): GuardPolicy {
  const policy = before.site.guard;
  if (!isRenewal(reading, before)) return policy;
  return {
    ...policy,
    canary: { ...policy.canary, steps: [1], stepMs: Math.min(policy.canary.stepMs, renewalStepMs) },
    bakeMs: Math.min(policy.bakeMs, renewalBakeMs),
  };
}

function siteOf(text: SiteText): Site {
  const { site } = readSite(text);
  assert(site, `${text.file}: the site that runs can be read`);
  return site;
}

/** The second of two is told which change is ahead of it, how far that is and whose. */
function ahead(busy: Busy, ledger: Ledger, clock: Clock): Failure {
  const view = busy.change === null ? null : ledger.changes.get(busy.change);
  const seconds = Math.max(0, Math.round((clock.now() - busy.since) / 1000));
  const what = view
    ? `change ${view.id} of ${view.file} is ${view.state}`
    : `a change of ${busy.file} is being read`;
  return new Failure(
    'HF108',
    `${what}, proposed by ${busy.by} ${seconds} s ago`,
    view
      ? `Wait for it (\`holdfast changes ${view.id}\`), or take it back: \`holdfast rollback\`.`
      : 'Wait for it, then run the command again.',
  );
}

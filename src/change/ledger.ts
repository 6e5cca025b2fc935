import type { ChangeView } from '#contract';
import { type Event, finalStates, type GateReport, type GuardRecord, type JournalEntry } from '#events';
import type { WrittenText } from '#model';
import { isToBlame } from './machine.ts';

/** What the journal says about changes, and nothing else: any process that reads the same entries sees the same. */
export interface Ledger {
  /** Oldest first. */
  readonly changes: ReadonlyMap<string, ChangeView>;
  /** By hash of the site: why. */
  readonly quarantine: ReadonlyMap<string, string>;
  readonly frozen: string | null;
  /** By hash of a site that was started: when. */
  readonly started: ReadonlyMap<string, number>;
  /** Guard records that are in the journal: `recordKey`. */
  readonly records: ReadonlySet<string>;
  /** By balancer: the highest record number in the journal. */
  readonly lastRecord: ReadonlyMap<string, number>;
  /** What a rollback goes back from: what was promoted last, as long as nobody has gone back from it. */
  readonly wayBack: string | null;
  /** By change: what a guard took back because of what the traffic said. */
  readonly blamed: ReadonlyMap<string, string>;
  /** Changes whose text is, or was, in quarantine. */
  readonly quarantinedBy: ReadonlySet<string>;
  /** By incident that is open. */
  readonly openIncidents: ReadonlySet<string>;
  /** By change that has not begun: why. */
  readonly queued: ReadonlyMap<string, string>;
  /** By change that waits for approvals or its turn: what it takes to go on with it. */
  readonly awaiting: ReadonlyMap<string, { readonly written: WrittenText; readonly newGeneration: boolean }>;
}

interface Draft {
  readonly changes: Map<string, ChangeView>;
  readonly quarantine: Map<string, string>;
  frozen: string | null;
  readonly started: Map<string, number>;
  readonly records: Set<string>;
  readonly lastRecord: Map<string, number>;
  wayBack: string | null;
  readonly blamed: Map<string, string>;
  readonly quarantinedBy: Set<string>;
  readonly openIncidents: Set<string>;
  readonly queued: Map<string, string>;
  readonly awaiting: Map<string, { readonly written: WrittenText; readonly newGeneration: boolean }>;
}

/** A ledger that is brought forward entry by entry. */
export interface GrowingLedger {
  readonly now: Ledger;
  add(entry: JournalEntry): void;
}

export function growingLedger(entries: readonly JournalEntry[] = []): GrowingLedger {
  const draft: Draft = {
    changes: new Map(),
    quarantine: new Map(),
    frozen: null,
    started: new Map(),
    records: new Set(),
    lastRecord: new Map(),
    wayBack: null,
    blamed: new Map(),
    quarantinedBy: new Set(),
    openIncidents: new Set(),
    queued: new Map(),
    awaiting: new Map(),
  };
  for (const entry of entries) add(draft, entry);
  return { now: draft, add: (entry) => add(draft, entry) };
}

/** Pure: every change, oldest first. */
export function viewsOf(entries: readonly JournalEntry[]): readonly ChangeView[] {
  return [...growingLedger(entries).now.changes.values()];
}

/** The change that has begun and not ended; at most one: those that only wait are not begun. */
export function begun(ledger: Ledger): ChangeView | null {
  return unfinished(ledger).find((view) => !isWaiting(ledger, view)) ?? null;
}

/** Nothing of them is in traffic, in their order: for people who approve them, or for their turn. */
export function waitingLine(ledger: Ledger): readonly ChangeView[] {
  return unfinished(ledger).filter((view) => isWaiting(ledger, view));
}

/** What people call so: the change that has begun, or else the first that waits for people. */
export function inFlight(ledger: Ledger): ChangeView | null {
  return begun(ledger) ?? waitingLine(ledger).find(({ id }) => !ledger.queued.has(id)) ?? null;
}

function unfinished({ changes }: Ledger): readonly ChangeView[] {
  return [...changes.values()].filter(({ state }) => !finalStates.includes(state));
}

function isWaiting({ awaiting }: Ledger, { id, state }: ChangeView): boolean {
  return state === 'proposed' && awaiting.has(id);
}

/** When the site with this hash ran, where another one has followed it; null when it did not. One that was taken back does not count. */
export function ranBefore({ changes, started }: Ledger, siteHash: string, running: string): number | null {
  if (siteHash === running) return null;
  const promoted = [...changes.values()].findLast(
    (one) => one.state === 'promoted' && one.siteHash === siteHash,
  );
  return promoted?.endedAt ?? started.get(siteHash) ?? null;
}

/** An agent that lost its memory counts from 1 again, so the number alone does not name a record. */
export function recordKey(balancer: string, number: number, at: number): string {
  return `${balancer}#${number}@${at}`;
}

function add(draft: Draft, entry: JournalEntry): void {
  addWaiting(draft, entry);
  const event: Event = entry.event;
  switch (event.kind) {
    case 'site.started':
      draft.started.set(event.siteHash, entry.at);
      return;
    case 'change.proposed':
      draft.changes.set(event.change, proposedView(event, entry));
      return;
    case 'change.gate':
      draft.queued.delete(event.change);
      update(draft, event.change, (view) => ({
        ...view,
        gates: withReport(view.gates, event.report),
      }));
      return;
    case 'change.planned':
      update(draft, event.change, (view) => ({ ...view, plan: event.plan }));
      return;
    case 'change.state':
      addState(draft, event, entry.at);
      return;
    case 'incident.resolved':
      draft.openIncidents.delete(event.incident);
      return;
    case 'incident.opened':
      draft.openIncidents.add(event.incident);
      if (event.change) update(draft, event.change, (view) => ({ ...view, incident: event.incident }));
      return;
    case 'quarantine.added':
      draft.quarantine.set(event.siteHash, event.why);
      draft.quarantinedBy.add(event.change);
      return;
    case 'quarantine.released':
      draft.quarantine.delete(event.siteHash);
      return;
    case 'pipeline.frozen':
      draft.frozen = event.why;
      return;
    case 'pipeline.released':
      draft.frozen = null;
      return;
    case 'guard.acted':
      addRecord(draft, event.record);
      return;
    case 'guard.refused':
      draft.records.add(recordKey(event.record.balancer, event.record.number, event.record.at));
      return;
    default:
      return;
  }
}

/** What a change waits for, and what people say to it. */
function addWaiting(draft: Draft, entry: JournalEntry): void {
  const event: Event = entry.event;
  switch (event.kind) {
    case 'change.queued':
      draft.awaiting.set(event.change, { written: event.written, newGeneration: event.newGeneration });
      draft.queued.set(event.change, event.because);
      update(draft, event.change, (view) => ({ ...view, why: `waits: ${event.because}` }));
      return;
    case 'change.renewed':
      update(draft, event.change, (view) => ({ ...view, siteHash: event.siteHash }));
      return;
    case 'change.awaits':
      draft.awaiting.set(event.change, { written: event.written, newGeneration: event.newGeneration });
      update(draft, event.change, (view) => ({
        ...view,
        review: { ...view.review, needed: event.approvals, because: event.because },
      }));
      return;
    case 'change.approved':
      update(draft, event.change, (view) => ({
        ...view,
        review: approved(view.review, event, entry),
      }));
      return;
    case 'change.brokeGlass':
      update(draft, event.change, (view) => ({
        ...view,
        review: { ...view.review, brokeGlass: { by: entry.by, reason: event.reason, owed: true } },
      }));
      return;
    case 'change.awaitsConfirmation':
      update(draft, event.change, (view) => ({ ...view, confirm: { until: event.until, by: null } }));
      return;
    case 'change.confirmed':
      update(draft, event.change, (view) =>
        view.confirm ? { ...view, confirm: { ...view.confirm, by: entry.by } } : view,
      );
      return;
    default:
      return;
  }
}

function addState(
  draft: Draft,
  { change, state, why }: Extract<Event, { kind: 'change.state' }>,
  at: number,
): void {
  if (state !== 'proposed') {
    draft.awaiting.delete(change);
    draft.queued.delete(change);
  }
  if (state === 'promoted') draft.wayBack = change;
  if (state === 'rolled back' && draft.wayBack === change) draft.wayBack = null;
  const endedAt = finalStates.includes(state) ? at : null;
  update(draft, change, (view) => ({ ...view, state, why, endedAt }));
}

/** Pure: why a record cannot be what an agent says it is; null: it can. An entry of before, which was not held against this, changes nothing either. */
export function whyRefused({ changes }: Pick<Ledger, 'changes'>, { what }: GuardRecord): string | null {
  const change = what.kind === 'tookBack' ? what.takeBack.change : null;
  return change === null || changes.has(change) ? null : `there never was a change ${change}`;
}

function addRecord(draft: Draft, record: GuardRecord): void {
  const { balancer, number, at, what } = record;
  const back = what.kind === 'tookBack' && whyRefused(draft, record) === null ? what.takeBack : null;
  if (back?.change && isToBlame(back.evidence.cause) && !draft.blamed.has(back.change))
    draft.blamed.set(back.change, `the guard of ${balancer} took it back: ${back.reason}`);
  draft.records.add(recordKey(balancer, number, at));
  draft.lastRecord.set(balancer, Math.max(number, draft.lastRecord.get(balancer) ?? 0));
}

function proposedView(event: Extract<Event, { kind: 'change.proposed' }>, entry: JournalEntry): ChangeView {
  const { change, file, siteHash, force, reason, difference, asked } = event;
  return {
    id: change,
    state: 'proposed',
    why: '',
    file,
    siteHash,
    by: entry.by,
    force,
    reason,
    ...(asked ? { asked } : {}),
    proposedAt: entry.at,
    endedAt: null,
    difference,
    gates: [],
    plan: null,
    review: { needed: null, because: [], approvals: [] },
    incident: null,
  };
}

/** One voice each: the newest. */
function approved(
  review: ChangeView['review'],
  { reason, of }: Extract<Event, { kind: 'change.approved' }>,
  { by, at }: JournalEntry,
): ChangeView['review'] {
  const others = review.approvals.filter((one) => one.by !== by);
  const approvals = [...others, { by, at, reason, ...(of === undefined ? {} : { of }) }];
  const { brokeGlass } = review;
  return { ...review, approvals, ...(brokeGlass ? { brokeGlass: { ...brokeGlass, owed: false } } : {}) };
}

/** A gate that is asked again has one place in the list: its newest answer. */
function withReport(gates: readonly GateReport[], report: GateReport): readonly GateReport[] {
  const known = gates.some(({ gate }) => gate === report.gate);
  return known ? gates.map((old) => (old.gate === report.gate ? report : old)) : [...gates, report];
}

function update(draft: Draft, id: string, next: (view: ChangeView) => ChangeView): void {
  const view = draft.changes.get(id);
  if (view) draft.changes.set(id, next(view));
}

import type { Event, GuardRecord, JournalEntry } from '#events';
import { type Act, type Facts, readRecord, uneventful } from './acts.ts';
import { createCrowd, type ReceivedReport } from './crowd.ts';
import { readFault, type SeenFault } from './faults.ts';

/** Acts and faults that are this near to each other are one incident, whatever change they name. */
const joinedWithinMs = 60_000;
/** Customers who wrote so long before anybody saw it wrote of it. */
const reportedBeforeMs = 3_600_000;

/** What an incident begins with. */
export type Beginning =
  | { readonly kind: 'act'; readonly act: Act }
  | { readonly kind: 'fault'; readonly fault: SeenFault }
  | { readonly kind: 'reports'; readonly at: number; readonly count: number };

export interface OpenedIncident {
  readonly id: string;
  readonly title: string;
  readonly change: string | null;
  readonly openedAt: number;
  readonly acts: Act[];
  readonly faults: SeenFault[];
  readonly reports: ReceivedReport[];
  readonly facts: Facts;
  resolved: { readonly at: number; readonly how: string } | null;
}

export interface Ledger {
  add(entry: JournalEntry): void;
  readonly incidents: readonly OpenedIncident[];
  /** What no incident was opened for yet, oldest first. */
  pending(): readonly Beginning[];
}

/**
 * What the journal says about incidents, entry by entry: the one place that decides what belongs to which incident,
 * so that who opens them and who reads them agree.
 */
export function createLedger(): Ledger {
  const incidents: OpenedIncident[] = [];
  const facts: Facts = { signs: [], restarts: [], returns: [], drained: [] };
  const records = new Set<string>();
  const faults = new Map<string, SeenFault>();
  const crowd = createCrowd();
  /** Reports that no incident has. */
  let loose: ReceivedReport[] = [];
  let pending: Beginning[] = [];

  function addRecord(record: GuardRecord): void {
    const key = `${record.balancer} ${record.number} ${record.at}`;
    // Records are delivered until they are acknowledged, so they may come twice.
    if (records.has(key)) return;
    records.add(key);
    const act = readRecord(record, facts);
    if (!act) return;
    const home = incidents.findLast((incident) => actBelongs(incident, act));
    if (home) home.acts.push(act);
    else if (!uneventful(act)) pending.push({ kind: 'act', act });
  }

  function addFault(fault: SeenFault): void {
    const home = incidents.findLast((incident) => faultBelongs(incident, fault));
    if (home) home.faults.push(fault);
    else pending.push({ kind: 'fault', fault });
  }

  function addReport(received: ReceivedReport): void {
    const crowded = crowd.add(received);
    const home = incidents.findLast(({ resolved }) => resolved === null);
    if (home) {
      home.reports.push(received);
      crowd.answered(received.at);
      return;
    }
    loose = [...loose.filter(({ at }) => received.at - at <= reportedBeforeMs), received];
    if (crowded && !pending.some(({ kind }) => kind === 'reports'))
      pending.push({ kind: 'reports', at: received.at, count: loose.length });
  }

  function open(event: Extract<Event, { kind: 'incident.opened' }>, openedAt: number): void {
    const fresh: OpenedIncident = {
      id: event.incident,
      title: event.title,
      change: event.change,
      openedAt,
      acts: [],
      faults: [],
      reports: loose.filter(({ at }) => openedAt - at <= reportedBeforeMs),
      facts,
      resolved: null,
    };
    incidents.push(fresh);
    const first = pending.find((beginning) => changeOf(beginning) === event.change) ?? pending[0];
    if (first) take(fresh, first);
    for (const beginning of pending)
      if (beginning !== first && belongs(fresh, beginning)) take(fresh, beginning);
    pending = pending.filter((beginning) => beginning !== first && !belongs(fresh, beginning));
    loose = [];
    crowd.answered(openedAt);
  }

  return {
    incidents,
    pending: () => pending,
    add({ at, event }) {
      const fault = readFault(event, at, faults);
      if (fault) addFault(fault);
      if (event.kind === 'guard.acted') addRecord(event.record);
      if (event.kind === 'report.received') addReport({ at, report: event.report });
      if (event.kind === 'incident.opened') open(event, at);
      if (event.kind === 'incident.resolved') {
        const incident = incidents.find((i) => i.id === event.incident);
        if (incident) incident.resolved = { at, how: event.how };
      }
    },
  };
}

export function ledgerOf(entries: readonly JournalEntry[]): Ledger {
  const ledger = createLedger();
  for (const entry of entries) ledger.add(entry);
  return ledger;
}

/** Whose guards acted. */
export function balancersOf({ acts }: OpenedIncident): Set<string> {
  return new Set(acts.map(({ balancer }) => balancer));
}

/** The change that it is about: known from the beginning, or found by the monitor. */
export function blamedChange({ change, faults }: OpenedIncident): string | null {
  return change ?? faults.flatMap(({ verdict }) => verdict?.change ?? [])[0] ?? null;
}

export function changeOf(beginning: Beginning): string | null {
  if (beginning.kind === 'act') return beginning.act.change;
  return beginning.kind === 'fault' ? (beginning.fault.verdict?.change ?? null) : null;
}

function take(incident: OpenedIncident, beginning: Beginning): void {
  if (beginning.kind === 'act') incident.acts.push(beginning.act);
  if (beginning.kind === 'fault') incident.faults.push(beginning.fault);
}

function belongs(incident: OpenedIncident, beginning: Beginning): boolean {
  if (beginning.kind === 'act') return actBelongs(incident, beginning.act);
  // Whatever is open while customers write is what they write of.
  return beginning.kind === 'fault' ? faultBelongs(incident, beginning.fault) : true;
}

function actBelongs(incident: OpenedIncident, act: Act): boolean {
  if (incident.resolved && act.at > incident.resolved.at) return false;
  if (incident.change !== null && act.change !== null) return incident.change === act.change;
  return near(incident, act.at);
}

function faultBelongs(incident: OpenedIncident, fault: SeenFault): boolean {
  if (incident.resolved && fault.seenAt > incident.resolved.at) return false;
  const change = fault.verdict?.change ?? null;
  if (incident.change !== null && change !== null) return incident.change === change;
  return near(incident, fault.facts.startedAt) || near(incident, fault.seenAt);
}

function near({ acts, faults, reports }: OpenedIncident, at: number): boolean {
  // Opened by customers: the first that is seen of it is what they wrote of.
  if (acts.length + faults.length === 0) return reports.length > 0;
  const times = [
    ...acts.map((act) => act.at),
    ...faults.flatMap((fault) => [fault.seenAt, fault.facts.startedAt]),
  ];
  return times.some((time) => Math.abs(time - at) <= joinedWithinMs);
}

import type { Event, GateReport, JournalEntry, ServerRef } from '#events';
import type { ChangedServer } from '#model';
import type { Figures } from './figures.ts';
import { blamedChange, type OpenedIncident } from './ledger.ts';

export type Proposed = Extract<Event, { kind: 'change.proposed' }>;

/** Everything that a report tells about one incident. */
export interface Story {
  readonly incident: OpenedIncident;
  readonly figures: Figures;
  /** Null when no change is to blame, or the journal does not know it. */
  readonly cause: Cause | null;
}

/** What the journal knows about the change that an incident is about. */
export interface Cause {
  readonly proposed: Proposed;
  readonly by: string;
  readonly at: number;
  readonly gatesAsked: number;
  /** Gates that did not let it pass. */
  readonly against: readonly GateReport[];
  /** Still so at the end of the journal. */
  readonly quarantined: boolean;
  readonly frozen: boolean;
  /** Servers that the guard saw down, with the line that added them where the change did. */
  readonly serversDown: readonly DownServer[];
  /** What else the guard's last look at the candidate showed. */
  readonly errorLines: readonly string[];
}

export interface DownServer extends ServerRef {
  readonly lastCheck: string;
  readonly added: ChangedServer | null;
}

export function causeOf(entries: readonly JournalEntry[], incident: OpenedIncident): Cause | null {
  const change = blamedChange(incident);
  const entry = entries.findLast((e) => e.event.kind === 'change.proposed' && e.event.change === change);
  if (entry?.event.kind !== 'change.proposed') return null;
  const { siteHash } = entry.event;
  const reports = entries.flatMap(({ event }) =>
    event.kind === 'change.gate' && event.change === change ? [event.report] : [],
  );
  return {
    proposed: entry.event,
    by: entry.by,
    at: entry.at,
    gatesAsked: reports.length,
    against: reports.filter((report) => report.verdict !== 'passed'),
    quarantined: entries.reduce((is, { event }) => quarantineAfter(is, event, siteHash), false),
    frozen: entries.reduce((is, { event }) => freezeAfter(is, event), false),
    serversDown: serversDownOf(incident, entry.event.difference.serversAdded),
    errorLines: [...new Set(takeBacksOf(incident).flatMap((t) => t.evidence.errorLines))],
  };
}

function quarantineAfter(is: boolean, event: Event, siteHash: string): boolean {
  if (event.kind === 'quarantine.added' && event.siteHash === siteHash) return true;
  return event.kind === 'quarantine.released' && event.siteHash === siteHash ? false : is;
}

function freezeAfter(is: boolean, event: Event): boolean {
  if (event.kind === 'pipeline.frozen') return true;
  return event.kind === 'pipeline.released' ? false : is;
}

export function takeBacksOf(incident: OpenedIncident) {
  return incident.acts.flatMap(({ what }) => (what.kind === 'tookBack' ? [what.takeBack] : []));
}

/** Each server once, though several balancers saw it. */
function serversDownOf(incident: OpenedIncident, added: readonly ChangedServer[]): DownServer[] {
  const found = new Map<string, DownServer>();
  for (const { evidence } of takeBacksOf(incident)) {
    for (const down of evidence.serversDown) {
      const key = `${down.pool}/${down.server}`;
      const line = added.find((a) => a.pool === down.pool && a.server === down.server) ?? null;
      if (!found.has(key)) found.set(key, { ...down, added: line });
    }
  }
  return [...found.values()];
}

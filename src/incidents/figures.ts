import type { Counts, IncidentView, JournalEntry, TakeBack } from '#events';
import type { Act } from './acts.ts';
import { balancersOf, blamedChange, ledgerOf, type OpenedIncident } from './ledger.ts';

/** Who saw it first. */
export type Witness =
  | { readonly kind: 'guard'; readonly balancer: string; readonly person: boolean }
  | { readonly kind: 'monitor' }
  | { readonly kind: 'customers' };

export interface Figures {
  readonly beganAt: number;
  /** False when what was acted upon was no bad answer: a lease that ended, an engine that died idle. */
  readonly badAnswers: boolean;
  readonly seenAt: number;
  readonly seenBy: Witness;
  /** When the first customer wrote of it; null: none did. */
  readonly reportedAt: number | null;
  readonly restoredAt: number | null;
  readonly resolvedAt: number | null;
  /** What reached the candidate, or the engine that died, and how much of it failed. */
  readonly exposed: { readonly requests: number; readonly failed: number; readonly netUses: number };
  /** All requests of these balancers while the candidate was exposed. */
  readonly all: { readonly requests: number; readonly failed: number };
}

export function incidentsOf(entries: readonly JournalEntry[]): IncidentView[] {
  return ledgerOf(entries).incidents.map(viewOf);
}

function viewOf(incident: OpenedIncident): IncidentView {
  const { id, title } = incident;
  const { beganAt, seenAt, reportedAt, restoredAt, resolvedAt, exposed } = figuresOf(incident);
  return {
    id,
    title,
    change: blamedChange(incident),
    beganAt,
    seenAt,
    restoredAt,
    resolvedAt,
    requests: exposed.requests,
    failed: exposed.failed,
    reports: incident.reports.length,
    customersAheadMs: reportedAt === null ? null : seenAt - reportedAt,
    cause: incident.faults.flatMap(({ verdict }) => verdict?.sentence ?? [])[0] ?? null,
  };
}

export function figuresOf(incident: OpenedIncident): Figures {
  const first = sightings(incident).toSorted((a, b) => a.at - b.at)[0];
  const reportedAt = incident.reports[0]?.at ?? null;
  const seenAt = first?.at ?? incident.openedAt;
  const began = [
    ...incident.acts.map(beganAt).filter((at) => at !== null),
    ...incident.faults.map(({ facts }) => facts.startedAt),
    ...(reportedAt === null ? [] : [reportedAt]),
  ];
  return {
    beganAt: Math.min(seenAt, ...began),
    badAnswers: began.length > 0,
    seenAt,
    seenBy: first?.by ?? { kind: 'customers' },
    reportedAt,
    restoredAt: restoredAt(incident),
    resolvedAt: incident.resolved?.at ?? null,
    ...countsOf(incident),
  };
}

function sightings({ acts, faults }: OpenedIncident): { readonly at: number; readonly by: Witness }[] {
  return [
    ...acts.map(({ balancer, at, alarmAt, what }) => ({
      at: alarmAt ?? at,
      by: {
        kind: 'guard' as const,
        balancer,
        person: what.kind === 'tookBack' && what.takeBack.evidence.cause === 'person',
      },
    })),
    ...faults.map(({ seenAt }) => ({ at: seenAt, by: { kind: 'monitor' as const } })),
  ];
}

function beganAt(act: Act): number | null {
  const first = act.what.kind === 'tookBack' ? act.what.takeBack.evidence.firstBadAt : act.at;
  if (first === null) return act.alarmAt;
  return act.alarmAt === null ? first : Math.min(first, act.alarmAt);
}

/** Null until the last act of every balancer has put it right, and every fault has ended. */
function restoredAt(incident: OpenedIncident): number | null {
  const times: number[] = [];
  for (const balancer of balancersOf(incident)) {
    const last = incident.acts
      .filter((act) => act.balancer === balancer)
      .toSorted((a, b) => a.at - b.at)
      .at(-1);
    const at = last ? actDoneAt(last, incident) : null;
    if (at === null) return null;
    times.push(at);
  }
  for (const { ended } of incident.faults) {
    if (!ended) return null;
    times.push(ended.at);
  }
  return times.length === 0 ? silentSince(incident) : Math.max(...times);
}

/** Where nothing but customers saw it: once it is resolved, when the last of them wrote. */
function silentSince({ reports, resolved }: OpenedIncident): number | null {
  return resolved ? (reports.at(-1)?.at ?? null) : null;
}

export function actDoneAt(act: Act, incident: OpenedIncident): number | null {
  if (act.what.kind === 'tookBack') return act.what.takeBack.doneAt;
  if (act.what.kind === 'carried') return act.at + act.what.tookMs;
  const { role, takenOverBy, tookOverMs } = act.what;
  if (takenOverBy !== null) return act.at + (tookOverMs ?? 0);
  // Nothing was served by a standby, and a candidate's share goes to the incumbent at once.
  if (role !== 'active') return act.at;
  return incident.facts.restarts.find((r) => r.balancer === act.balancer && r.at >= act.at)?.at ?? null;
}

function countsOf(incident: OpenedIncident): Pick<Figures, 'exposed' | 'all'> {
  const exposed = { requests: 0, failed: 0, netUses: 0 };
  const all = { requests: 0, failed: 0 };
  for (const { balancer, what } of incident.acts) {
    if (what.kind === 'carried') continue;
    if (what.kind === 'engineDied') {
      const lost = what.lostRequests ?? 0;
      for (const sum of [exposed, all]) {
        sum.requests += lost;
        sum.failed += lost;
      }
      continue;
    }
    const { candidate, incumbent } = what.takeBack.evidence;
    const last = larger(candidate, drainedCounts(incident, balancer, what.takeBack));
    exposed.requests += last.requests;
    exposed.failed += last.errors;
    exposed.netUses += last.netUses;
    all.requests += last.requests + incumbent.requests;
    all.failed += last.errors + incumbent.errors;
  }
  return { exposed, all };
}

function drainedCounts(incident: OpenedIncident, balancer: string, takeBack: TakeBack): Counts | undefined {
  return incident.facts.drained.find(
    (d) =>
      d.balancer === balancer &&
      d.generation === takeBack.from &&
      d.change === takeBack.change &&
      d.at >= takeBack.decidedAt,
  )?.candidate;
}

/** The counts after draining hold those at the take-back, unless the engine died before it could be asked again. */
function larger(atTakeBack: Counts, drained: Counts | undefined): Counts {
  return drained && drained.requests >= atTakeBack.requests ? drained : atTakeBack;
}

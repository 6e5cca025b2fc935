import {
  type Alert,
  type ChangeState,
  type Event,
  type FaultEvent,
  finalStates,
  fingerprintOf,
  type GuardRecord,
  type JournalEntry,
} from '#events';
import { ending, oneLine, type Told } from './told.ts';
import {
  toldOfBreakGlass,
  toldOfCertificate,
  toldOfConfirmation,
  toldOfExhaustion,
  toldOfFailedSpare,
  toldOfFlood,
  toldOfFreeze,
  toldOfGate,
  toldOfIncident,
  toldOfReview,
  toldOfSpare,
} from './told-change.ts';
import { toldOfFault } from './told-fault.ts';
import { toldOfGuard } from './told-guard.ts';

/** What the facts of the journal ask for: which of them are alerts, and what ends those. */
export interface Sources {
  add(entry: Pick<JournalEntry, 'at' | 'event'>): void;
  /** By fingerprint: what should fire now. */
  readonly wanted: ReadonlyMap<string, Alert>;
  /** Whether the journal's facts made it once: then it ends with them, and not by time. */
  isOwn(fingerprint: string): boolean;
}

type Seen = FaultEvent & { readonly kind: 'fault.seen' };
type Opened = Event & { readonly kind: 'incident.opened' };

const urgent: readonly string[] = ['critical', 'error'];

/** `site`: the label that every alert of ours has. */
export function createSources(site: string): Sources {
  const wanted = new Map<string, Alert>();
  const own = new Set<string>();
  const ends = new Map<string, readonly string[]>();
  const incidents = new Map<string, Opened>();
  const faults = new Map<string, Seen>();

  function fire(at: number, told: Told): void {
    const alert = alertOf(at, told, site);
    const fingerprint = fingerprintOf(alert.labels);
    const startsAt = wanted.get(fingerprint)?.startsAt ?? at;
    wanted.set(fingerprint, { ...alert, startsAt });
    own.add(fingerprint);
    ends.set(fingerprint, told.until);
  }

  function end(names: readonly string[]): void {
    if (names.length === 0) return;
    for (const [fingerprint, until] of ends) {
      if (!until.some((name) => names.includes(name))) continue;
      wanted.delete(fingerprint);
      ends.delete(fingerprint);
    }
  }

  function toldOf(event: Event): Told | null {
    switch (event.kind) {
      case 'guard.acted':
        return toldOfGuard(event.record);
      case 'fault.seen':
        faults.set(event.fault, event);
        return toldOfFault(event, null);
      case 'fault.located': {
        const seen = faults.get(event.fault);
        return seen ? toldOfFault(seen, event.verdict) : null;
      }
      case 'incident.opened':
        incidents.set(event.incident, event);
        return [...wanted.values()].some(({ labels }) => urgent.includes(labels.severity))
          ? null
          : toldOfIncident(event);
      default:
        return toldOfRest(event);
    }
  }

  return {
    wanted,
    isOwn: (fingerprint) => own.has(fingerprint),
    add({ at, event }) {
      end(event.kind === 'incident.resolved' ? endedWith(incidents.get(event.incident)) : endedBy(event));
      if (event.kind === 'fault.ended') faults.delete(event.fault);
      if (event.kind === 'incident.resolved') incidents.delete(event.incident);
      const told = toldOf(event);
      if (told) fire(event.kind === 'guard.acted' ? event.record.at : at, told);
    },
  };
}

function alertOf(at: number, told: Told, site: string): Alert {
  const { name, severity, role, labels, summary, users, cause, action } = told;
  return {
    labels: {
      alertname: name,
      severity,
      site,
      ...(role ? { role } : {}),
      ...labels,
    },
    annotations: {
      summary: oneLine(summary),
      users: oneLine(users),
      cause: oneLine(cause),
      action: oneLine(action),
      description: [users, cause, action].map(oneLine).join('\n'),
    },
    startsAt: at,
    endsAt: null,
    generatorURL: '',
  };
}

function toldOfRest(event: Event): Told | null {
  switch (event.kind) {
    case 'pipeline.frozen':
      return toldOfFreeze(event);
    case 'change.awaits':
      return toldOfReview(event);
    case 'change.awaitsConfirmation':
      return toldOfConfirmation(event);
    case 'change.brokeGlass':
      return toldOfBreakGlass(event);
    case 'change.gate':
      return toldOfGate(event);
    case 'spare.joins':
    case 'spare.leaves':
      return event.kind === 'spare.joins' ? toldOfSpare(event) : null;
    case 'spare.failed':
      return toldOfFailedSpare(event);
    case 'certificate.refused':
      return toldOfCertificate(event);
    case 'escalation.exhausted':
      return toldOfExhaustion(event);
    case 'alert.dropped':
      return event.count > 0 ? toldOfFlood(event) : null;
    default:
      return null;
  }
}

function endedWith(opened: Opened | undefined): readonly string[] {
  if (!opened) return [];
  const { incident, change, balancers } = opened;
  return [
    ending.incident(incident),
    ...(change === null ? [] : [ending.change(change)]),
    ...balancers.map(ending.balancer),
  ];
}

/** The names that this fact ends. */
function endedBy(event: Event): readonly string[] {
  switch (event.kind) {
    case 'pipeline.released':
      return [ending.frozen];
    case 'change.state':
      return endedByState(event.change, event.state);
    case 'change.approved':
      return [ending.review(event.change), ending.glass(event.change)];
    case 'change.exposed':
      return [ending.review(event.change)];
    case 'change.confirmed':
      return [ending.confirmation(event.change)];
    case 'change.gate':
      return event.report.gate === 'way back' && event.report.verdict === 'passed' ? [ending.wayBack] : [];
    case 'spare.joins':
    case 'spare.leaves':
      return [ending.spare(event.pool, event.server)];
    case 'spare.failed':
      return event.turn === 'joins' ? [ending.spare(event.pool, event.server)] : [];
    case 'guard.acted':
      return endedByGuard(event.record);
    case 'fault.ended':
      return [ending.fault(event.fault)];
    case 'escalation.ended':
    case 'alert.acknowledged':
      return [ending.exhausted(event.escalation)];
    case 'alert.dropped':
      return event.count === 0 ? [ending.flood] : [];
    default:
      return [];
  }
}

function endedByState(id: string, state: ChangeState): readonly string[] {
  const over = finalStates.includes(state) ? [ending.review(id), ending.confirmation(id)] : [];
  return state === 'promoted' ? [...over, ending.certificate] : over;
}

function endedByGuard({ balancer, what }: GuardRecord): readonly string[] {
  switch (what.kind) {
    case 'recovered':
      return [ending.series(balancer, what.series)];
    case 'carriedNoMore':
      return [ending.carried(balancer), ending.engine(balancer)];
    case 'restored':
      return [ending.engine(balancer)];
    case 'beside':
      return what.gone ? [ending.beside(balancer, what.address)] : [];
    default:
      return [];
  }
}

import type { Counts, GuardRecord, JournalEntry, TakeBack } from '#events';

/** Acts of the guard that are this near to each other are one incident, whatever change they name. */
const joinedWithinMs = 60_000;
/** How long before an act an alarm may have been raised to count as its beginning. */
const alarmBeforeMs = 3_600_000;

export type EngineDeath = Extract<GuardRecord['what'], { kind: 'engineDied' }>;
/** The fourth rung of the guard's ladder. */
export type Carrying = Extract<GuardRecord['what'], { kind: 'carried' }>;

/** Something that the guard of one balancer did about a fault. */
export interface Act {
  readonly balancer: string;
  readonly change: string | null;
  /** When it was decided, or seen that the engine had ended. */
  readonly at: number;
  readonly what: { readonly kind: 'tookBack'; readonly takeBack: TakeBack } | EngineDeath | Carrying;
  /** When an alarm had been raised before, and nothing was done about it until then. */
  readonly alarmAt: number | null;
}

export interface Sign {
  readonly at: number;
  readonly balancer: string;
  readonly series: string;
  readonly bad: boolean;
}

/** What the guards told beside their acts; of any time and balancer. */
export interface Facts {
  readonly signs: Sign[];
  /** Cold starts after an engine had died: when the balancer served again. */
  readonly restarts: { readonly balancer: string; readonly at: number }[];
  /** Changes that brought a balancer back to its own engine. */
  readonly returns: { readonly balancer: string; readonly at: number; readonly by: string }[];
  /** Last counts of what was taken back. */
  readonly drained: {
    readonly balancer: string;
    readonly change: string | null;
    readonly generation: number;
    readonly at: number;
    readonly candidate: Counts;
  }[];
}

export interface OpenedIncident {
  readonly id: string;
  readonly title: string;
  readonly change: string | null;
  readonly openedAt: number;
  readonly acts: Act[];
  readonly facts: Facts;
  resolved: { readonly at: number; readonly how: string } | null;
}

export interface Ledger {
  add(entry: JournalEntry): void;
  readonly incidents: readonly OpenedIncident[];
  /** Acts that no incident was opened for yet, oldest first. */
  pending(): readonly Act[];
}

/**
 * What the journal says about incidents, entry by entry: the one place that decides which act belongs to which
 * incident, so that who opens them and who reads them agree.
 */
export function createLedger(): Ledger {
  const incidents: OpenedIncident[] = [];
  const facts: Facts = { signs: [], restarts: [], returns: [], drained: [] };
  const seen = new Set<string>();
  let pending: Act[] = [];

  function addRecord(record: GuardRecord): void {
    const { balancer, at, what } = record;
    const key = `${balancer} ${record.number} ${at}`;
    // Records are delivered until they are acknowledged, so they may come twice.
    if (seen.has(key)) return;
    seen.add(key);
    if (what.kind === 'carried') facts.restarts.push({ balancer, at });
    if (what.kind === 'tookBack' || what.kind === 'engineDied' || what.kind === 'carried')
      addAct(actOf(record, what, facts));
    else if (what.kind === 'restored') facts.restarts.push({ balancer, at });
    else if (what.kind === 'carriedNoMore') facts.returns.push({ balancer, at, by: what.by });
    else if (what.kind === 'drained') facts.drained.push({ ...what, balancer, at });
    else if (what.kind === 'alarm' || what.kind === 'recovered')
      facts.signs.push({ at, balancer, series: what.series, bad: what.kind === 'alarm' });
  }

  function addAct(act: Act): void {
    const home = incidents.findLast((incident) => belongs(incident, act));
    if (home) home.acts.push(act);
    else if (!uneventful(act)) pending.push(act);
  }

  function open(id: string, title: string, change: string | null, openedAt: number): void {
    const fresh: OpenedIncident = { id, title, change, openedAt, acts: [], facts, resolved: null };
    incidents.push(fresh);
    const first = pending.find((act) => act.change === change) ?? pending[0];
    if (first) fresh.acts.push(first);
    for (const act of pending) if (act !== first && belongs(fresh, act)) fresh.acts.push(act);
    pending = pending.filter((act) => !fresh.acts.includes(act));
  }

  return {
    incidents,
    pending: () => pending,
    add({ at, event }) {
      if (event.kind === 'guard.acted') addRecord(event.record);
      if (event.kind === 'incident.opened') open(event.incident, event.title, event.change, at);
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

export function balancersOf(incident: OpenedIncident): Set<string> {
  return new Set(incident.acts.map((act) => act.balancer));
}

function actOf(record: GuardRecord, what: Act['what'], facts: Facts): Act {
  const { balancer } = record;
  const at = decidedAt(record, what);
  const change = what.kind === 'tookBack' ? what.takeBack.change : null;
  const alarms = standingAlarms(facts.signs, balancer, at);
  const alarmAt = alarms.length === 0 ? null : Math.min(...alarms.map((sign) => sign.at));
  return { balancer, change, at, what, alarmAt };
}

function decidedAt(record: GuardRecord, what: Act['what']): number {
  switch (what.kind) {
    case 'tookBack':
      return what.takeBack.decidedAt;
    case 'engineDied':
      return what.diedAt ?? record.at;
    case 'carried':
      return record.at - what.tookMs;
  }
}

/** Series that were bad at that moment: an alarm, and no recovery since. */
function standingAlarms(signs: readonly Sign[], balancer: string, at: number): Sign[] {
  const recent = signs.filter((s) => s.balancer === balancer && s.at <= at && at - s.at <= alarmBeforeMs);
  return recent.filter((s) => s.bad && !recent.some((r) => !r.bad && r.series === s.series && r.at >= s.at));
}

function belongs(incident: OpenedIncident, act: Act): boolean {
  if (incident.resolved && act.at > incident.resolved.at) return false;
  if (incident.change !== null && act.change !== null) return incident.change === act.change;
  return incident.acts.some((other) => Math.abs(other.at - act.at) <= joinedWithinMs);
}

/** A person went back although nothing was wrong: a change, and no incident. */
function uneventful(act: Act): boolean {
  if (act.what.kind !== 'tookBack' || act.alarmAt !== null) return false;
  const { cause, candidate, firstBadAt } = act.what.takeBack.evidence;
  const bad = candidate.errors + candidate.netUses + candidate.connectionErrors;
  return cause === 'person' && bad === 0 && firstBadAt === null;
}

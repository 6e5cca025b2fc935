import type { Counts, GuardRecord, TakeBack } from '#events';

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

/** Adds to `facts` what a guard told, and gives the act when it was one that may be an incident. */
export function readRecord(record: GuardRecord, facts: Facts): Act | null {
  const { balancer, at, what } = record;
  switch (what.kind) {
    case 'carried':
      facts.restarts.push({ balancer, at });
      return actOf(record, what, facts);
    case 'tookBack':
    case 'engineDied':
      return actOf(record, what, facts);
    case 'restored':
      facts.restarts.push({ balancer, at });
      return null;
    case 'carriedNoMore':
      facts.returns.push({ balancer, at, by: what.by });
      return null;
    case 'drained':
      facts.drained.push({ ...what, balancer, at });
      return null;
    case 'alarm':
    case 'recovered':
      facts.signs.push({ at, balancer, series: what.series, bad: what.kind === 'alarm' });
      return null;
    default:
      return null;
  }
}

/** A person went back although nothing was wrong: a change, and no incident. */
export function uneventful(act: Act): boolean {
  if (act.what.kind !== 'tookBack' || act.alarmAt !== null) return false;
  const { cause, candidate, firstBadAt } = act.what.takeBack.evidence;
  const bad = candidate.errors + candidate.netUses + candidate.connectionErrors;
  return cause === 'person' && bad === 0 && firstBadAt === null;
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

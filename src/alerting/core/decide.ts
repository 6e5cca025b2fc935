import type { Alert, Event, PageReason } from '#events';
import { causeOf, inOrder } from '../message.ts';
import type { OnCall, Policy, Step } from '../settings.ts';
import type { Book, Escalation, FiringAlert, Turn } from './book.ts';
import { groupOf, inhibitor, matches, policyOf } from './matchers.ts';
import { pagesFor, targetsOf, told } from './targets.ts';

/** Two times: what clocks on the wall show (schedules, silences), and one that never goes back (deadlines). */
export interface Now {
  readonly wall: number;
  readonly steady: number;
}

export interface Decision {
  /** To be journalled in this order, all of them, before anything is decided anew. */
  readonly facts: readonly Event[];
  /** In how many milliseconds there may be something to decide, when nothing happens before. */
  readonly waitMs: number;
}

/** A page that failed so often is as good as not delivered: the next step need not wait for it. */
const failuresAreLost = 3;
const openEscalationsMax = 100;
/** Whoever was just told of a lesser thing, and has not answered, is told of a critical one so soon after it. */
const worseAfterMs = 10_000;
/** A cause that is found anew again and again is for whoever looks, not for their telephone. */
const updatesMax = 5;

/**
 * What is to be done next, of what the journal says and no more: no clock, no chance, nothing sent. Whoever died between
 * a decision and its entry decides the same again. `expiresAt`: when an alert from outside is over unless it comes again.
 */
export function decide(
  book: Book,
  settings: OnCall | null,
  now: Now,
  expiresAt: (fingerprint: string) => number,
): Decision {
  const changes = alertFacts(book, now, expiresAt);
  if (changes.facts.length > 0) return changes;
  if (settings === null) return changes;
  const groups = groupsOf(book, settings, now);
  const began = beginnings(book, settings, groups, now);
  if (began.facts.length > 0) return began;
  const steps = [...book.escalations.values()]
    .filter((one) => one.ended === null)
    .map((one) => nextOf(book, settings, one, groups.get(one.group) ?? [], now));
  return {
    facts: steps.flatMap(({ facts }) => facts),
    waitMs: Math.min(changes.waitMs, began.waitMs, ...steps.map(({ waitMs }) => waitMs)),
  };
}

function alertFacts(book: Book, now: Now, expiresAt: (fingerprint: string) => number): Decision {
  const { firing, sources, silences } = book;
  const facts: Event[] = [];
  let waitMs = Number.POSITIVE_INFINITY;
  const due = (dueAt: number, at: number, fact: Event) => {
    if (dueAt <= at) facts.push(fact);
    else waitMs = Math.min(waitMs, dueAt - at);
  };
  for (const [fingerprint, alert] of sources.wanted) {
    const known = firing.get(fingerprint)?.alert;
    if (!known || !sameWords(known, alert)) facts.push({ kind: 'alert.fired', fingerprint, alert });
  }
  for (const fingerprint of firing.keys()) {
    if (sources.wanted.has(fingerprint)) continue;
    if (sources.isOwn(fingerprint))
      facts.push({ kind: 'alert.resolved', fingerprint, how: 'what made it is over' });
    else
      due(expiresAt(fingerprint), now.steady, {
        kind: 'alert.resolved',
        fingerprint,
        how: 'it was not told again',
      });
  }
  for (const { id, endsAt } of silences.values())
    due(endsAt, now.wall, { kind: 'silence.ended', silence: id });
  return { facts, waitMs };
}

function sameWords(a: Alert, b: Alert): boolean {
  const words = Object.keys(b.annotations);
  return (
    words.length === Object.keys(a.annotations).length &&
    words.every((word) => a.annotations[word] === b.annotations[word])
  );
}

/** Alerts that page somebody: by policy and group. Silenced ones and symptoms of a known cause are left out. */
function groupsOf(book: Book, settings: OnCall, now: Now): Map<string, FiringAlert[]> {
  const groups = new Map<string, FiringAlert[]>();
  const quiet = quietness(book, settings, now);
  for (const one of book.firing.values()) {
    const policy = policyOf(settings, one.alert.labels);
    if (!policy) continue;
    const { silences, causes } = quiet(one.alert);
    if (silences.length + causes.length > 0) continue;
    const group = groupOf(policy, one.alert.labels);
    const others = groups.get(group);
    if (others) others.push(one);
    else groups.set(group, [one]);
  }
  return groups;
}

/** What a message about it is about: those that fire and are not silenced; when it is over, those that did. */
export function alertsOf(
  book: Book,
  settings: OnCall | null,
  { group, beganAt }: Escalation,
  now: Now,
): readonly FiringAlert[] {
  if (settings === null) return [];
  const firing = groupsOf(book, settings, now).get(group) ?? [];
  if (firing.length > 0) return firing;
  const isOfGroup = ({ alert }: FiringAlert) => {
    const policy = policyOf(settings, alert.labels);
    return policy !== null && groupOf(policy, alert.labels) === group;
  };
  const over = book.resolved.filter(({ resolvedAt }) => resolvedAt >= beganAt).filter(isOfGroup);
  // Those that are silenced now fire still.
  return [...over, ...[...book.firing.values()].filter(isOfGroup)];
}

/** Why an alert pages nobody: silences by their id, and the fingerprints of its causes. */
export function quietness(
  book: Book,
  settings: OnCall | null,
  now: Now,
): (alert: Alert) => { readonly silences: readonly string[]; readonly causes: readonly string[] } {
  const inForce = [...book.silences.values()].filter(
    ({ startsAt, endsAt }) => startsAt <= now.wall && now.wall < endsAt,
  );
  const firing = [...book.firing.values()].map(({ fingerprint, alert }) => ({
    ...alert,
    fingerprint,
    own: book.sources.isOwn(fingerprint),
  }));
  const causesOf = inhibitor(firing, settings?.inhibit ?? []);
  return (alert) => ({
    silences: inForce.filter(({ matchers }) => matches(matchers, alert.labels)).map(({ id }) => id),
    causes: causesOf(alert),
  });
}

function beginnings(
  book: Book,
  settings: OnCall,
  groups: ReadonlyMap<string, readonly FiringAlert[]>,
  now: Now,
): Decision {
  const open = [...book.escalations.values()].filter(({ ended }) => ended === null);
  const known = new Set(open.map(({ group }) => group));
  const facts: Event[] = [];
  let waitMs = Number.POSITIVE_INFINITY;
  for (const [group, alerts] of groups) {
    const [first] = alerts;
    if (known.has(group) || !first || open.length + facts.length >= openEscalationsMax) continue;
    const policy = policyOf(settings, first.alert.labels);
    if (!policy) continue;
    const dueAt = Math.min(...alerts.map(({ firedAt }) => firedAt)) + policy.waitMs;
    if (dueAt > now.steady) {
      waitMs = Math.min(waitMs, dueAt - now.steady);
      continue;
    }
    const escalation = `e-${book.begun + facts.length + 1}`;
    facts.push({ kind: 'escalation.began', escalation, policy: policy.name, group });
  }
  return { facts, waitMs };
}

const nothing: Decision = { facts: [], waitMs: Number.POSITIVE_INFINITY };

function nextOf(
  book: Book,
  settings: OnCall,
  escalation: Escalation,
  alerts: readonly FiringAlert[],
  now: Now,
): Decision {
  const policy = settings.policies.find(({ name }) => name === escalation.policy);
  if (alerts.length === 0 || !policy) return { facts: endOf(book, settings, escalation), waitMs: 0 };
  const last = escalation.turns.findLast(({ what }) => what === 'page');
  const plan = (step: number, round: number, reason: PageReason): Decision => ({
    facts: [planned({ settings, escalation, policy, step, round, reason, now })],
    waitMs: 0,
  });
  if (!last) return plan(0, 0, 'first');
  if (escalation.handedTo) return plan(last.step, last.round, 'handedOver');
  if (isKnownBetter(book, escalation, alerts, last))
    return { facts: [noticeOf(book, settings, escalation, 'updated')], waitMs: 0 };
  if (escalation.ack) {
    if (worseThanTold(alerts, last)) return plan(last.step, last.round, 'worse');
    if (escalation.ack.runsOutAt <= now.steady) return plan(last.step, last.round, 'ackRanOut');
    if (!escalation.ack.told)
      return { facts: [noticeOf(book, settings, escalation, 'acknowledged')], waitMs: 0 };
    return { facts: [], waitMs: escalation.ack.runsOutAt - now.steady };
  }
  if (escalation.exhausted) return nothing;
  const worseAt = worseThanTold(alerts, last) ? last.seenAt + worseAfterMs : Number.POSITIVE_INFINITY;
  if (worseAt <= now.steady) return plan(last.step, last.round, 'worse');
  const dueAt = unansweredAt(book, policy, last, waitedSince(escalation, last));
  const nextAt = Math.min(worseAt, dueAt ?? Number.POSITIVE_INFINITY);
  if (dueAt === null || nextAt > now.steady) return { facts: [], waitMs: nextAt - now.steady };
  if (last.step + 1 < policy.steps.length) return plan(last.step + 1, last.round, 'unanswered');
  if (last.round + 1 < policy.repeat) return plan(0, last.round + 1, 'unanswered');
  return { facts: [{ kind: 'escalation.exhausted', escalation: escalation.id }], waitMs: 0 };
}

/** An alert that began after the last page and is critical where none was: whoever has it must know. */
function worseThanTold(alerts: readonly FiringAlert[], last: Turn): boolean {
  const isCritical = ({ alert }: FiringAlert) => alert.labels.severity === 'critical';
  const before = alerts.filter(({ firedAt }) => firedAt <= last.seenAt);
  return !before.some(isCritical) && alerts.some((one) => isCritical(one) && one.firedAt > last.seenAt);
}

/**
 * What the alert that leads is found to come of is not what anybody was told: those who were paged are told, once. An alert
 * that came later is no news of this one; a cause that was told before is none either.
 */
function isKnownBetter(
  book: Book,
  { turns }: Escalation,
  alerts: readonly FiringAlert[],
  last: Turn,
): boolean {
  const [first] = inOrder(alerts);
  if (!first || first.firedAt > last.seenAt) return false;
  const pages = turns.flatMap((turn) => turn.pages.flatMap((id) => book.pages.get(id) ?? []));
  const told = pages.flatMap(({ cause }) => (cause === null ? [] : [cause]));
  const cause = causeOf(first.alert);
  // What was not tried yet will say what is known by then.
  const isUnderWay = pages.some(({ state, attempts }) => state === 'planned' && attempts === 0);
  const updates = turns.filter(({ what }) => what === 'updated').length;
  return told.length > 0 && cause !== '' && !told.includes(cause) && !isUnderWay && updates < updatesMax;
}

/** Steady time at which the next step comes; null: there is none after a step that only tells. */
function unansweredAt(book: Book, { steps }: Policy, last: Turn, since: number): number | null {
  const step: Step | undefined = steps[last.step];
  const pages = last.pages.flatMap((id) => book.pages.get(id) ?? []);
  const isLast = last.step + 1 >= steps.length;
  const lost = pages.every(
    ({ state, attempts }) => state === 'dead' || (state === 'planned' && attempts >= failuresAreLost),
  );
  const ackWithinMs = step?.ackWithinMs ?? null;
  if (ackWithinMs === null && isLast) return null;
  // Nobody was there, or nobody could be reached: the last step waits all the same, so that a round takes its time.
  return lost && !isLast ? last.seenAt : since + (ackWithinMs ?? 0);
}

/** Nobody has longer to answer because it became worse meanwhile. */
function waitedSince({ turns }: Escalation, last: Turn): number {
  const before = turns.findLast(
    ({ what, reason }) => what === 'acknowledged' || (what === 'page' && reason !== 'worse'),
  );
  return before?.what === 'page' ? before.seenAt : last.seenAt;
}

function planned(of: {
  readonly settings: OnCall;
  readonly escalation: Escalation;
  readonly policy: Policy;
  readonly step: number;
  readonly round: number;
  readonly reason: PageReason;
  readonly now: Now;
}): Event {
  const { settings, escalation, policy, step, round, reason, now } = of;
  const { to } = escalation.handedTo ?? {};
  const targets =
    to === undefined ? (policy.steps[step]?.targets ?? []) : [{ kind: 'person' as const, name: to, to: '' }];
  const { reached, missing } = targetsOf(settings, targets, now.wall);
  const turn = escalation.turns.length;
  const pages = pagesFor(`${escalation.id}.${turn}`, reached);
  return {
    kind: 'page.planned',
    escalation: escalation.id,
    turn,
    what: 'page',
    step,
    round,
    reason,
    pages,
    missing,
  };
}

/** To all who were paged before, at the same places. */
function noticeOf(
  book: Book,
  settings: OnCall,
  escalation: Escalation,
  what: 'updated' | 'acknowledged' | 'resolved',
): Event {
  const last = escalation.turns.at(-1);
  const turn = escalation.turns.length;
  return {
    kind: 'page.planned',
    escalation: escalation.id,
    turn,
    what,
    step: last?.step ?? 0,
    round: last?.round ?? 0,
    reason: 'first',
    pages: pagesFor(`${escalation.id}.${turn}`, told(book, settings, escalation)),
    missing: [],
  };
}

function endOf(book: Book, settings: OnCall, escalation: Escalation): Event[] {
  const isTold = escalation.turns.at(-1)?.what === 'resolved' || escalation.turns.length === 0;
  const how = 'none of its alerts fires any more, or they are silenced';
  const ended: Event = { kind: 'escalation.ended', escalation: escalation.id, how };
  return isTold ? [ended] : [noticeOf(book, settings, escalation, 'resolved'), ended];
}

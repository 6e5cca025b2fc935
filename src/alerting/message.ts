import type { Alert } from '#events';
import type { Escalation, FiringAlert, Page } from './core/book.ts';

/** What a notifier is given: everything that it may say, and no more. */
export interface Message {
  /** The same for all that is told of one escalation, over restarts: what receivers join messages by. At most 255 characters. */
  readonly key: string;
  /** The same for every try of one page, and no other's: whoever knows such keys takes it once. */
  readonly page: string;
  readonly what: 'page' | 'updated' | 'acknowledged' | 'resolved' | 'test';
  /** It may have come before: the receiver's answer to an earlier try was not heard. */
  readonly again: boolean;
  readonly site: string;
  readonly escalation: string;
  /** Null: a channel that belongs to nobody. */
  readonly person: string | null;
  /** Where the notifier has them; empty: it needs none. */
  readonly to: string;
  readonly severity: string;
  readonly title: string;
  /** The three lines: what users see, the cause, what was done and what to do. */
  readonly users: string;
  readonly cause: string;
  readonly action: string;
  /** Why this one is paged, and what to type. */
  readonly notes: readonly string[];
  readonly runbook: string;
  readonly alerts: readonly Alert[];
  /** Alerts that are not in `alerts`, because they are too many. */
  readonly more: number;
  readonly at: number;
}

export const alertsShownMax = 20;
const titleMax = 200;
const unsavedNote =
  'The journal takes nothing now (see `holdfast status`): this is written down as soon as it does.';
const severities = ['critical', 'error', 'warning', 'info'];

export interface MessageParts {
  readonly site: string;
  readonly escalation: Escalation;
  readonly page: Page;
  /** Those that fire, or the last that did when it is over. */
  readonly alerts: readonly FiringAlert[];
  readonly again: boolean;
  /** The journal takes nothing: what is told here stands in memory alone. */
  readonly unsaved: boolean;
  readonly now: number;
}

/** Worst first; among those, a cause before its symptoms, then the oldest. */
export function inOrder(alerts: readonly FiringAlert[]): readonly FiringAlert[] {
  return alerts.toSorted(({ alert: a }, { alert: b }) => rank(a) - rank(b) || a.startsAt - b.startsAt);
}

/** The second of the three lines. */
export function causeOf({ annotations }: Alert): string {
  return annotations.cause ?? annotations.description ?? '';
}

export function messageOf({ site, escalation, page, alerts, again, unsaved, now }: MessageParts): Message {
  const sorted = inOrder(alerts).map(({ alert }) => alert);
  const [first] = sorted;
  const annotations = first?.annotations;
  const summary = annotations?.summary ?? first?.labels.alertname ?? 'Alerts';
  const others = sorted.length - 1;
  const what = { page: '', updated: 'Known better: ', acknowledged: 'Taken: ', resolved: 'Over: ' }[
    page.what
  ];
  return {
    key: keyOf(site, escalation),
    page: `${keyOf(site, escalation)}/${page.id}`,
    what: page.what,
    again,
    site,
    escalation: escalation.id,
    person: page.person,
    to: page.to,
    severity: first?.labels.severity ?? 'error',
    title: `${site}: ${what}${summary}${others > 0 ? ` (and ${others} more)` : ''}`.slice(0, titleMax),
    users: annotations?.users ?? '',
    cause: first ? causeOf(first) : '',
    action: annotations?.action ?? '',
    notes: [...notesOf(escalation, page, again), ...(unsaved ? [unsavedNote] : [])],
    runbook: annotations?.runbook_url ?? '',
    alerts: sorted.slice(0, alertsShownMax),
    more: Math.max(0, sorted.length - alertsShownMax),
    at: now,
  };
}

/** `holdfast/shop/e-3/1772000000000`: a journal that was begun anew counts from 1 again, so the time is in it. */
function keyOf(site: string, { id, beganAt }: Escalation): string {
  return `holdfast/${site}/${id}/${beganAt}`.slice(0, 255);
}

function rank({ labels }: Alert): number {
  const severity = severities.indexOf(labels.severity);
  return (severity < 0 ? severities.length : severity) * 2 + (labels.role === 'cause' ? 0 : 1);
}

const reasons = {
  first: null,
  unanswered: 'Nobody has answered before you.',
  ackRanOut: 'It was taken, and goes on: the acknowledgement has run out.',
  worse: 'It was taken, and has become critical.',
  handedOver: 'It was handed to you.',
} as const;

function notesOf({ id, ack, ended }: Escalation, { what, reason }: Page, again: boolean): readonly string[] {
  const twice = again ? ['You may have this already: an earlier try got no answer.'] : [];
  if (what === 'resolved') return [ended?.how ?? 'None of its alerts fires any more.', ...twice];
  if (what === 'acknowledged')
    return [
      `${ack?.by ?? 'Somebody'} has it${ack && ack.comment !== '' ? `: ${ack.comment}` : ''}.`,
      ...twice,
    ];
  if (what === 'updated') return ['You know of this already: its cause is known better now.', ...twice];
  const why = reasons[reason];
  return [...(why === null ? [] : [why]), `Take it: holdfast ack ${id}`, ...twice];
}

/** A message that nobody has to do anything about. */
export function testMessage(site: string, notifier: string, to: string, by: string, now: number): Message {
  return {
    key: `holdfast/${site}/test/${now}`,
    page: `holdfast/${site}/test/${notifier}/${now}`,
    what: 'test',
    again: false,
    site,
    escalation: '',
    person: null,
    to,
    severity: 'info',
    title: `${site}: a test of "${notifier}"`,
    users: 'Nothing: this is a test.',
    cause: `${by} asked for it (holdfast notify --test).`,
    action: 'Nothing is to be done.',
    notes: [],
    runbook: '',
    alerts: [],
    more: 0,
    at: now,
  };
}

/** The whole message as plain lines, the title left out. */
export function plainLines(message: Message): readonly string[] {
  const { users, cause, action, notes, runbook, alerts, more } = message;
  const listed =
    alerts.length > 1
      ? alerts.map(
          ({ labels, annotations }) =>
            `- ${labels.severity} ${labels.alertname}: ${annotations.summary ?? ''}`,
        )
      : [];
  return [
    ...[`Users see: ${users}`, `Cause: ${cause}`, `Done / to do: ${action}`].filter(
      (line) => !line.endsWith(': '),
    ),
    ...(runbook === '' ? [] : [`Runbook: ${runbook}`]),
    ...listed,
    ...(more > 0 ? [`- and ${more} more`] : []),
    ...notes,
  ];
}

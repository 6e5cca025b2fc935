import type { Event, JournalEntry } from '#events';
import { figuresOf } from './figures.ts';
import type { OpenedIncident } from './ledger.ts';
import type { TimelineLine } from './timeline.ts';
import { dateAndTime, listed, plain, who } from './words.ts';

/** Whom it woke, who took it, and to whom it was handed: of the time of this incident. */
export function peopleLine(entry: JournalEntry, incident: OpenedIncident): TimelineLine[] {
  const { at, event } = entry;
  const { beganAt, resolvedAt } = figuresOf(incident);
  if (at < beganAt || at > (resolvedAt ?? Number.POSITIVE_INFINITY)) return [];
  const text = textOf(entry, event);
  return text === null ? [] : [{ at, text }];
}

function textOf({ by }: JournalEntry, event: Event): string | null {
  switch (event.kind) {
    case 'alert.fired':
      return `Alert: ${plain(event.alert.annotations.summary)}.`;
    case 'page.planned':
      return event.what === 'page' ? pagedText(event) : null;
    case 'page.dead':
      return `A page could not be delivered: ${plain(event.why)}.`;
    case 'alert.acknowledged':
      return `${who(by)} has taken it, until ${dateAndTime(event.until)}${event.comment === '' ? '' : `: "${plain(event.comment)}"`}.`;
    case 'escalation.handedOver':
      return `${who(by)} handed it over to ${plain(event.to)}.`;
    case 'escalation.exhausted':
      return 'Nobody who was to be paged has answered.';
    default:
      return null;
  }
}

function pagedText({ pages, missing, step, reason }: Extract<Event, { kind: 'page.planned' }>): string {
  const people = [...new Set(pages.map(({ person, notifier }) => person ?? notifier))].map(plain);
  const why =
    reason === 'unanswered'
      ? ', because nobody had answered'
      : reason === 'ackRanOut'
        ? ', because who had it went silent'
        : '';
  const none = missing.length > 0 ? ` (not: ${missing.map(plain).join('; ')})` : '';
  return people.length === 0
    ? `Step ${step + 1} of the escalation found nobody${none}.`
    : `${listed(people)} ${people.length === 1 ? 'was' : 'were'} paged${why}${none}.`;
}

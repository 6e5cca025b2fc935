import type { Event } from '#events';
import type { BookEntry, Escalation, Escalations, Page } from './book.ts';
import { keep } from './keep.ts';

const pastMax = 200;
const deadLettersMax = 200;

type Of<K extends Event['kind']> = Extract<Event, { readonly kind: K }>;

/** The part of the book that has escalations and pages. */
export function escalationPart(): {
  readonly view: Escalations;
  add(entry: BookEntry, seenAt: number): void;
} {
  const escalations = new Map<string, Escalation>();
  const past: Escalation[] = [];
  const pages = new Map<string, Page>();
  const deadLetters: Page[] = [];
  let begun = 0;

  function begin({ escalation: id, policy, group }: Of<'escalation.began'>, at: number): void {
    const fresh = { ack: null, handedTo: null, exhausted: false, ended: null };
    escalations.set(id, { id, policy, group, beganAt: at, turns: [], ...fresh });
    begun = Math.max(begun, Number(/^e-(\d+)$/.exec(id)?.[1] ?? 0));
  }

  /** What has ended and has nothing left to be sent is kept for people to read, and only so many of them. */
  function forgetIfWhole(escalation: Escalation): void {
    const ids = escalation.turns.flatMap((turn) => turn.pages);
    if (!escalation.ended || ids.some((id) => pages.get(id)?.state === 'planned')) return;
    if (!escalations.delete(escalation.id)) return;
    const oldest = keep(past, escalation, pastMax);
    for (const id of oldest?.turns.flatMap((turn) => turn.pages) ?? []) pages.delete(id);
  }

  function addOutcome(
    event: Of<'page.sent' | 'page.failed' | 'page.dead'>,
    at: number,
    seenAt: number,
  ): void {
    const page = pages.get(event.page);
    if (!page) return;
    page.attempts = event.attempt;
    page.at = at;
    page.said = event.kind === 'page.sent' ? event.said : event.why;
    if (event.kind === 'page.failed') page.dueAt = seenAt + Math.max(0, event.retryAt - at);
    if (event.kind === 'page.sent') {
      page.state = 'sent';
      page.cause = event.cause ?? null;
    }
    if (event.kind === 'page.dead') {
      page.state = 'dead';
      keep(deadLetters, page, deadLettersMax);
    }
    const escalation = escalations.get(page.escalation);
    if (escalation) forgetIfWhole(escalation);
  }

  return {
    view: {
      escalations,
      past,
      pages,
      deadLetters,
      get begun() {
        return begun;
      },
    },
    add(entry, seenAt) {
      const { event, at } = entry;
      if (event.kind === 'escalation.began') begin(event, at);
      if (event.kind === 'page.sent' || event.kind === 'page.failed' || event.kind === 'page.dead')
        addOutcome(event, at, seenAt);
      const escalation = 'escalation' in event ? escalations.get(event.escalation) : undefined;
      if (!escalation) return;
      if (event.kind === 'page.planned')
        for (const page of pagesOf(event, at, seenAt)) pages.set(page.id, page);
      addStep(escalation, entry, seenAt);
      if (event.kind === 'escalation.ended') forgetIfWhole(escalation);
    },
  };
}

function addStep(escalation: Escalation, { event, at, by }: BookEntry, seenAt: number): void {
  switch (event.kind) {
    case 'alert.acknowledged': {
      const { until, comment } = event;
      const runsOutAt = seenAt + Math.max(0, until - at);
      escalation.ack = { by, at, until, runsOutAt, comment, told: false };
      escalation.handedTo = null;
      return;
    }
    case 'escalation.handedOver':
      escalation.handedTo = { to: event.to, by };
      return;
    case 'escalation.exhausted':
      escalation.exhausted = true;
      return;
    case 'page.planned':
      addTurn(escalation, event, at, seenAt);
      return;
    case 'escalation.ended':
      escalation.ended = { at, how: event.how };
      return;
    default:
      return;
  }
}

function addTurn(escalation: Escalation, event: Of<'page.planned'>, at: number, seenAt: number): void {
  const { turn, what, step, round, reason, missing } = event;
  const pages = event.pages.map(({ id }) => id);
  escalation.turns.push({ turn, what, step, round, reason, seenAt, at, pages, missing });
  if (what === 'acknowledged' && escalation.ack) escalation.ack.told = true;
  if (what !== 'page') return;
  escalation.ack = null;
  escalation.handedTo = null;
}

function pagesOf(
  { escalation, what, reason, pages }: Of<'page.planned'>,
  at: number,
  seenAt: number,
): Page[] {
  return pages.map((page) => ({
    ...page,
    escalation,
    what,
    reason,
    plannedAt: at,
    state: 'planned',
    attempts: 0,
    dueAt: seenAt,
    cause: null,
    said: '',
    at,
  }));
}

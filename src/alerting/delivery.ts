import { type Clock, Failure, messageOf } from '#base';
import type { Event } from '#events';
import type { Escalation, FiringAlert, Page } from './core/book.ts';
import type { Now } from './core/decide.ts';
import type { AlertLedger } from './ledger.ts';
import { type Message, messageOf as messageFor } from './message.ts';
import type { Delivery } from './notifiers/notifier.ts';

/** Sends one message to one receiver. */
export type Deliver = (notifier: string, message: Message, signal: AbortSignal) => Promise<Delivery>;

export interface Courier {
  /** Starts what is due. Milliseconds until more is. */
  startDue(): number;
  /** Resolves when nothing is in flight; what is, is given up. */
  stop(): Promise<void>;
}

export const attemptsMax = 12;
const pauseMsMax = 300_000;
const pauseMsFirst = 1_000;
/** A receiver that has not answered by then has failed. */
export const deliverMsMax = 15_000;
const inFlightMax = 32;
const inFlightOfOneMax = 8;

export interface CourierParts {
  readonly site: string;
  readonly ledger: AlertLedger;
  readonly clock: Clock;
  readonly time: () => Now;
  readonly random: () => number;
  readonly deliver: Deliver;
  /** What a message about it is about. */
  readonly alertsOf: (escalation: Escalation) => readonly FiringAlert[];
  /** Between two messages of one notifier. */
  readonly spacingMs: (notifier: string) => number;
  /** Something has changed: there may be something to do. */
  readonly wake: () => void;
}

/**
 * Planned pages to their receivers. A page is planned before it is sent, and sent before that is journalled: whoever is
 * killed in between sends it again, with the same keys. So it comes at least once; receivers that know keys (PagerDuty,
 * webhooks, mail threads) show it once.
 */
export function courier(parts: CourierParts): Courier {
  const { ledger, time, wake } = parts;
  const { book } = ledger;
  const inFlight = new Map<string, string>();
  const nextAt = new Map<string, number>();
  const startedAt = time().steady;
  const stopping = new AbortController();
  const works = new Set<Promise<void>>();

  function start(page: Page, steady: number): void {
    inFlight.set(page.id, page.notifier);
    nextAt.set(page.notifier, steady + parts.spacingMs(page.notifier));
    const work = deliverOne(parts, page, startedAt, stopping.signal)
      .then((outcome) => (stopping.signal.aborted ? undefined : ledger.append('controller', outcome)))
      .catch(() => {})
      .finally(() => {
        ledgerCaughtUp();
        inFlight.delete(page.id);
        works.delete(work);
        wake();
      });
    works.add(work);
  }

  /** Before it is no longer in flight its outcome stands in the book: it cannot be sent a second time. */
  function ledgerCaughtUp(): void {
    try {
      ledger.catchUp();
    } catch {
      // A journal that cannot be read is told by whoever reads it next.
    }
  }

  return {
    startDue() {
      const { steady } = time();
      let waitMs = Number.POSITIVE_INFINITY;
      for (const page of book.pages.values()) {
        if (page.state !== 'planned' || inFlight.has(page.id)) continue;
        if (inFlight.size >= inFlightMax) break;
        if ([...inFlight.values()].filter((name) => name === page.notifier).length >= inFlightOfOneMax)
          continue;
        const dueAt = Math.max(page.dueAt, nextAt.get(page.notifier) ?? 0);
        if (dueAt > steady) waitMs = Math.min(waitMs, dueAt - steady);
        else start(page, steady);
      }
      return waitMs;
    },
    async stop() {
      stopping.abort();
      await Promise.all(works);
    },
  };
}

async function deliverOne(
  parts: CourierParts,
  page: Page,
  startedAt: number,
  stopping: AbortSignal,
): Promise<Event> {
  const { ledger, clock, random } = parts;
  const { book } = ledger;
  const attempt = page.attempts + 1;
  const escalation = book.escalations.get(page.escalation);
  const moot = escalation ? whyMoot(page, escalation) : 'its escalation is not known any more';
  if (!escalation || moot !== null)
    return { kind: 'page.dead', page: page.id, attempt: page.attempts, why: moot ?? '' };
  const message = messageFor({
    site: parts.site,
    escalation,
    page,
    alerts: parts.alertsOf(escalation),
    // Planned before this process began: the one before may have sent it.
    again: page.attempts > 0 || page.dueAt < startedAt,
    unsaved: ledger.unsaved() > 0,
    now: clock.now(),
  });
  const outcome = await tryOnce(parts, page.notifier, message, stopping);
  if (outcome.kind === 'sent')
    return { kind: 'page.sent', page: page.id, attempt, said: outcome.said, cause: message.cause };
  const { why, final, retryAfterMs } = outcome;
  if (final || attempt >= attemptsMax) return { kind: 'page.dead', page: page.id, attempt, why };
  const pauseMs = Math.min(pauseMsMax, pauseMsFirst * 2 ** (attempt - 1)) * (0.5 + random());
  const retryAt = clock.now() + Math.min(pauseMsMax, Math.max(pauseMs, retryAfterMs ?? 0));
  return { kind: 'page.failed', page: page.id, attempt, why, retryAt };
}

/** Nobody is woken for what is over, or for what somebody has. */
function whyMoot({ what, plannedAt }: Page, { ended, ack }: Escalation): string | null {
  if (what === 'updated' && ended) return 'it was over before it could be sent';
  if (what !== 'page') return null;
  if (ended) return 'it was over before it could be sent';
  return ack && ack.at >= plannedAt ? 'it was taken before it could be sent' : null;
}

async function tryOnce(
  { clock, deliver }: CourierParts,
  notifier: string,
  message: Message,
  stopping: AbortSignal,
): Promise<Delivery> {
  const off = new AbortController();
  const signal = AbortSignal.any([stopping, off.signal]);
  const late: Delivery = {
    kind: 'failed',
    why: `no answer within ${deliverMsMax / 1000} s`,
    final: false,
    retryAfterMs: null,
  };
  const done = new AbortController();
  const timeout = clock.sleep(deliverMsMax, AbortSignal.any([stopping, done.signal])).then(
    () => late,
    () => late,
  );
  try {
    return await Promise.race([deliver(notifier, message, signal).catch(failureOf), timeout]);
  } finally {
    done.abort();
    off.abort();
  }
}

/** A secret that is missing or an address that is refused may be mended: it is tried again as long as anything is. */
function failureOf(error: unknown): Delivery {
  const code = error instanceof Failure ? `${error.code} ` : '';
  return {
    kind: 'failed',
    why: `${code}${messageOf(error)}`.slice(0, 200),
    final: false,
    retryAfterMs: null,
  };
}

import { Cron } from 'croner';
import { type Clock, Failure, type Log, messageOf } from '#base';
import type { Journal, JournalEntry, ReviewEvent } from '#events';
import type { ReviewFacts } from './facts.ts';
import { reviewOf } from './review.ts';

export interface Reviewer {
  /** Looks now; resolves when it is on disk. */
  review(
    by: string,
    because: ReviewEvent['because'],
  ): Promise<JournalEntry & { readonly event: ReviewEvent }>;
  stop(): Promise<void>;
}

/** How long a review that could not be done waits before it is tried again. */
const againMs = 10 * 60_000;
/** Timers are cut: a clock that is set is noticed within this time. */
const lookAgainMs = 3_600_000;

/** @throws Failure HF013 that says what of the expression is wrong. */
export function readSchedule(expression: string): Cron {
  try {
    return new Cron(expression, { paused: true, timezone: 'UTC', mode: '5-part' });
  } catch (error) {
    throw new Failure(
      'HF013',
      `--review: ${messageOf(error)}`,
      'Write a cron expression in UTC, `0 9 * * 1` is Mondays at nine.',
    );
  }
}

/**
 * Reviews the site on a schedule, and whenever it is asked. The journal says when the last one was: one that was due while
 * nobody ran is made up for, once.
 */
export function reviewer(options: {
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  /** A cron expression of five fields, UTC. */
  readonly schedule: string;
  gather(): Promise<ReviewFacts>;
}): Reviewer {
  const { journal, clock, log, gather } = options;
  const schedule = readSchedule(options.schedule);
  const ending = new AbortController();
  let lastAt = reviewsOf(journal.entries()).at(-1)?.at ?? clock.now();

  async function review(by: string, because: ReviewEvent['because']) {
    const { findings, notSeen } = reviewOf(await gather());
    const number = reviewsOf(journal.entries()).length + 1;
    const event: ReviewEvent = { kind: 'review.done', review: `rev-${number}`, because, findings, notSeen };
    const entry = await journal.append(by, event);
    lastAt = entry.at;
    return { ...entry, event };
  }

  async function keep(): Promise<void> {
    while (!ending.signal.aborted) {
      const due = schedule.nextRun(new Date(lastAt))?.getTime() ?? Number.POSITIVE_INFINITY;
      const waitMs = due - clock.now();
      if (waitMs > 0) {
        await clock.sleep(Math.min(waitMs, lookAgainMs), ending.signal).catch(() => {});
        continue;
      }
      try {
        await review('controller', 'schedule');
      } catch (error) {
        log.warn('a review could not be done', { why: messageOf(error) });
        await clock.sleep(againMs, ending.signal).catch(() => {});
      }
    }
  }

  const keeping = keep();
  return {
    review,
    async stop() {
      ending.abort();
      await keeping;
    },
  };
}

function reviewsOf(entries: readonly JournalEntry[]): JournalEntry[] {
  return entries.filter(({ event }) => event.kind === 'review.done');
}

import { arrivalsDetector } from '#detect';
import type { CustomerReport } from '#events';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Two may sit at one table. */
const customersMin = 3;
/** One who writes twice is one customer. */
const sameSenderMs = 30 * minuteMs;
/** What is older than this says how many are usual; what is younger may be the fault itself. */
const recentMs = 2 * hourMs;
const historyMs = 30 * dayMs;
/** A tenth of the budget of one false alarm a month. */
const falseAlarmEveryMs = 300 * dayMs;
/** One in five minutes, one a minute, one in ten seconds. */
const alternativesPerMs = [0.2, 1, 6].map((aMinute) => aMinute / minuteMs);
/** Above it no number of reports would speak: then they say nothing, whatever the fault. */
const usualPerMsMax = 3 / minuteMs;

export interface ReceivedReport {
  readonly at: number;
  readonly report: CustomerReport;
}

export interface Crowd {
  /** True when so many in so little time are no chance any more. */
  add(received: ReceivedReport): boolean;
  /** An incident took those that came until now: the next ones begin anew. */
  answered(at: number): void;
}

/** Reports of customers that are too many for an ordinary day of this site. */
export function createCrowd(): Crowd {
  let heard: { readonly at: number; readonly client: string }[] = [];
  let answeredAt = Number.NEGATIVE_INFINITY;
  let since: number | null = null;
  return {
    add({ at, report: { client } }) {
      since ??= at;
      heard = heard.filter((one) => at - one.at <= historyMs);
      if (client !== '' && heard.some((one) => one.client === client && at - one.at <= sameSenderMs))
        return false;
      heard.push({ at, client });
      const detector = arrivalsDetector({
        usualPerMs: usualRate(heard, since, at),
        alternativesPerMs,
        falseAlarmEveryMs,
      });
      const recent = heard.filter((one) => at - one.at <= recentMs && one.at > answeredAt);
      return (
        recent.filter((one) => detector.arrived(one.at).alarm).length > 0 && recent.length >= customersMin
      );
    },
    answered(at) {
      answeredAt = at;
    },
  };
}

/** An upper limit of what is usual, never less than one a day: stray reports are no news. */
function usualRate(heard: readonly { readonly at: number }[], since: number, now: number): number {
  const spanMs = Math.min(historyMs, now - since) - recentMs;
  const old = heard.filter((one) => now - one.at > recentMs).length;
  const rate = spanMs < dayMs ? 1 / dayMs : (old + 2 * Math.sqrt(old)) / spanMs;
  return Math.min(usualPerMsMax, Math.max(1 / dayMs, rate));
}

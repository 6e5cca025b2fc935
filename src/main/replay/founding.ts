import type { Knows } from './people.ts';

const minuteMs = 60_000;

/**
 * The founding document's own figures, as data. Its times are minutes of a day, counted here from 2:00 PM, when the first
 * customer was met by an error: how long before that the change had been applied it does not say.
 */
export const foundingReport = {
  source: 'Postmortem Report: 503 Error while accessing a website, May 5th, 2023',
  firstErrorMs: 0,
  firstSeenBy: 'a customer',
  /** 2:10 PM: an alert of the monitoring system. */
  seenMs: 10 * minuteMs,
  /** 2:30 PM: the change of the load balancer's configuration. */
  causeNamedMs: 30 * minuteMs,
  /** 2:45 PM: without success, because of a bug in the load balancer. */
  rollbackTriedMs: 45 * minuteMs,
  /** 5:00 PM: the vendor's hotfix is deployed. */
  restoredMs: 180 * minuteMs,
  /** 6:00 PM. */
  declaredResolvedMs: 240 * minuteMs,
  /** When each of its people knew or was told. */
  people: [
    { role: 'customer', atMs: 0, how: 'by a 503 answer' },
    { role: 'support', atMs: 0, how: 'by that customer; by many within five minutes' },
    { role: 'engineering', atMs: 5 * minuteMs, how: 'by support; by an alert five minutes later' },
    { role: 'vendor', atMs: 60 * minuteMs, how: 'by engineering, after the rollback had failed' },
  ],
  /** `Approximately 90% of our users`; it counts no requests. */
  usersAffectedShare: 0.9,
} as const satisfies Readonly<Record<string, unknown>> & { readonly people: readonly Knows[] };
export type FoundingReport = typeof foundingReport;

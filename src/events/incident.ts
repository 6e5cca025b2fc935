/** An incident with its figures, all of them computed from the journal. Times in milliseconds since 1970. */
export interface IncidentView {
  readonly id: string;
  readonly title: string;
  readonly change: string | null;
  /** The first bad answer; when there was none, what the guard acted upon. */
  readonly beganAt: number;
  readonly seenAt: number;
  /** Null until every balancer serves what was last good. */
  readonly restoredAt: number | null;
  readonly resolvedAt: number | null;
  /** Requests that reached what was at fault. */
  readonly requests: number;
  /** How many of them were answered with an error, or not at all. */
  readonly failed: number;
  /** Customers who wrote of it. */
  readonly reports: number;
  /** So long the first customer's report was ahead of everything else that saw it; negative: behind. Null: none came. */
  readonly customersAheadMs: number | null;
  /** What the monitor found, in a sentence; null: nothing, or it was not asked. */
  readonly cause: string | null;
}

export const reportedSights = ['unreachable', 'error', 'slow', 'wrong', 'other'] as const;
export type ReportedSight = (typeof reportedSights)[number];

/** What a customer saw, as they or support told it. Nothing in it says who they are. */
export interface CustomerReport {
  /** `rep-7` */
  readonly report: string;
  readonly sees: ReportedSight;
  /** The status that they were shown, where they know it. */
  readonly status: number | null;
  /** Where, without its query; empty: not told. */
  readonly url: string;
  /** Milliseconds since 1970: since when, in their words; null: not told. */
  readonly since: number | null;
  /** Their own words. */
  readonly said: string;
  /** Where support has the rest: the number of its own ticket. */
  readonly ticket: string;
  /** `person`: support wrote it down. */
  readonly via: 'form' | 'api' | 'person';
  /** The same for the same sender while a controller lives, and says nothing else of them; empty: not told apart. */
  readonly client: string;
}

export type ReportEvent =
  | { readonly kind: 'report.received'; readonly report: CustomerReport }
  /** More came than are kept one by one; so many since the last such entry. */
  | { readonly kind: 'report.more'; readonly count: number };

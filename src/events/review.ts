import type { Place } from '#base';

export const findingSeverities = ['high', 'medium', 'low'] as const;
export type FindingSeverity = (typeof findingSeverities)[number];

/** What a review found: something that is not broken, and would let one more failure become an outage. */
export interface Finding {
  /** The same from review to review while it is the same thing: `single-balancer`, `single-server:web`. */
  readonly id: string;
  readonly severity: FindingSeverity;
  /** One line: `pool web has one server: when web-1 fails, nothing answers its requests`. */
  readonly what: string;
  readonly evidence: readonly string[];
  readonly remedy: string;
  /** Where the site says it; null: nowhere. */
  readonly place: Place | null;
}

export type ReviewEvent = {
  readonly kind: 'review.done';
  readonly review: string;
  /** `schedule`, or a person asked. */
  readonly because: 'schedule' | 'person';
  /** The worst first. */
  readonly findings: readonly Finding[];
  /** What could not be looked at, with why: never the same as nothing found. */
  readonly notSeen: readonly string[];
};

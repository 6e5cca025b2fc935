import { type Finding, findingSeverities } from '#events';
import { capacity } from './checks/capacity.ts';
import { certificates } from './checks/certificates.ts';
import { owed } from './checks/owed.ts';
import { redundancy } from './checks/redundancy.ts';
import { wayBack } from './checks/way-back.ts';
import type { Check, ReviewFacts } from './facts.ts';

const checks: readonly Check[] = [redundancy, capacity, certificates, wayBack, owed];

/** Everything that a review finds, the worst first. */
export function reviewOf(facts: ReviewFacts): {
  readonly findings: readonly Finding[];
  readonly notSeen: readonly string[];
} {
  const results = checks.map((check) => check(facts));
  const rank = ({ severity }: Finding) => findingSeverities.indexOf(severity);
  return {
    findings: results.flatMap(({ findings }) => findings).toSorted((a, b) => rank(a) - rank(b)),
    notSeen: results.flatMap(({ notSeen = [] }) => notSeen),
  };
}

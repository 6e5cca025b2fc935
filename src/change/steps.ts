import type { CandidateObservation } from '#contract';
import type { Stop } from './machine.ts';

/** At 1e6 to 1 a candidate that is no worse is refused once in a million changes, however often one looks. */
const eValueMax = 1e6;
/** Fewer requests than this in a step say too little: the step goes on. */
const requestsPerStepMin = 20;
/** A step with too little traffic ends after this many times its length, and says what it saw. */
const quietStepFactorMax = 3;

/** Pure: what an observation says against the candidate; null while nothing does. */
export function against(balancer: string, seen: CandidateObservation): Stop | null {
  if (seen.takenBack)
    return {
      kind: 'taken back',
      balancer,
      reason: seen.takenBack.reason,
      cause: seen.takenBack.evidence.cause,
    };
  return seen.eValue >= eValueMax ? { kind: 'evidence', balancer, eValue: seen.eValue } : null;
}

/** One exposure of one balancer. */
export interface ExposureStep {
  readonly share: number;
  /** The first slice is sized in requests; null: in time. */
  readonly requestsMax: number | null;
  readonly lastsMs: number;
}

/**
 * Pure: what one balancer goes through, whatever shares the site states. The last is always all of its new connections: what was
 * never seen whole on one balancer would be given whole to every balancer at once by the bake.
 */
export function exposureSteps(
  canary: { readonly steps: readonly number[]; readonly firstSliceRequests: number; readonly stepMs: number },
  first: boolean,
): readonly ExposureStep[] {
  const shares = [...rising(canary.steps), 1];
  const steps = shares.map((share) => ({ share, requestsMax: null, lastsMs: canary.stepMs }));
  const [smallest] = steps;
  return first && smallest ? [{ ...smallest, requestsMax: canary.firstSliceRequests }, ...steps] : steps;
}

function rising(shares: readonly number[]): readonly number[] {
  const below = shares.filter((share) => share > 0 && share < 1);
  return [...new Set(below)].sort((a, b) => a - b);
}

/** Pure: whether a step may end, given what it saw since it began. `quiet`: it ends with too little traffic to judge. */
export function stepEnd(
  step: ExposureStep,
  requests: number,
  elapsedMs: number,
): 'not yet' | 'seen enough' | 'quiet' {
  const enough =
    step.requestsMax === null
      ? elapsedMs >= step.lastsMs && requests >= requestsPerStepMin
      : requests >= step.requestsMax;
  if (enough) return 'seen enough';
  return elapsedMs >= step.lastsMs * quietStepFactorMax ? 'quiet' : 'not yet';
}

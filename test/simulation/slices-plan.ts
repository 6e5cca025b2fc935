import { type Random, seededRandom } from '../world/random.ts';

export const sliceFaultKinds = [
  'holder killed',
  'holder stopped',
  'agent killed',
  'agent stopped',
  'controller gone',
  'candidate killed',
  'candidate hangs',
  'candidate is deaf',
  'candidate answers 503',
  'incumbent killed',
] as const;
/** Drawn apart from the others, so that what a seed drew before there was this one stays. */
export type SliceFaultKind = (typeof sliceFaultKinds)[number] | 'incumbent hangs';

export interface SliceFault {
  readonly kind: SliceFaultKind;
  readonly atMs: number;
  readonly forMs: number;
}

/** One candidate's exposure on one balancer, with all that goes wrong meanwhile. */
export interface SlicePlan {
  readonly seed: number;
  readonly requestsPerSecond: number;
  readonly ends: 'promoted' | 'rolled back';
  readonly faults: readonly SliceFault[];
  /** Another one of the incumbent's text is parked beside it. */
  readonly standby: boolean;
}

/** The steps of exposure, each with its beginning. */
export const sliceSteps = [
  { atMs: 1_000, share: 0.1 },
  { atMs: 3_000, share: 0.5 },
  { atMs: 5_000, share: 1 },
] as const;
export const stepsEndMs = 7_000;

export function drawSlicePlan(seed: number): SlicePlan {
  const random = seededRandom(seed ^ 0x511ce);
  const pick = <T>(of: readonly T[]): T => of[random.integer(of.length)] as T;
  const count = random.integer(6) === 0 ? 0 : 1 + random.integer(3);
  const fault = (of: Random, kind: SliceFaultKind): SliceFault => ({
    kind,
    atMs: 1_000 + of.next() * 6_500,
    forMs: 20 + Math.floor(of.next() ** 2 * 4_000),
  });
  const faults = Array.from({ length: count }, () => fault(random, pick(sliceFaultKinds)));
  const more = seededRandom(seed ^ 0x57a9d);
  const standby = more.integer(2) === 0;
  if (more.integer(4) === 0) faults.push(fault(more, 'incumbent hangs'));
  return {
    seed,
    requestsPerSecond: pick([200, 1_000, 5_000]),
    ends: pick(['promoted', 'rolled back'] as const),
    faults: faults.toSorted((a, b) => a.atMs - b.atMs),
    standby,
  };
}

/** What is broken on purpose, one thing for each invariant, to see that it is found. */
export type SlicePlanted =
  | 'a lease has no end'
  | 'the active one is parked first'
  | 'slices are twice as long'
  | 'a guard looks away'
  | 'a take-back parks nobody'
  | 'a guard is afraid'
  | 'a guard acts twice';

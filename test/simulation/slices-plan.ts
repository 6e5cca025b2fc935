import { seededRandom } from '../world/random.ts';

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
export type SliceFaultKind = (typeof sliceFaultKinds)[number];

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
  const faults = Array.from({ length: count }, () => ({
    kind: pick(sliceFaultKinds),
    atMs: 1_000 + random.next() * 6_500,
    forMs: 20 + Math.floor(random.next() ** 2 * 4_000),
  }));
  return {
    seed,
    requestsPerSecond: pick([200, 1_000, 5_000]),
    ends: pick(['promoted', 'rolled back'] as const),
    faults: faults.toSorted((a, b) => a.atMs - b.atMs),
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

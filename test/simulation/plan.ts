import { type Random, seededRandom } from '../world/random.ts';

/** How a text fares. What a text is belongs to its hash, so it is the same each time it is applied. */
export type Badness = 'none' | 'errors' | 'never starts' | 'refused';

/** What people and tools do, at which moment. */
export type Act = { readonly atMs: number } & (
  | { readonly kind: 'apply'; readonly text: number; readonly force: boolean; readonly by: string }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'abort' }
  /** A configuration tool: the same text every `everyMs`, for as long as the faults last. */
  | { readonly kind: 'tool'; readonly text: number; readonly everyMs: number }
);

export const faultKinds = [
  'controller killed',
  'controller stopped',
  'agent killed',
  'agent stopped',
  'network cut',
  'network slow',
  'messages lost',
  'messages twice',
  'disk full',
  'disk slow',
  'clock jumps',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** One thing that goes wrong, from when to when. `on` counts balancers, where it is one's. */
export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly forMs: number;
  readonly on: number;
}

/** All that a run is: the same plan is the same run, event by event. A plan with a fault less is another run of the same kind. */
export interface Plan {
  readonly seed: number;
  /** By number of the text; text 0 runs at the beginning. */
  readonly texts: readonly Badness[];
  readonly acts: readonly Act[];
  readonly faults: readonly Fault[];
}

/** From here on nothing goes wrong any more, and nobody asks for anything. */
export const calmAtMs = 90_000;
const actsUntilMs = 60_000;
const faultsMax = 6;

/** One seed in eight has no fault at all: what must come of it then is known. */
export function drawPlan(seed: number): Plan {
  const random = seededRandom(seed);
  const pick = <T>(of: readonly T[]): T => of[random.integer(of.length)] as T;
  const texts: Badness[] = [
    'none',
    'none',
    'none',
    pick(['none', 'errors', 'never starts', 'refused'] as const),
  ];
  const acts = Array.from({ length: 1 + random.integer(4) }, () => drawAct(random, texts.length));
  const faults =
    random.integer(8) === 0
      ? []
      : Array.from({ length: 1 + random.integer(faultsMax) }, () => drawFault(random));
  const byTime = (a: { atMs: number }, b: { atMs: number }) => a.atMs - b.atMs;
  return { seed, texts, acts: acts.toSorted(byTime), faults: faults.toSorted(byTime) };
}

function drawAct(random: Random, texts: number): Act {
  const atMs = 100 + random.integer(actsUntilMs);
  const text = 1 + random.integer(texts - 1);
  const kind = random.integer(10);
  if (kind === 0) return { kind: 'rollback', atMs };
  if (kind === 1) return { kind: 'abort', atMs };
  if (kind === 2) return { kind: 'tool', atMs, text, everyMs: 20_000 };
  return { kind: 'apply', atMs, text, force: random.integer(4) === 0, by: 'person:anna' };
}

function drawFault(random: Random): Fault {
  const kind = faultKinds[random.integer(faultKinds.length)] as FaultKind;
  const atMs = 50 + random.integer(calmAtMs - 25_000);
  // Many short ones, some that last.
  const forMs = 20 + Math.floor(random.next() ** 3 * 20_000);
  return { kind, atMs, forMs, on: random.integer(2) };
}

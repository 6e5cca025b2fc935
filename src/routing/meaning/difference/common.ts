import type { Keys } from '../keys.ts';
import type { Fate, Meaning, PoolMeaning, Rules, Step } from '../meaning.ts';

/** Names of pools that are the same in both, server by server. */
export function samePools(before: Meaning, after: Meaning): ReadonlySet<string> {
  if (before === after) return new Set(before.pools.map(({ name }) => name));
  const known = new Map(before.pools.map((pool) => [pool.name, pool]));
  return new Set(
    after.pools.filter((pool) => isSamePool(known.get(pool.name), pool)).map(({ name }) => name),
  );
}

function isSamePool(one: PoolMeaning | undefined, other: PoolMeaning): boolean {
  if (one === other) return true;
  if (one === undefined || one.mode !== other.mode || one.servers.length !== other.servers.length)
    return false;
  return one.servers.every((server, index) => {
    const there = other.servers[index];
    return (
      there !== undefined &&
      server.address === there.address &&
      server.weight === there.weight &&
      server.spare === there.spare &&
      server.disabled === there.disabled
    );
  });
}

/** The steps that are not the same in both, in the same order: a request that none of them takes is treated alike. */
export interface Changed {
  readonly before: ReadonlySet<Step>;
  readonly after: ReadonlySet<Step>;
}

/** Null: the last words differ, so any request may be treated otherwise. */
export function changedSteps(
  before: Rules,
  after: Rules,
  keys: Keys,
  pools: ReadonlySet<string>,
): Changed | null {
  const one = fateKey(before.otherwise, keys, pools);
  if (one === null || one !== fateKey(after.otherwise, keys, pools)) return null;
  const key = (step: Step) => stepKey(step, keys, pools);
  const left = before.steps.filter(({ then }) => then.kind !== 'continue');
  const right = after.steps.filter(({ then }) => then.kind !== 'continue');
  const kept = commonOrder(left.map(key), right.map(key));
  return {
    before: new Set(left.filter((_, index) => !kept.before.has(index))),
    after: new Set(right.filter((_, index) => !kept.after.has(index))),
  };
}

/** Null: it leads to a pool that is not the same, so it is no step of both. */
function stepKey({ when, then }: Step, keys: Keys, pools: ReadonlySet<string>): string | null {
  const fate = then.kind === 'continue' ? null : fateKey(then, keys, pools);
  return fate === null ? null : `${keys.of(when)} ${fate}`;
}

function fateKey(fate: Fate, keys: Keys, pools: ReadonlySet<string>): number | null {
  return leadsToSame(fate, pools, new Map()) ? keys.of(fate) : null;
}

function leadsToSame(fate: Fate, pools: ReadonlySet<string>, seen: Map<Rules, boolean>): boolean {
  switch (fate.kind) {
    case 'pool':
      return pools.has(fate.pool);
    case 'split':
      return fate.shares.every((share) => leadsToSame(share.fate, pools, seen));
    case 'rules': {
      const known = seen.get(fate.rules);
      if (known !== undefined) return known;
      seen.set(fate.rules, true);
      const { steps, otherwise } = fate.rules;
      const all = [...steps.flatMap(({ then }) => (then.kind === 'continue' ? [] : [then])), otherwise];
      const same = all.every((one) => leadsToSame(one, pools, seen));
      seen.set(fate.rules, same);
      return same;
    }
    default:
      return true;
  }
}

interface Kept {
  readonly before: ReadonlySet<number>;
  readonly after: ReadonlySet<number>;
}

/** A common order of both that is long; any is right, a longer one leaves less to compare. */
function commonOrder(left: readonly (string | null)[], right: readonly (string | null)[]): Kept {
  const before = new Set<number>();
  const after = new Set<number>();
  const keep = (one: number, other: number) => {
    before.add(one);
    after.add(other);
  };
  let front = 0;
  while (front < left.length && front < right.length && isSame(left[front], right[front])) {
    keep(front, front);
    front += 1;
  }
  let [one, other] = [left.length - 1, right.length - 1];
  while (one >= front && other >= front && isSame(left[one], right[other])) {
    keep(one, other);
    one -= 1;
    other -= 1;
  }
  const places = new Map<string, number>();
  for (let at = other; at >= front; at -= 1) {
    const key = right[at];
    if (typeof key === 'string') places.set(key, at);
  }
  const pairs: { readonly left: number; readonly right: number }[] = [];
  for (let at = front; at <= one; at += 1) {
    const there = places.get(left[at] ?? '');
    if (there !== undefined) pairs.push({ left: at, right: there });
  }
  for (const pair of rising(pairs)) keep(pair.left, pair.right);
  return { before, after };
}

const isSame = (a: string | null | undefined, b: string | null | undefined) =>
  a === b && a !== null && a !== undefined;

type Pair = { readonly left: number; readonly right: number };

/** The longest part whose right numbers rise: each of them once. */
function rising(pairs: readonly Pair[]): readonly Pair[] {
  const ends: number[] = [];
  const previous: number[] = [];
  for (const [index, { right }] of pairs.entries()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pairs[ends[middle] ?? 0]?.right ?? 0) < right) low = middle + 1;
      else high = middle;
    }
    previous.push(low > 0 ? (ends[low - 1] ?? -1) : -1);
    ends[low] = index;
  }
  const found: Pair[] = [];
  for (let at = ends.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) {
    const pair = pairs[at];
    if (pair) found.push(pair);
  }
  return found;
}

import { all, type Condition } from '../condition.ts';
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

/** What two sides are compared by. */
export interface Known {
  readonly keys: Keys;
  /** Names of pools that are the same in both. */
  readonly pools: ReadonlySet<string>;
}

/**
 * Conditions of which one holds of every request that the two may treat differently: those of steps that are not the same in
 * both, in the same order. Null: the last words differ, so it may be any request.
 */
export function changedWhen(before: Rules, after: Rules, known: Known): readonly Condition[] | null {
  if (before === after) return [];
  const last = fateKey(before.otherwise, known);
  if (last === null || last !== fateKey(after.otherwise, known)) return null;
  const left = before.steps.filter(({ then }) => then.kind !== 'continue');
  const right = after.steps.filter(({ then }) => then.kind !== 'continue');
  const kept = commonOrder(
    left.map((step) => stepKey(step, known)),
    right.map((step) => stepKey(step, known)),
  );
  const inside = kept.flatMap(({ left: one, right: other }) => changedInside(left[one], right[other], known));
  const [stay, stayToo] = [new Set(kept.map((pair) => pair.left)), new Set(kept.map((pair) => pair.right))];
  const changed = [...left.filter((_, at) => !stay.has(at)), ...right.filter((_, at) => !stayToo.has(at))];
  return [...changed.map(({ when }) => when), ...inside];
}

/** Of two steps with the same condition. */
function changedInside(one: Step | undefined, other: Step | undefined, known: Known): readonly Condition[] {
  if (one?.then.kind !== 'rules' || other?.then.kind !== 'rules') return [];
  const [before, after] = [fateKey(one.then, known), fateKey(other.then, known)];
  if (before !== null && before === after) return [];
  const inside = changedWhen(one.then.rules, other.then.rules, known);
  return inside === null ? [one.when] : inside.map((when) => all([one.when, when]));
}

/** Steps of the same key treat their requests alike, or differ only in what rules within them do. Null: like no other. */
function stepKey({ when, then }: Step, known: Known): string | null {
  if (then.kind === 'continue') return null;
  if (then.kind === 'rules') return `${known.keys.of(when)} rules`;
  const fate = fateKey(then, known);
  return fate === null ? null : `${known.keys.of(when)} ${fate}`;
}

/** Null: it leads to a pool that is not the same in both. */
function fateKey(fate: Fate, { keys, pools }: Known): number | null {
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

/** A common order of both that is long; any is right, a longer one leaves less to compare. */
function commonOrder(left: readonly (string | null)[], right: readonly (string | null)[]): readonly Pair[] {
  const kept: Pair[] = [];
  let front = 0;
  while (front < left.length && front < right.length && isSame(left[front], right[front])) {
    kept.push({ left: front, right: front });
    front += 1;
  }
  let [one, other] = [left.length - 1, right.length - 1];
  while (one >= front && other >= front && isSame(left[one], right[other])) {
    kept.push({ left: one, right: other });
    one -= 1;
    other -= 1;
  }
  const places = new Map<string, number>();
  for (let at = other; at >= front; at -= 1) {
    const key = right[at];
    if (typeof key === 'string') places.set(key, at);
  }
  const pairs: Pair[] = [];
  for (let at = front; at <= one; at += 1) {
    const there = places.get(left[at] ?? '');
    if (there !== undefined) pairs.push({ left: at, right: there });
  }
  return [...kept, ...rising(pairs)];
}

const isSame = (a: string | null | undefined, b: string | null | undefined) =>
  a === b && a !== null && a !== undefined;

interface Pair {
  readonly left: number;
  readonly right: number;
}

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

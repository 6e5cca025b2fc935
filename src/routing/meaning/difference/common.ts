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

/** Whether nothing of it has to be read to know that it is the same, its settings too. */
export function isSameSource(one: PoolMeaning | undefined, other: PoolMeaning): boolean {
  if (one === other) return true;
  const [a, b] = [one?.source, other.source];
  return !!a && !!b && a.length === b.length && a.every((text, index) => text === b[index]);
}

export function isSamePool(one: PoolMeaning | undefined, other: PoolMeaning): boolean {
  if (isSameSource(one, other)) return true;
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

/** Word for word, wherever the words stand. */
export function isWrittenAlike(before: Meaning, after: Meaning, keys: Keys): boolean {
  if (before.listeners.length !== after.listeners.length || before.pools.length !== after.pools.length)
    return false;
  const pools = before.pools.every((pool, index) => {
    const other = after.pools[index];
    return other !== undefined && pool.name === other.name && isSamePool(pool, other);
  });
  return (
    pools &&
    before.listeners.every((one, index) => {
      const other = after.listeners[index];
      if (other === undefined || !isSameRules(one.rules, other.rules, keys)) return false;
      return keys.of({ ...one, rules: null }) === keys.of({ ...other, rules: null });
    })
  );
}

/** Step by step, so that of two long lists only what stands before their first difference is looked at. */
function isSameRules(one: Rules, other: Rules, keys: Keys): boolean {
  if (one === other) return true;
  return (
    one.steps.length === other.steps.length &&
    one.steps.every((step, index) => {
      const there = other.steps[index];
      if (there === undefined) return false;
      return isSamePart(step.when, there.when, keys) && isSameEnd(step.then, there.then, keys);
    }) &&
    isSameEnd(one.otherwise, other.otherwise, keys)
  );
}

const isSamePart = (one: object, other: object, keys: Keys) =>
  one === other || keys.of(one) === keys.of(other);

function isSameEnd(one: Step['then'], other: Step['then'], keys: Keys): boolean {
  if (one.kind === 'pool' && other.kind === 'pool')
    return one.pool === other.pool && isSamePart(one.sent, other.sent, keys);
  if (one.kind === 'rules' && other.kind === 'rules') return isSameRules(one.rules, other.rules, keys);
  return isSamePart(one, other, keys);
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
  const last = changedLast(before.otherwise, after.otherwise, known);
  if (last === null) return null;
  const left = before.steps.filter(({ then }) => then.kind !== 'continue');
  const right = after.steps.filter(({ then }) => then.kind !== 'continue');
  const kept = commonOrder(left, right, known);
  const inside = kept.flatMap(({ left: one, right: other }) => changedInside(left[one], right[other], known));
  const [stay, stayToo] = [new Set(kept.map((pair) => pair.left)), new Set(kept.map((pair) => pair.right))];
  const changed = [...left.filter((_, at) => !stay.has(at)), ...right.filter((_, at) => !stayToo.has(at))];
  return [...changed.map(({ when }) => when), ...inside, ...last];
}

/** Of the last words of both. Null: it may be any request. */
function changedLast(one: Fate, other: Fate, known: Known): readonly Condition[] | null {
  if (isSameEnd(one, other, known.keys) && leadsToSame(one, known.pools, new Map())) return [];
  return one.kind === 'rules' && other.kind === 'rules' ? changedWhen(one.rules, other.rules, known) : null;
}

/** Of two steps with the same condition. */
function changedInside(one: Step | undefined, other: Step | undefined, known: Known): readonly Condition[] {
  if (one?.then.kind !== 'rules' || other?.then.kind !== 'rules') return [];
  if (
    isSameRules(one.then.rules, other.then.rules, known.keys) &&
    leadsToSame(one.then, known.pools, new Map())
  )
    return [];
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
function commonOrder(left: readonly Step[], right: readonly Step[], known: Known): readonly Pair[] {
  const kept: Pair[] = [];
  let front = 0;
  while (front < left.length && front < right.length && isSame(left[front], right[front], known)) {
    kept.push({ left: front, right: front });
    front += 1;
  }
  let [one, other] = [left.length - 1, right.length - 1];
  while (one >= front && other >= front && isSame(left[one], right[other], known)) {
    kept.push({ left: one, right: other });
    one -= 1;
    other -= 1;
  }
  const places = new Map<string, number>();
  const keyAt = (steps: readonly Step[], at: number) => {
    const step = steps[at];
    return step === undefined ? null : stepKey(step, known);
  };
  for (let at = other; at >= front; at -= 1) {
    const key = keyAt(right, at);
    if (key !== null) places.set(key, at);
  }
  const pairs: Pair[] = [];
  for (let at = front; at <= one; at += 1) {
    const there = places.get(keyAt(left, at) ?? '');
    if (there !== undefined) pairs.push({ left: at, right: there });
  }
  return [...kept, ...rising(pairs)];
}

/** As their keys say. Most steps of two large texts are told to be so without them. */
function isSame(one: Step | undefined, other: Step | undefined, known: Known): boolean {
  if (one === undefined || other === undefined) return false;
  if (!isSamePart(one.when, other.when, known.keys)) return false;
  const [a, b] = [one.then, other.then];
  if (a.kind !== b.kind || a.kind === 'continue' || b.kind === 'continue') return false;
  if (a.kind === 'rules') return true;
  if (a.kind === 'pool') return known.pools.has(a.pool) && isSameEnd(a, b, known.keys);
  const key = fateKey(a, known);
  return key !== null && key === fateKey(b, known);
}

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

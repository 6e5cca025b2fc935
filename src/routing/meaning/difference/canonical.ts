import { type Ending, poolsOf } from '../fate/view.ts';
import type { Meaning, PoolMeaning, Sent } from '../meaning.ts';
import { absent, joined, text, type Value } from '../value.ts';
import { keyOf } from './terms.ts';

/** A fate by what it does: the same key, the same fate. `shape` leaves out what values say. */
export interface Canonical {
  readonly key: string;
  readonly shape: string;
}

export function canonicalFate(fate: Ending, meaning: Meaning): Canonical {
  const { shape, values } = parts(fate, meaning);
  return { shape, key: `${shape.length} ${shape} ${JSON.stringify(values)}` };
}

function parts(
  fate: Ending,
  meaning: Meaning,
): { readonly shape: string; readonly values: readonly string[] } {
  switch (fate.kind) {
    case 'pool': {
      const pool = poolsOf(meaning).get(fate.pool);
      return { shape: `pool ${poolKey(fate.pool, pool)}`, values: sentKeys(fate.sent) };
    }
    case 'split': {
      const whole = fate.shares.reduce((sum, { weight }) => sum + weight, 0) || 1;
      const shares = fate.shares.map(({ weight, fate: one }) => {
        const of = one.kind === 'rules' ? { shape: 'rules', values: [] } : parts(one, meaning);
        return { shape: `${weight / whole} ${of.shape}`, values: of.values };
      });
      const sorted = shares.sort((a, b) => (a.shape < b.shape ? -1 : 1));
      return {
        shape: `split ${JSON.stringify(sorted.map(({ shape }) => shape))}`,
        values: sorted.flatMap(({ values }) => values),
      };
    }
    case 'redirect':
      return { shape: `redirect ${fate.status}`, values: [valueKey(fate.location)] };
    case 'answer':
      return { shape: `answer ${fate.status}`, values: fate.body ? [valueKey(fate.body)] : [] };
    case 'file':
      return { shape: 'file', values: [valueKey(fate.path)] };
    case 'reject':
      return { shape: `reject ${fate.how}`, values: [] };
    case 'unknown':
      return { shape: `unknown ${fate.why} ${fate.text}`, values: [] };
  }
}

const poolKeys = new WeakMap<PoolMeaning, string>();

/** By its servers; one that the text does not have by its name. */
export function poolKey(name: string, pool: PoolMeaning | undefined): string {
  if (!pool) return `named ${name}`;
  const known = poolKeys.get(pool);
  const key = known ?? keyOfServers(pool);
  if (known === undefined) poolKeys.set(pool, key);
  return key;
}

function keyOfServers(pool: PoolMeaning): string {
  if (pool.servers.length === 0) return `${pool.mode} without servers`;
  const weights = pool.servers.map(({ weight }) => weight).filter((weight) => weight > 0);
  const unit = weights.reduce(divisor, 0) || 1;
  const servers = pool.servers.map(
    ({ address, weight, spare, disabled }) => `${address} ${weight / unit} ${spare} ${disabled}`,
  );
  return JSON.stringify([pool.mode, ...servers.sort()]);
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

const sentTexts = new WeakMap<Sent, readonly string[]>();

/** Thousands of fates may send the same. */
function sentKeys(sent: Sent): readonly string[] {
  const known = sentTexts.get(sent);
  const keys = known ?? keysOfSent(sent);
  if (known === undefined) sentTexts.set(sent, keys);
  return keys;
}

function keysOfSent({ method, path, query, host, headers }: Sent): readonly string[] {
  const told = (value: Value | null, itself: string) => {
    const key = value === null ? 'as it came' : valueKey(value);
    return key === itself ? 'as it came' : key;
  };
  const named = Object.entries(headers)
    .map(([name, value]) => [name, value === null ? keyOf(absent) : valueKey(value)] as const)
    .filter(([name, key]) => key !== keyOf({ kind: 'field', field: { kind: 'header', name } }))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const fieldKey = (kind: 'method' | 'path' | 'query' | 'host') => keyOf({ kind: 'field', field: { kind } });
  return [
    told(method, fieldKey('method')),
    told(path, fieldKey('path')),
    told(query, fieldKey('query')),
    told(host, fieldKey('host')),
    ...named.map((pair) => pair.join(': ')),
  ];
}

const valueKey = (value: Value): string => keyOf(simple(value));

/** In one form, where that is cheap. */
function simple(value: Value): Value {
  switch (value.kind) {
    case 'joined': {
      const made = joined(value.parts.map(simple));
      const [only] = made.kind === 'joined' ? made.parts : [];
      // What is always there need not count as empty.
      const isThere = only?.kind === 'field' && ['method', 'path', 'scheme'].includes(only.field.kind);
      return made.kind === 'joined' && made.parts.length === 1 && only && isThere ? only : made;
    }
    case 'lower': {
      const of = simple(value.of);
      if (of.kind === 'text') return text(of.text.toLowerCase());
      return of.kind === 'lower' ? of : { ...value, of };
    }
    case 'slice': {
      const of = simple(value.of);
      return value.from === 0 && value.length === null ? of : { ...value, of };
    }
    default:
      return value;
  }
}

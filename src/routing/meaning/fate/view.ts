import type { Unknown } from '../condition.ts';
import type { Fate, Meaning, PoolMeaning, Sent } from '../meaning.ts';
import { evaluate } from './evaluate.ts';
import type { Told, World } from './world.ts';

/** What becomes of a concrete request: a fate whose values are worked out. */
export type FateView =
  | {
      readonly kind: 'pool';
      readonly pool: string;
      /** Addresses, without the disabled ones; spare ones are last. */
      readonly servers: readonly string[];
      readonly sent: SentView;
    }
  | {
      readonly kind: 'split';
      readonly shares: readonly { readonly weight: number; readonly fate: FateView }[];
    }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: Told }
  | { readonly kind: 'answer'; readonly status: number; readonly body: Told }
  | { readonly kind: 'file'; readonly path: Told }
  /** `refused`: nobody listens, or TLS is spoken where none is understood. */
  | { readonly kind: 'reject'; readonly how: 'close' | 'reset' | 'silent' | 'refused' }
  | ({ readonly kind: 'unknown' } & Unknown);

/** What the server sees: the request line and Host whole, of the headers those that a rule sets or removes (null). */
export interface SentView {
  readonly method: Told;
  readonly path: Told;
  readonly query: Told;
  readonly host: Told;
  readonly headers: Readonly<Record<string, Told>>;
}

/** One that holds no `rules` any more: whoever walks them has come to its end. */
export type Ending = Exclude<Fate, { kind: 'rules' }>;

export function viewOf(fate: Fate, meaning: Meaning, world: World): FateView {
  switch (fate.kind) {
    case 'pool': {
      const pool = poolsOf(meaning).get(fate.pool);
      return { kind: 'pool', pool: fate.pool, servers: serversOf(pool), sent: sentView(fate.sent, world) };
    }
    case 'split':
      return {
        kind: 'split',
        shares: fate.shares.map(({ weight, fate: one }) => ({ weight, fate: viewOf(one, meaning, world) })),
      };
    case 'redirect':
      return { kind: 'redirect', status: fate.status, location: evaluate(fate.location, world) };
    case 'answer':
      return { kind: 'answer', status: fate.status, body: fate.body && evaluate(fate.body, world) };
    case 'file':
      return { kind: 'file', path: evaluate(fate.path, world) };
    case 'reject':
    case 'unknown':
      return fate;
    case 'rules':
      throw new Error('rules are walked before their end is looked at');
  }
}

function sentView({ method, path, query, host, headers }: Sent, world: World): SentView {
  const { request } = world;
  const told = (value: typeof method, asItCame: string | null) =>
    value === null ? asItCame : evaluate(value, world);
  return {
    method: told(method, request.method),
    path: told(path, request.path),
    query: told(query, request.query),
    host: told(host, request.host),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value && evaluate(value, world)]),
    ),
  };
}

const known = new WeakMap<Meaning, ReadonlyMap<string, PoolMeaning>>();

export function poolsOf(meaning: Meaning): ReadonlyMap<string, PoolMeaning> {
  const before = known.get(meaning);
  if (before) return before;
  const pools = new Map(meaning.pools.map((pool) => [pool.name, pool]));
  known.set(meaning, pools);
  return pools;
}

const addresses = new WeakMap<PoolMeaning, readonly string[]>();

function serversOf(pool: PoolMeaning | undefined): readonly string[] {
  if (pool === undefined) return [];
  const before = addresses.get(pool);
  if (before) return before;
  const able = pool.servers.filter(({ disabled }) => !disabled);
  const ordered = [...able.filter(({ spare }) => !spare), ...able.filter(({ spare }) => spare)];
  const made = ordered.map(({ address }) => address);
  addresses.set(pool, made);
  return made;
}

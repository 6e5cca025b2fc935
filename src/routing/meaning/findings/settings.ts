import { poolKey } from '../difference/canonical.ts';
import { isSameSource } from '../difference/common.ts';
import type { Meaning, PoolMeaning, Setting } from '../meaning.ts';

/** A setting with another value. Null: it is not there on that side. */
export interface ChangedSetting {
  readonly before: Setting | null;
  readonly after: Setting | null;
}

/**
 * Settings of the same scope and name whose values differ. A pool that has another name is known by its servers, a server
 * that has another address by its name. What a server that comes or goes has in common with its pool is not told.
 */
export function changedSettings(before: Meaning, after: Meaning): readonly ChangedSetting[] {
  const names = renamedPools(before, after);
  const scopes: Scopes = { names, addresses: movedServers(before, after, names) };
  const all = toldBy(before, after);
  const [left, right] = withoutCommon(
    all.before.settings,
    calledAsBefore(all.before.settings, all.after.settings),
  );
  const [old, now] = [grouped(left, asItIs), grouped(right, scopes)];
  const found = [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key) ?? [], now.get(key) ?? []];
    if (valuesOf(was) === valuesOf(is)) return [];
    return Array.from({ length: Math.max(was.length, is.length) }, (_, index) => ({
      before: was[index] ?? null,
      after: is[index] ?? null,
    })).filter((one) => one.before?.value !== one.after?.value);
  });
  // Of large texts, only for what asks for it.
  if (!found.some((one) => (one.before ?? one.after)?.scope.kind === 'server' && !(one.before && one.after)))
    return found;
  const common = [usualOf(all.before, asItIs), usualOf(all.after, scopes)] as const;
  return found.filter(({ before: was, after: is }) => {
    if (was && is) return true;
    const [only, where, other] = is ? [is, scopes, common[0]] : [was, asItIs, common[1]];
    if (only?.scope.kind !== 'server' || other.has(serverKey(only, where))) return true;
    return !other.has(usualKey(only, where));
  });
}

interface Told {
  readonly pools: readonly PoolMeaning[];
  readonly settings: readonly Setting[];
}

/** With those of the pools, but for pools that are written alike in both. */
function toldBy(before: Meaning, after: Meaning) {
  const known = new Map(before.pools.map((pool) => [pool.name, pool]));
  const alike = new Set(
    after.pools.filter((pool) => isSameSource(known.get(pool.name), pool)).map(({ name }) => name),
  );
  const of = ({ settings, pools }: Meaning): Told => {
    const others = pools.filter(({ name }) => !alike.has(name));
    return { pools: others, settings: [...settings, ...others.flatMap((pool) => pool.settings ?? [])] };
  };
  return { before: of(before), after: of(after) };
}

/** Parts that have another name and hold the same are called by the old one. */
function calledAsBefore(before: readonly Setting[], after: readonly Setting[]): readonly Setting[] {
  const [old, now] = [partsOf(before), partsOf(after)];
  const names = new Map<string, string>();
  for (const [name, holds] of now) {
    if (old.has(name)) continue;
    const was = [...old].find(([other, one]) => one === holds && !now.has(other))?.[0];
    if (was !== undefined) names.set(name, was);
  }
  if (names.size === 0) return after;
  const called = (text: string) => text.replace(/@[^\s()]+/g, (name) => names.get(name) ?? name);
  return after.map((one) => (one.parts ? { ...one, name: called(one.name), value: called(one.value) } : one));
}

function partsOf(settings: readonly Setting[]): ReadonlyMap<string, string> {
  return new Map(settings.flatMap(({ parts }) => [...(parts ?? [])]));
}

/** Without what both begin and end with. */
function withoutCommon(
  before: readonly Setting[],
  after: readonly Setting[],
): readonly [readonly Setting[], readonly Setting[]] {
  const least = Math.min(before.length, after.length);
  let front = 0;
  while (front < least && isSame(before[front], after[front])) front += 1;
  let behind = 0;
  while (behind < least - front && isSame(before.at(-1 - behind), after.at(-1 - behind))) behind += 1;
  return [before.slice(front, before.length - behind), after.slice(front, after.length - behind)];
}

function isSame(one: Setting | undefined, other: Setting | undefined): boolean {
  if (one === other) return true;
  if (!one || !other || one.value !== other.value || one.name !== other.name) return false;
  return isSameScope(one.scope, other.scope);
}

function isSameScope(one: Setting['scope'], other: Setting['scope']): boolean {
  switch (one.kind) {
    case 'global':
      return other.kind === 'global';
    case 'server':
      return other.kind === 'server' && one.pool === other.pool && one.address === other.address;
    default:
      return one.kind === other.kind && one.name === other.name;
  }
}

/** How what a scope names is called on the other side. */
interface Scopes {
  /** New name of a pool -> old name. */
  readonly names: ReadonlyMap<string, string>;
  /** JSON of [old name of the pool, new address] -> old address. */
  readonly addresses: ReadonlyMap<string, string>;
}

const asItIs: Scopes = { names: new Map(), addresses: new Map() };

/** The servers of a side, and what any server of a pool has set. */
function usualOf({ pools, settings }: Told, scopes: Scopes): ReadonlySet<string> {
  const ofServers = settings.filter(({ scope }) => scope.kind === 'server');
  const servers = pools.flatMap((pool) =>
    pool.servers.map(({ address }) =>
      JSON.stringify(scopeKey({ kind: 'server', pool: pool.name, address }, scopes)),
    ),
  );
  return new Set([...servers, ...ofServers.map((setting) => usualKey(setting, scopes))]);
}

const serverKey = ({ scope }: Setting, scopes: Scopes) => JSON.stringify(scopeKey(scope, scopes));

function usualKey({ scope, name, value }: Setting, scopes: Scopes): string {
  return JSON.stringify([...scopeKey(scope, scopes).slice(0, 2), name, value]);
}

const valuesOf = (settings: readonly Setting[]) => JSON.stringify(settings.map(({ value }) => value));

function grouped(settings: readonly Setting[], scopes: Scopes): ReadonlyMap<string, readonly Setting[]> {
  const groups = new Map<string, Setting[]>();
  for (const setting of settings) {
    const key = JSON.stringify([scopeKey(setting.scope, scopes), setting.name]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(setting);
  }
  return groups;
}

function scopeKey(scope: Setting['scope'], { names, addresses }: Scopes): readonly string[] {
  switch (scope.kind) {
    case 'global':
      return ['global'];
    case 'listener':
      return ['listener', scope.name];
    case 'pool':
      return ['pool', names.get(scope.name) ?? scope.name];
    case 'server': {
      const pool = names.get(scope.pool) ?? scope.pool;
      return ['server', pool, addresses.get(JSON.stringify([pool, scope.address])) ?? scope.address];
    }
  }
}

/** Servers whose address is gone and whose name has another one. */
function movedServers(
  before: Meaning,
  after: Meaning,
  names: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const old = new Map(before.pools.map((pool) => [pool.name, pool]));
  const moved = new Map<string, string>();
  for (const one of after.pools) {
    const pool = names.get(one.name) ?? one.name;
    if (isSameSource(old.get(pool), one)) continue;
    const { servers } = one;
    const known = old.get(pool)?.servers;
    if (known?.length === servers.length && servers.every(({ address }, i) => address === known[i]?.address))
      continue;
    const stay = new Set(servers.map(({ address }) => address));
    const gone = (known ?? []).filter(({ address }) => !stay.has(address));
    const were = new Set((known ?? []).map(({ address }) => address));
    const byName = new Map(gone.map((server) => [server.name, server.address]));
    for (const server of servers) {
      const from = were.has(server.address) ? undefined : byName.get(server.name);
      if (from !== undefined) moved.set(JSON.stringify([pool, server.address]), from);
    }
  }
  return moved;
}

/**
 * New name -> old name, where a pool is gone and one with the same servers has come. Of several the one with the same
 * settings, else the first.
 */
function renamedPools(before: Meaning, after: Meaning): ReadonlyMap<string, string> {
  const here = new Set(after.pools.map(({ name }) => name));
  const there = new Set(before.pools.map(({ name }) => name));
  const gone = before.pools.filter(({ name }) => !here.has(name));
  const come = after.pools.filter(({ name }) => !there.has(name));
  const names = new Map<string, string>();
  if (gone.length === 0 || come.length === 0) return names;
  const taken = new Set<string>();
  const [old, now] = [settingsByPool(before), settingsByPool(after)];
  const plainly = (pool: PoolMeaning) => poolKey(pool.name, pool);
  const wholly = (settings: ReadonlyMap<string, readonly string[]>) => (pool: PoolMeaning) =>
    JSON.stringify([plainly(pool), settings.get(pool.name) ?? []]);
  for (const [keyBefore, keyAfter] of [
    [wholly(old), wholly(now)],
    [plainly, plainly],
  ] as const) {
    const left = gone.filter(({ name }) => !taken.has(name));
    const known = Map.groupBy(left, keyBefore);
    for (const pool of come) {
      if (names.has(pool.name)) continue;
      const found = known.get(keyAfter(pool))?.shift();
      if (found === undefined) continue;
      names.set(pool.name, found.name);
      taken.add(found.name);
    }
  }
  return names;
}

/** Of each pool and its servers, in words that its name is not in. */
function settingsByPool({ settings }: Meaning): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { scope, name, value } of settings) {
    if (scope.kind !== 'pool' && scope.kind !== 'server') continue;
    const pool = scope.kind === 'pool' ? scope.name : scope.pool;
    const said = found.get(pool) ?? [];
    found.set(pool, said);
    said.push(JSON.stringify([scope.kind === 'server' ? scope.address : '', name, value]));
  }
  for (const said of found.values()) said.sort();
  return found;
}

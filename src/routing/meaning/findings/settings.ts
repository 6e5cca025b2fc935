import { poolKey } from '../difference/canonical.ts';
import type { Meaning, Setting } from '../meaning.ts';

/** A setting with another value. Null: it is not there on that side. */
export interface ChangedSetting {
  readonly before: Setting | null;
  readonly after: Setting | null;
}

/** Settings of the same scope and name whose values differ; a pool that has another name is known by its servers. */
export function changedSettings(before: Meaning, after: Meaning): readonly ChangedSetting[] {
  const names = renamedPools(before, after);
  const [old, now] = [grouped(before, new Map()), grouped(after, names)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key) ?? [], now.get(key) ?? []];
    if (valuesOf(was) === valuesOf(is)) return [];
    return Array.from({ length: Math.max(was.length, is.length) }, (_, index) => ({
      before: was[index] ?? null,
      after: is[index] ?? null,
    })).filter((one) => one.before?.value !== one.after?.value);
  });
}

const valuesOf = (settings: readonly Setting[]) => JSON.stringify(settings.map(({ value }) => value));

function grouped(
  meaning: Meaning,
  names: ReadonlyMap<string, string>,
): ReadonlyMap<string, readonly Setting[]> {
  const groups = new Map<string, Setting[]>();
  for (const setting of meaning.settings) {
    const key = JSON.stringify([scopeKey(setting, names), setting.name]);
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(setting);
  }
  return groups;
}

function scopeKey({ scope }: Setting, names: ReadonlyMap<string, string>): readonly string[] {
  switch (scope.kind) {
    case 'global':
      return ['global'];
    case 'listener':
      return ['listener', scope.name];
    case 'pool':
      return ['pool', names.get(scope.name) ?? scope.name];
    case 'server':
      return ['server', names.get(scope.pool) ?? scope.pool, scope.address];
  }
}

/** New name -> old name, where a pool is gone and one with the same servers has come. */
function renamedPools(before: Meaning, after: Meaning): ReadonlyMap<string, string> {
  const here = new Set(after.pools.map(({ name }) => name));
  const there = new Set(before.pools.map(({ name }) => name));
  const gone = new Map<string, string>();
  for (const pool of before.pools) if (!here.has(pool.name)) gone.set(poolKey(pool.name, pool), pool.name);
  const names = new Map<string, string>();
  for (const pool of after.pools) {
    const key = poolKey(pool.name, pool);
    const old = there.has(pool.name) ? undefined : gone.get(key);
    if (old === undefined) continue;
    names.set(pool.name, old);
    gone.delete(key);
  }
  return names;
}

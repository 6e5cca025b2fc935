import type { SettingChange } from '#contract';
import type { meaning } from '#routing';

type Setting = meaning.Setting;

/** Settings that are in force otherwise than before. A pool that has another name and the same servers is the same pool. */
export function settingChanges(before: meaning.Meaning, after: meaning.Meaning): readonly SettingChange[] {
  const renamed = renamedPools(before, after);
  const old = grouped(before.settings, (name) => renamed.get(name) ?? name);
  const now = grouped(after.settings, (name) => name);
  const changes: SettingChange[] = [];
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    const [was = [], is = []] = [old.get(key), now.get(key)];
    const [wasText, isText] = [valueText(was), valueText(is)];
    const shown = is[0] ?? was[0];
    if (wasText === isText || !shown) continue;
    const { place, name, scope } = shown;
    changes.push({
      file: place.file,
      line: place.line,
      name,
      scope: scopeText(scope),
      before: wasText,
      after: isText,
    });
  }
  return oncePerLine(changes);
}

/** One line of `defaults` is in force for many pools, and is one change. */
function oncePerLine(changes: readonly SettingChange[]): readonly SettingChange[] {
  const lines = new Map<string, SettingChange[]>();
  for (const change of changes) {
    const key = JSON.stringify([change.file, change.line, change.name, change.before, change.after]);
    lines.set(key, [...(lines.get(key) ?? []), change]);
  }
  return [...lines.values()].flatMap((same) => {
    const [first] = same;
    if (!first || same.length === 1) return same;
    return [{ ...first, scope: `${first.scope} and ${same.length - 1} more` }];
  });
}

function grouped(settings: readonly Setting[], nameOf: (pool: string) => string): Map<string, Setting[]> {
  const groups = new Map<string, Setting[]>();
  for (const setting of settings) {
    const key = `${scopeKey(setting.scope, nameOf)}\n${setting.name}`;
    const group = groups.get(key);
    if (group) group.push(setting);
    else groups.set(key, [setting]);
  }
  return groups;
}

function valueText(settings: readonly Setting[]): string | null {
  return settings.length === 0 ? null : settings.map(({ value }) => value).join(', ');
}

function scopeKey(scope: Setting['scope'], nameOf: (pool: string) => string): string {
  switch (scope.kind) {
    case 'global':
      return 'global';
    case 'listener':
      return `listener ${scope.name}`;
    case 'pool':
      return `pool ${nameOf(scope.name)}`;
    case 'server':
      return `server ${nameOf(scope.pool)} ${scope.address}`;
  }
}

function scopeText(scope: Setting['scope']): string {
  switch (scope.kind) {
    case 'global':
      return 'everything';
    case 'listener':
      return `listener ${scope.name}`;
    case 'pool':
      return `pool ${scope.name}`;
    case 'server':
      return `server ${scope.address} of ${scope.pool}`;
  }
}

/** Old name -> new name, of pools whose name is gone and whose servers are those of exactly one new name. */
function renamedPools(before: meaning.Meaning, after: meaning.Meaning): ReadonlyMap<string, string> {
  const serversOf = ({ servers }: meaning.PoolMeaning) =>
    servers
      .map(({ address }) => address)
      .sort()
      .join(' ');
  const names = (of: meaning.Meaning) => new Set(of.pools.map(({ name }) => name));
  const [oldNames, newNames] = [names(before), names(after)];
  const gone = before.pools.filter(({ name }) => !newNames.has(name));
  const come = after.pools.filter(({ name }) => !oldNames.has(name));
  return new Map(
    gone.flatMap((pool): [string, string][] => {
      const same = come.filter((one) => serversOf(one) === serversOf(pool));
      const [only] = same;
      return only && same.length === 1 ? [[pool.name, only.name]] : [];
    }),
  );
}

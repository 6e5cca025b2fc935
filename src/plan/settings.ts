import type { SettingChange } from '#contract';
import { meaning } from '#routing';

/** Settings that are in force otherwise than before. One line of `defaults` is in force for many pools, and is one change. */
export function settingChanges(before: meaning.Meaning, after: meaning.Meaning): readonly SettingChange[] {
  const lines = new Map<string, SettingChange[]>();
  for (const { before: was, after: is } of meaning.changedSettings(before, after)) {
    const shown = is ?? was;
    if (!shown) continue;
    const { place, name, scope } = shown;
    const change: SettingChange = {
      file: place.file,
      line: place.line,
      name,
      scope: scopeText(scope),
      before: was?.value ?? null,
      after: is?.value ?? null,
    };
    const key = JSON.stringify({ ...change, scope: '' });
    lines.set(key, [...(lines.get(key) ?? []), change]);
  }
  return [...lines.values()].flatMap((same) => {
    const [first] = same;
    if (!first || same.length === 1) return same;
    return [{ ...first, scope: `${first.scope} and ${same.length - 1} more` }];
  });
}

function scopeText(scope: meaning.Setting['scope']): string {
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

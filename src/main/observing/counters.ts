import type { Counters, RunningEngine } from '#agent';
import { ownDialects } from '#dialects';
import { engines } from '#engines';
import type { Site } from '#model';

/** Where the text says that its engine may be asked. Null: nowhere. */
export function controlPath({ own }: Site): string | null {
  if (!own) return null;
  return ownDialects[own.dialect].files(own).find(({ use }) => use === 'control')?.path ?? null;
}

/** By the statistics socket of the text: only questions go over it. */
export function countersOf(site: Site, { dialect, main }: RunningEngine): Counters | null {
  const control = controlPath(site);
  return control === null ? null : engines[dialect].control({ pid: main.pid, control });
}

import type { EngineName, OwnDialectName } from '#model';
import { builtinEngine } from './builtin/engine.ts';
import type { Engine } from './engine.ts';
import type { ForeignEngine } from './foreign.ts';
import { haproxyEngine } from './haproxy/engine.ts';
import { foreignHaproxy } from './haproxy/foreign.ts';
import { nginxEngine } from './nginx/engine.ts';
import { foreignNginx } from './nginx/foreign.ts';

export { builtinEngine } from './builtin/engine.ts';
export * from './engine.ts';
export type * from './foreign.ts';
export { haproxyEngine } from './haproxy/engine.ts';
export { nginxEngine } from './nginx/engine.ts';

/** Fills the code cache: an engine that takes another's place has no time to read its program. */
export async function loadProcesses(): Promise<void> {
  await import('./builtin/process/run.ts');
}

export const engines = {
  haproxy: haproxyEngine,
  builtin: builtinEngine,
  nginx: nginxEngine,
} as const satisfies Record<EngineName, Engine> as Readonly<Record<EngineName, Engine>>;

/** By what a team's own text is written in. */
export const foreignEngines = {
  haproxy: foreignHaproxy,
  nginx: foreignNginx,
} as const satisfies Record<OwnDialectName, ForeignEngine>;

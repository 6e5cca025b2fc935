import type { OwnDialectName } from '#model';
import type { ForeignEngine } from './foreign.ts';
import { foreignHaproxy } from './haproxy/foreign.ts';
import { foreignNginx } from './nginx/foreign.ts';

export { builtinEngine } from './builtin/engine.ts';
export * from './engine.ts';
export type * from './foreign.ts';
export { haproxyEngine } from './haproxy/engine.ts';
export { identityOf } from './identity.ts';
export { chooseEngine, findInstalled, type Installed, pickEngine } from './installed.ts';
export { faultsOf, type KnownFault, versionOf } from './known-faults.ts';
export { nginxEngine } from './nginx/engine.ts';
export { engines } from './registry.ts';

/** Fills the code cache: an engine that takes another's place has no time to read its program. */
export async function loadProcesses(): Promise<void> {
  await import('./builtin/process/run.ts');
}

/** By what a team's own text is written in. */
export const foreignEngines = {
  haproxy: foreignHaproxy,
  nginx: foreignNginx,
} as const satisfies Record<OwnDialectName, ForeignEngine>;

import type { EngineName } from '#model';
import { builtinEngine } from './builtin/engine.ts';
import type { Engine } from './engine.ts';
import { haproxyEngine } from './haproxy/engine.ts';

export { builtinEngine } from './builtin/engine.ts';
export * from './engine.ts';
export { haproxyEngine } from './haproxy/engine.ts';

export const engines = {
  haproxy: haproxyEngine,
  builtin: builtinEngine,
} as const satisfies Record<EngineName, Engine>;

import type { EngineName } from '#model';
import type { Engine } from './engine.ts';
import { haproxyEngine } from './haproxy/engine.ts';

export * from './engine.ts';
export { haproxyEngine } from './haproxy/engine.ts';

export const engines = {
  haproxy: haproxyEngine,
} as const satisfies Partial<Record<EngineName, Engine>>;

import type { EngineName } from '#model';
import { builtinEngine } from './builtin/engine.ts';
import type { Engine } from './engine.ts';
import { haproxyEngine } from './haproxy/engine.ts';
import { nginxEngine } from './nginx/engine.ts';

export const engines = {
  haproxy: haproxyEngine,
  builtin: builtinEngine,
  nginx: nginxEngine,
} as const satisfies Record<EngineName, Engine> as Readonly<Record<EngineName, Engine>>;

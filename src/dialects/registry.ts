import type { EngineName } from '#model';
import { builtinDialect } from './builtin/dialect.ts';
import type { Dialect } from './dialect.ts';
import { haproxyDialect } from './haproxy/dialect.ts';

export const dialects = {
  haproxy: haproxyDialect,
  builtin: builtinDialect,
} as const satisfies Record<EngineName, Dialect>;

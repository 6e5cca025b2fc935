import type { EngineName } from '#model';
import { builtinDialect } from './builtin/dialect.ts';
import type { Dialect } from './dialect.ts';
import { haproxyDialect } from './haproxy/dialect.ts';
import { nginxDialect } from './nginx/dialect.ts';

export const dialects = {
  haproxy: haproxyDialect,
  builtin: builtinDialect,
  nginx: nginxDialect,
} as const satisfies Record<EngineName, Dialect>;

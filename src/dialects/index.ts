import type { EngineName } from '#model';
import { builtinDialect } from './builtin/dialect.ts';
import type { Dialect } from './dialect.ts';
import { haproxyDialect } from './haproxy/dialect.ts';

export { builtinDialect } from './builtin/dialect.ts';
export type * from './builtin/vocabulary.ts';
export { builtinFormat, builtinLimits } from './builtin/vocabulary.ts';
export * from './dialect.ts';
export { haproxyDialect } from './haproxy/dialect.ts';
export { ours as haproxyNames } from './haproxy/vocabulary.ts';

export const dialects = {
  haproxy: haproxyDialect,
  builtin: builtinDialect,
} as const satisfies Record<EngineName, Dialect>;

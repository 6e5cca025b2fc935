import { createRequire } from 'node:module';
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

const parts = ['lower', 'own/files', 'own/keep-alive', 'own/survey', 'own/transplant'];
const alone = ['builtin/lower', 'haproxy/in-place', 'haproxy/set-by-hand'];

/** For a process that must not need the disk later: what else is loaded when it is first asked for. */
export function loadDialects(): void {
  const load = createRequire(import.meta.url);
  const both = ['haproxy', 'nginx'].flatMap((name) => parts.map((part) => `${name}/${part}`));
  for (const path of [...both, ...alone]) load(`./${path}.ts`);
}

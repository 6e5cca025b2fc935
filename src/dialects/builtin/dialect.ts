import { createRequire } from 'node:module';
import type { Dialect } from '../dialect.ts';
import type * as Lower from './lower.ts';

/** Loaded when it is asked for: a plan of a text lowers nothing. */
const load = createRequire(import.meta.url);

export const builtinDialect: Dialect = {
  name: 'builtin',
  fileName: 'builtin.json',
  cannot: {
    accessLogSocket: 'Node cannot write to a socket for datagrams: name a host and port',
  },
  lower: (...given) => (load('./lower.ts') as typeof Lower).lower(...given),
};

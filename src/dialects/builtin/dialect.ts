import type { Dialect } from '../dialect.ts';
import { lower } from './lower.ts';

export const builtinDialect: Dialect = {
  name: 'builtin',
  fileName: 'builtin.json',
  cannot: {
    accessLogSocket: 'Node cannot write to a socket for datagrams: name a host and port',
  },
  lower,
};

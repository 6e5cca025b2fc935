import type { Dialect } from '../dialect.ts';
import { lower } from './lower.ts';

const notYet = 'Holdfast does not do it with the built-in engine yet';

export const builtinDialect: Dialect = {
  name: 'builtin',
  fileName: 'builtin.json',
  cannot: {
    listenerTcp: notYet,
    listenerTlsPassthrough: notYet,
    listenerConnectionsMax: notYet,
    connectionsPerClientMax: notYet,
    accessLogSocket: 'Node cannot write to a socket for datagrams: name a host and port',
  },
  lower,
};

import type { Dialect } from '../dialect.ts';
import { lower } from './lower.ts';

export const nginxDialect: Dialect = {
  name: 'nginx',
  fileName: 'nginx.conf',
  cannot: {
    connectionsMax: 'open-source NGINX has no queue: a request beyond the limit would fail at once',
    methodTrace: 'NGINX answers 405 to every TRACE',
    headerNameOdd: 'NGINX can only look at headers whose names are letters, digits, "-" and "_"',
  },
  lower,
};

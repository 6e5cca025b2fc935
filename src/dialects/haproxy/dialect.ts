import type { Dialect } from '../dialect.ts';
import { lower } from './lower.ts';

export const haproxyDialect: Dialect = {
  name: 'haproxy',
  fileName: 'haproxy.cfg',
  cannot: { accessLogFile: 'HAProxy writes no files: send it to syslog' },
  lower,
};

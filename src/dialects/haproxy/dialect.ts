import type { Dialect } from '../dialect.ts';
import { inPlace } from './in-place.ts';
import { lower } from './lower.ts';
import { withSettings } from './set-by-hand.ts';

export const haproxyDialect: Dialect = {
  name: 'haproxy',
  fileName: 'haproxy.cfg',
  cannot: {
    accessLogFile: 'HAProxy writes no files: send it to syslog',
    ejectionMax: 'HAProxy looks at each server for itself',
    circuitBreaker: 'HAProxy has none: ejection and queuedMax are the nearest',
    compressionMinSize: 'HAProxy 2.6 compresses answers of any length',
    firstByte: 'HAProxy has one time-out for the beginning of an answer and for silence in it',
    requestTimeout: 'HAProxy knows how long each side was silent, not how long an exchange takes',
    mirror: 'HAProxy copies requests only through an agent beside it (SPOE)',
    bodyTimeout: 'HAProxy knows how long a client was silent, not how long its body takes',
  },
  lower,
  inPlace,
  withSettings,
};

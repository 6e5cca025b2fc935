import { createRequire } from 'node:module';
import type { Dialect } from '../dialect.ts';
import type * as InPlace from './in-place.ts';
import type * as Lower from './lower.ts';
import type * as SetByHand from './set-by-hand.ts';

/** Each part is loaded when it is asked for: a plan of a text lowers nothing. */
const load = createRequire(import.meta.url);

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
  lower: (...given) => (load('./lower.ts') as typeof Lower).lower(...given),
  inPlace: (...given) => (load('./in-place.ts') as typeof InPlace).inPlace(...given),
  withSettings: (...given) => (load('./set-by-hand.ts') as typeof SetByHand).withSettings(...given),
};

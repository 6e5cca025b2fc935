import { createRequire } from 'node:module';
import type { Dialect } from '../dialect.ts';
import type * as Lower from './lower.ts';

/** Loaded when it is asked for: a plan of a text lowers nothing. */
const load = createRequire(import.meta.url);
const lowering = () => load('./lower.ts') as typeof Lower;

export const nginxDialect: Dialect = {
  name: 'nginx',
  fileName: 'nginx.conf',
  cannot: {
    streamPoolsDiffer: 'NGINX says these of a listener, not of a pool',
    connectionsMax: 'open-source NGINX has no queue: a request beyond the limit would fail at once',
    queuedMax: 'open-source NGINX has no queue',
    stickyCookie: 'only NGINX Plus has sticky sessions',
    slowStart: 'only NGINX Plus has a slow start',
    spares: 'NGINX spreads requests over all backup servers at once',
    spareOfDrawn: 'NGINX has no backup servers beside random, source and hash',
    ejectionMax: 'NGINX looks at each server for itself',
    circuitBreaker: 'NGINX has none: ejection is the nearest',
    compressionWithoutHtml: 'NGINX compresses text/html wherever it compresses anything',
    firstByte: 'NGINX has one time-out for the beginning of an answer and for silence in it',
    requestTimeout: 'NGINX knows how long each side was silent, not how long an exchange takes',
    bodyTimeout: 'NGINX knows how long a client was silent, not how long its body takes',
    ejectionAnswers: 'NGINX counts an answer as a failure only when it tries the request again',
    retriesStatus: 'NGINX would send PUT and DELETE again too',
    proxyProtocolFromClients: 'NGINX would ask every client of the address for a PROXY header',
    accessLogStdout: 'NGINX writes its log to files or to syslog: send it to syslog',
    accessLogFile:
      'a file that NGINX writes has a limit here, and nobody would put it aside: send it to syslog',
    tlsToServersSystem:
      'NGINX does not know where the system has its authorities: name the file, such as /etc/ssl/certs/ca-certificates.crt',
    tlsToServersOwnNames: 'NGINX asks all servers of a pool for one name',
    proxyProtocolToServers: 'NGINX sends the PROXY protocol in front of plain TCP only',
    proxyProtocolOfStreamsV2: 'NGINX sends version 1 only',
    rateSlow: 'NGINX counts no rate below one request in a minute',
    basicAuthTwice: 'NGINX asks for one password only',
    methodTrace: 'NGINX answers 405 to every TRACE',
    headerNameOdd: 'NGINX can only look at headers whose names are letters, digits, "-" and "_"',
  },
  lower: (...given) => lowering().lower(...given),
  files: (...given) => lowering().files(...given),
};

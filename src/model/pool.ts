import { isIP } from 'node:net';
import type { Place } from '#base';
import type { CertificateFiles } from './site.ts';

export const algorithms = ['roundrobin', 'leastconn', 'random', 'source', 'hash'] as const;
export type Algorithm = (typeof algorithms)[number];

/** The web servers that answer for each other, and how they are asked. */
export interface Pool {
  readonly name: string;
  readonly algorithm: Algorithm;
  /** What `hash` looks at; a request that lacks it goes to any server. Null with every other algorithm. */
  readonly hashOn: HashOn | null;
  /** A cookie that leads a client back to its server. Null: none. */
  readonly stickyCookie: StickyCookie | null;
  /** How requests reach the servers over TLS. Null: in plain text. */
  readonly tls: PoolTls | null;
  /** The PROXY protocol before each connection to a server, with the client's address. Null: none. */
  readonly proxyProtocol: 'v1' | 'v2' | null;
  readonly servers: readonly Server[];
  readonly healthCheck: HealthCheck;
  /** What takes a server out between its checks. Null: failed connections only bring the next check forward. */
  readonly ejection: Ejection | null;
  /** How long the share of a server that came back takes to grow to the whole. Null: at once. */
  readonly slowStartMs: number | null;
  readonly retries: Retries;
  /** Absent: however many fail, the next one is sent to a server. */
  readonly circuitBreaker?: CircuitBreaker;
  /** Of answers 200, by gzip, for clients that take it. Absent: answers go on as they are. */
  readonly compression?: Compression;
  /** Requests that may wait for a server; more are answered 503 at once. Null: as many as the engine can hold. */
  readonly queuedMax: number | null;
  readonly timeouts: PoolTimeouts;
  readonly place: Place;
}

export type HashOn =
  | { readonly kind: 'path' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string };

/** Its value is the server's name. The servers do not see it; one that sets it itself has its way. */
export interface StickyCookie {
  readonly name: string;
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: 'Strict' | 'Lax' | 'None' | null;
  /** Null: until the browser is closed. */
  readonly maxAgeMs: number | null;
  readonly domain: string | null;
}

/**
 * When of at least `requests` in a window this share failed (no connection, no answer, 500 and above but not 501 and 505),
 * requests are answered 503 at once for `openMs`; then one is sent to a server, and what it gets decides.
 */
export interface CircuitBreaker {
  readonly failuresShare: number;
  readonly requests: number;
  readonly windowMs: number;
  readonly openMs: number;
}

export interface Compression {
  /** Media types, in lower case, without parameters. */
  readonly types: readonly string[];
  /** Of answers that tell their length. Null: whatever the engine thinks is too short. */
  readonly minBytes: number | null;
}

export interface PoolTls {
  /** Absolute path of a PEM file with the authorities that sign the servers' certificates. Null: the system's. */
  readonly authorities: string | null;
  /** False: whoever answers is believed. */
  readonly verify: boolean;
  /** What is asked for (SNI) and what the certificate must be for. Null: each server's own host name. */
  readonly name: string | null;
  /** What we show to the servers. Null: nothing. */
  readonly certificate: CertificateFiles | null;
  readonly place: Place;
}

/** What a server is asked for as. Null: an address has no name. */
export function tlsNameOf({ name }: Pick<PoolTls, 'name'>, host: string): string | null {
  return name ?? (isIP(host) > 0 ? null : host);
}

export interface Server {
  readonly name: string;
  /** Host name or address, and port. */
  readonly host: string;
  readonly port: number;
  /** 1 to 256, share relative to its pool. */
  readonly weight: number;
  /** Requests at once; more wait in the pool's queue. Null: no limit. */
  readonly connectionsMax: number | null;
  /** Used only when every server that is none is down; of several, the first live one of the file. */
  readonly spare: boolean;
  /** Gets no request and is not asked how it is. */
  readonly maintenance: boolean;
  readonly place: Place;
}

export interface HealthCheck {
  /** Null: a TCP connection is enough. */
  readonly http: HttpCheck | null;
  /** Asked there, in plain HTTP or TCP. Null: at the server's own port, the way that requests are sent. */
  readonly port: number | null;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

export const checkMethods = ['GET', 'HEAD', 'OPTIONS'] as const;

export interface HttpCheck {
  readonly method: (typeof checkMethods)[number];
  readonly path: string;
  /** Null: the address of the pool's first server. */
  readonly host: string | null;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** Any of these. */
  readonly expectStatus: readonly StatusRange[];
  /** The answer's body must contain it. Null: whatever it is. */
  readonly expectBody: string | null;
  /** Without it an answer is another site's. Absent: whoever answers is believed. */
  readonly identity?: Identity;
}

/** What only this pool's servers answer: all that is given. */
export interface Identity {
  /** The whole value, letter by letter. */
  readonly header?: { readonly name: string; readonly value: string };
  /** Somewhere in the body. */
  readonly body?: string;
}

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

/** `connections`: those that fail. `answers`: also 500 and above (but not 501 and 505), and broken ones. */
export const ejectionCauses = ['connections', 'answers'] as const;

export interface Ejection {
  readonly of: (typeof ejectionCauses)[number];
  readonly errorsInARow: number;
  /** The most of the pool's servers that may be down for one more to be taken out, as a share with it. Absent: all. */
  readonly serversShareMax?: number;
}

/**
 * `connect`: no connection came about. `empty`: the connection ended without an answer. `timeout`: no answer in time.
 * `5xx`: 500, 502, 503 and 504. All but the first only for GET, HEAD, OPTIONS and TRACE.
 */
export const retryCauses = ['connect', 'empty', 'timeout', '5xx'] as const;
export type RetryCause = (typeof retryCauses)[number];

/** Each goes to another server where there is one. */
export interface Retries {
  readonly max: number;
  readonly on: readonly RetryCause[];
}

export interface PoolTimeouts {
  readonly connectMs: number;
  /** Silence of the server while an answer is awaited or under way. */
  readonly serverMs: number;
  /** Until an answer begins, in the place of `serverMs`. Absent: as `serverMs`. */
  readonly firstByteMs?: number;
  readonly queueMs: number;
  /** Silence of both sides of an upgraded connection. */
  readonly tunnelMs: number;
}

type Expected = Pick<HttpCheck, 'expectBody' | 'identity'>;

/** Why the answer's headers are another site's; null: they are not. */
export function foreignHeader(
  { identity }: Expected,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): string | null {
  const { header } = identity ?? {};
  if (!header) return null;
  const value = headers[header.name.toLowerCase()];
  if (value === header.value) return null;
  const said = value === undefined ? 'no header' : `"${value}" in`;
  return `it is not of this pool: ${said} ${header.name}, expected "${header.value}"`;
}

/** What the body lacks, as a sentence; null: nothing. */
export function missingText({ expectBody, identity }: Expected, body: string): string | null {
  if (identity?.body !== undefined && !body.includes(identity.body))
    return `it is not of this pool: a body without ${JSON.stringify(identity.body)}`;
  if (expectBody === null || body.includes(expectBody)) return null;
  return `a body without ${JSON.stringify(expectBody)}`;
}

export function statusFits(status: number, ranges: readonly StatusRange[]): boolean {
  return ranges.some(({ from, to }) => status >= from && status <= to);
}

import type { AccessLog, Pool } from '#model';
import type {
  Access,
  Action,
  Condition,
  ErrorPage,
  Filters,
  Forwarded,
  PoolShare,
  RoutedListener,
  StreamRule,
} from '#routing';
import type { ListenAt } from '../dialect.ts';

/** The built-in engine's text: one JSON object. The engine refuses any other `format`. */
export const builtinFormat = 1;

export interface BuiltinText {
  readonly format: number;
  readonly site: string;
  readonly generation: number;
  readonly control: string;
  readonly entrance: string | null;
  readonly neighbour: string | null;
  /** Whether a request that finds no server goes to the neighbour. */
  readonly net: boolean;
  readonly ticketKeys: string | null;
  /** Processes that carry requests. 1: a single process, which is also the one that is controlled. */
  readonly workers: number;
  readonly limits: BuiltinLimits;
  readonly accessLog: BuiltinAccessLog | null;
  /** Left out when there are none. */
  readonly errorPages?: readonly ErrorPage[] | undefined;
  readonly listeners: readonly BuiltinListener[];
  /** TCP and TLS listeners, and the entrances for them. Left out when there are none. */
  readonly streams?: readonly BuiltinStream[] | undefined;
  readonly streamEntrance?: string | undefined;
  readonly streamNeighbour?: string | undefined;
  readonly pools: readonly BuiltinPool[];
}

export type BuiltinAccessLog = DistributiveOmit<AccessLog, 'place'>;
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface BuiltinListener {
  readonly name: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** The site's port: what the private entrance picks the listener by. */
  readonly port: number;
  readonly at: ListenAt;
  readonly certificates: readonly string[];
  readonly minVersion: '1.2' | '1.3';
  readonly http2: boolean;
  /** Left out when clients need show no certificate. */
  readonly clients?:
    | {
        readonly required: boolean;
        readonly authorities: string;
        /** A file of revocation lists. */
        readonly revocations?: string | undefined;
      }
    | undefined;
  /** Networks that send the PROXY protocol. */
  readonly proxyFrom: readonly string[];
  /** Left out when everybody may ask. */
  readonly access?: Access | undefined;
  readonly forwarded: Forwarded;
  readonly hsts?: string | undefined;
  readonly clientCertificate?: RoutedListener['clientCertificate'];
  readonly rules: readonly BuiltinRule[];
  readonly otherwise: Exclude<BuiltinAction, { kind: 'split' }>;
}

export interface BuiltinStream {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly at: ListenAt;
  /** A socket of its own, without a PROXY header, for a neighbour that cannot say which listener it means. */
  readonly door?: string | undefined;
  readonly byName: boolean;
  readonly inspectMs: number;
  readonly proxyFrom: readonly string[];
  readonly deny: readonly string[];
  readonly allow: readonly string[];
  readonly connectionsMax: number | null;
  readonly connectionsPerClientMax: number | null;
  readonly rules: readonly {
    readonly route: string;
    readonly name: StreamRule['name'];
    readonly shares: readonly Omit<PoolShare, 'servers'>[];
  }[];
}

/** A rule without the place it came from: a comment more in the site's file is no other text. */
export interface BuiltinRule {
  readonly route: string;
  readonly conditions: readonly Condition[];
  readonly action: BuiltinAction;
  /** Left out when nothing is changed. */
  readonly filters?: Filters | undefined;
}

/** The pool's servers stand in `pools`, once. */
export type BuiltinAction =
  | Exclude<Action, { kind: 'pool' | 'split' }>
  | { readonly kind: 'pool'; readonly pool: string }
  | { readonly kind: 'split'; readonly shares: readonly Omit<PoolShare, 'servers'>[] };

export interface BuiltinPool extends Omit<Pool, 'servers' | 'place' | 'tls'> {
  readonly tls: BuiltinPoolTls | null;
  readonly servers: readonly BuiltinServer[];
}

export interface BuiltinPoolTls {
  /** Files in PEM. Null: the system's authorities; no certificate of ours. */
  readonly authorities: string | null;
  readonly certificate: string | null;
  readonly verify: boolean;
}

export interface BuiltinServer {
  readonly name: string;
  readonly at: BuiltinAddress;
  readonly weight: number;
  readonly connectionsMax: number | null;
  /** For TLS: what it is asked for as. */
  readonly tlsName: string | null;
  readonly spare: boolean;
  /** Another generation knows that it is down: so it is here until its own checks say otherwise. Left out when nobody does. */
  readonly knownDown?: true | undefined;
}

export type BuiltinAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

/** What the site does not say: the client's side, and what can grow. */
export interface BuiltinLimits {
  /** From a connection or the first byte of a request to the end of its head. */
  readonly headMs: number;
  /** A kept-alive connection without a request. */
  readonly idleMs: number;
  /** Silence of the client while its body is awaited, or while it does not read its answer. */
  readonly clientMs: number;
  /** For the whole of a body, however steadily it drips. Left out of texts of before: as long as its client is not silent. */
  readonly bodyMs?: number | undefined;
  readonly headBytesMax: number;
  /** More are closed as soon as they are accepted. */
  readonly connectionsMax: number;
  /** Under way at once, of all clients: HTTP/2 alone has a hundred by connection. More are answered 503. */
  readonly requestsMax: number;
  /** Under way at once on one HTTP/1.1 connection, sent without waiting for answers. More end the connection. */
  readonly pipelinedMax: number;
  /** Failed connections in a row that bring a server's next check forward. */
  readonly errorsInARow: number;
  /** Requests that wait for a server, by pool, where the site names no other number. */
  readonly queuedMax: number;
  readonly errorLinesMax: number;
}

export const builtinLimits: BuiltinLimits = {
  headMs: 15_000,
  idleMs: 60_000,
  clientMs: 60_000,
  bodyMs: 3_600_000,
  headBytesMax: 32_768,
  connectionsMax: 8_000,
  requestsMax: 8_192,
  pipelinedMax: 16,
  errorsInARow: 3,
  queuedMax: 1_024,
  errorLinesMax: 1_000,
};

/** Each costs a process's memory, in every generation; more than these a site should not ask of this engine. */
export const workersMax = 4;

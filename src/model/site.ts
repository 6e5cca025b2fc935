import type { Place } from '#base';
import type { Access, ErrorPage, FixedAnswer, Forwarded, HeaderChanges, RouteTimeouts } from '#routing';
import type { OwnText } from './own.ts';
import type { Pool } from './pool.ts';

/**
 * A site as everything else sees it: parsed, complete (defaults filled in), valid.
 * Every part knows the place where a person wrote it, so a later finding can name the line.
 */
export interface Site {
  readonly name: string;
  readonly listeners: readonly Listener[];
  readonly routes: readonly Route[];
  readonly pools: readonly Pool[];
  readonly balancers: readonly Balancer[];
  readonly timeouts: ClientTimeouts;
  /** Null: none. */
  readonly accessLog: AccessLog | null;
  readonly guard: GuardPolicy;
  /** One for a status. */
  readonly errorPages: readonly (ErrorPage & { readonly place: Place })[];
  /** What its owner states of it, as it is written; `plan` says what it means. Absent: nothing. */
  readonly stated?: { readonly expect: readonly unknown[]; readonly policies: readonly unknown[] };
  /**
   * The team's own haproxy.cfg or nginx.conf that this is a survey of: listeners and pools as far as it says them plainly,
   * no routes. Engines run the text itself. Null: the site was written as site.yaml.
   */
  readonly own: OwnText | null;
}

export const listenerProtocols = ['HTTP', 'TCP', 'TLS'] as const;

export interface Listener {
  readonly name: string;
  /** `HTTP`: HTTPS where it has `tls`. `TCP` and `TLS`: passed on byte by byte; `TLS` by the name that the client asks for. */
  readonly protocol: (typeof listenerProtocols)[number];
  /** `*` stands for each balancer's own address. */
  readonly host: string;
  readonly port: number;
  /** One socket of `::` for IPv6 and IPv4, as own texts may have it. Absent: no. */
  readonly dualStack?: boolean;
  /** Of every request of this listener. */
  readonly access: PlacedAccess | null;
  readonly forwarded: Forwarded & { readonly place: Place };
  /** Over TLS only. */
  readonly hsts: (Hsts & { readonly place: Place }) | null;
  readonly tls: ListenerTls | null;
  /** Of TCP and TLS listeners: connections at once, and of one client. Null: no limit. */
  readonly connectionsMax: number | null;
  readonly connectionsPerClientMax: number | null;
  /** How long a client of a TLS listener may take to say whom it wants. */
  readonly inspectTimeoutMs: number;
  /** Networks whose connections begin with the PROXY protocol; all others speak for themselves. Empty: none. */
  readonly proxyFrom: readonly string[];
  readonly place: Place;
}

export const tlsVersions = ['1.2', '1.3'] as const;

export interface ListenerTls {
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: (typeof tlsVersions)[number];
  /** Offered to clients, beside HTTP/1.1. */
  readonly http2: boolean;
  /** Certificates that clients show. Null: none is asked for. */
  readonly clients: ClientCertificates | null;
}

export interface ClientCertificates {
  /** False: who shows none is served too; a wrong one is refused in any case. */
  readonly required: boolean;
  /** Absolute path of a PEM file with the authorities that sign them. */
  readonly authorities: string;
  /** Absolute path of a PEM file with the revocation lists of all of them. Absent: nobody is asked. */
  readonly revocations?: string;
  readonly place: Place;
}

/** How long clients may take, on every listener. */
export interface ClientTimeouts {
  /** Silence of the client while its body is awaited, or while it does not read its answer. */
  readonly clientMs: number;
  /** From a connection or the first byte of a request to the end of its head. */
  readonly requestMs: number;
  /** For the whole of a request's body. Absent: as long as the client is not silent. */
  readonly body?: { readonly ms: number; readonly place: Place };
  /** A kept-alive connection without a request. */
  readonly keepAliveMs: number;
}

/** One JSON object a line for each request of the public side; its fields stand in docs/site.md. */
export type AccessLog =
  | { readonly kind: 'stdout'; readonly place: Place }
  | { readonly kind: 'file'; readonly path: string; readonly place: Place }
  | { readonly kind: 'syslog'; readonly host: string; readonly port: number; readonly place: Place }
  | { readonly kind: 'syslogSocket'; readonly path: string; readonly place: Place };

/** Browsers ask this host over TLS only, for so long. */
export interface Hsts {
  readonly maxAgeDays: number;
  readonly includeSubDomains: boolean;
  readonly preload: boolean;
}

/** Absolute paths of PEM files. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
  readonly place: Place;
}

/**
 * The Gateway API's HTTPRoute, one rule: any of `matches` under any of `hostnames`, on any of `listeners`. Of TCP and TLS
 * listeners, which it names, its TCPRoute and TLSRoute: pools only, and hostnames with TLS.
 */
export interface Route {
  readonly name: string;
  /** Names; empty means every listener that speaks HTTP. */
  readonly listeners: readonly string[];
  /** `shop.example` or `*.shop.example` (one label or more); empty means every host. Lower case. */
  readonly hostnames: readonly string[];
  /** Empty means every request. */
  readonly matches: readonly RouteMatch[];
  readonly action: RouteAction;
  readonly filters: RouteFilters;
  readonly place: Place;
}

/** What gives the answer. */
export type RouteAction =
  /** At least one, and at least one with a weight above 0. */
  | { readonly kind: 'pools'; readonly pools: readonly WeightedPool[]; readonly place: Place }
  | ({ readonly kind: 'redirect'; readonly place: Place } & RequestRedirect)
  | (FixedAnswer & { readonly place: Place });

export interface WeightedPool {
  readonly pool: string;
  /** 0 to 1,000,000, relative to the others of the route. */
  readonly weight: number;
}

/** The Gateway API's RequestRedirect: what is null stays as it is in the request. */
export interface RequestRedirect {
  readonly scheme: 'http' | 'https' | null;
  readonly hostname: string | null;
  /** Null: the scheme's own where a scheme is given, else the listener's. */
  readonly port: number | null;
  readonly path: NewPath | null;
  readonly status: number;
}

/** `prefix`: in the place of the prefix that the match names. */
export interface NewPath {
  readonly kind: 'full' | 'prefix';
  readonly value: string;
}

export interface RouteFilters {
  readonly rewrite: {
    readonly hostname: string | null;
    readonly path: NewPath | null;
    readonly place: Place;
  } | null;
  readonly requestHeaders: (HeaderChanges & { readonly place: Place }) | null;
  readonly responseHeaders: (HeaderChanges & { readonly place: Place }) | null;
  readonly access: PlacedAccess | null;
  readonly timeouts: (RouteTimeouts & { readonly place: Place }) | null;
  readonly mirror: RequestMirror | null;
}

/** The Gateway API's RequestMirror. */
export interface RequestMirror {
  readonly pool: string;
  /** 0.01 to 100, of the route's requests. */
  readonly percent: number;
  readonly place: Place;
}

export type PlacedAccess = Access & { readonly place: Place };

/** The pools that may answer a route's requests; empty when none does. */
export function poolsOf({ action }: Pick<Route, 'action'>): readonly string[] {
  return action.kind === 'pools' ? action.pools.map(({ pool }) => pool) : [];
}

/** All that is given must hold. */
export interface RouteMatch {
  readonly path: PathMatch | null;
  readonly method: string | null;
  readonly headers: readonly ValueMatch[];
  readonly queryParams: readonly ValueMatch[];
}

export type PathMatch = {
  readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
  readonly value: string;
};

/** A regular expression must match the whole value. */
export interface ValueMatch {
  readonly name: string;
  readonly type: 'Exact' | 'RegularExpression';
  readonly value: string;
}

export const engineNames = ['haproxy', 'builtin', 'nginx'] as const;
/** What `auto` may become, in this order. */
export const autoEngineNames = ['haproxy', 'builtin'] as const satisfies readonly EngineName[];
export type EngineName = (typeof engineNames)[number];

/** One load-balancer node. */
export interface Balancer {
  readonly name: string;
  /** `auto`: HAProxy where it is installed, else the built-in one. */
  readonly engine: EngineName | 'auto';
  /** Where listeners with host `*` are bound. */
  readonly address: string;
  readonly place: Place;
}

export interface RealRequests {
  /** How many, at most. */
  readonly sample: number;
  /** Absolute path of the access log that tells of them; null: the one that the site itself writes. */
  readonly accessLog: string | null;
  /** Whose they are where the log does not say; null: such ones are left out. */
  readonly host: string | null;
  /** Values of query parameters, and clients' addresses, are sent as they were; else neither is. */
  readonly queryValues: boolean;
  readonly clientAddresses: boolean;
  /** Requests whose path is one of these, or below it, are not sent. */
  readonly exceptPaths: readonly string[];
}

/** Of each pool, on each balancer. */
export interface SparePolicy {
  /** A pool is full when so many requests wait for a server, */
  readonly queuedMin: number;
  /** or so much of its servers' `connectionsMax` is used, as a share, */
  readonly usedMin: number;
  /** or it will be within so long at the pace of the last minute, */
  readonly fullWithinMs: number;
  /** for so long. */
  readonly fullForMs: number;
  /** How many spare servers of a pool may serve at once. */
  readonly most: number;
  /** One leaves when without it no more than this share would be used, nothing waits and no fault is open, */
  readonly leavesBelow: number;
  /** for so long; each time that it has to come back soon, for twice as long. */
  readonly leavesAfterMs: number;
}

export interface GuardPolicy {
  readonly canary: {
    /** Shares of new connections, rising, each in (0, 1]; the first slice before them is sized in requests. */
    readonly steps: readonly number[];
    readonly firstSliceRequests: number;
    /** How long each step lasts at least. */
    readonly stepMs: number;
  };
  readonly bakeMs: number;
  /** Open connections of a generation that was replaced end after this. */
  readonly drainTimeoutMs: number;
  /** A request that finds no server in a candidate is answered by the last good generation. */
  readonly net: boolean;
  readonly changes: {
    /** A name of the IANA's: `Europe/Berlin`. */
    readonly timeZone: string;
    /** Changes begin only within one of them; none: at any hour. `from` and `to` as `09:00`. */
    readonly windows: readonly {
      readonly days: readonly string[];
      readonly from: string;
      readonly to: string;
    }[];
    /** Days without changes, both ends included: `2026-12-20`. */
    readonly freezes: readonly { readonly from: string; readonly to: string; readonly why: string }[];
    readonly duringIncidents: 'allowed' | 'refused';
  };
  readonly review: {
    /** An approval counts for so long. */
    readonly expiresAfterMs: number;
    /** A change that waits longer for people is refused. */
    readonly waitMsMax: number;
  };
  readonly rehearsal: {
    /** Above so many times what the running text takes in the same sandbox, a text is refused. */
    readonly memoryFactorMax: number;
    readonly startFactorMax: number;
    /** Recent requests are sent to the candidate and to what runs, and on to the real servers; null: none is. */
    readonly realRequests: RealRequests | null;
  };
  /** When spare servers serve beside the others. Absent: only when every other server of their pool is down. */
  readonly spares?: SparePolicy;
  /** Known faults of engine versions, by name, that stop no change. */
  readonly acceptedFaults: readonly string[];
  readonly limits: {
    /** The most servers, as a share of a pool, that one change may take away. */
    readonly removedServersShareMax: number;
    /** The most of the recent traffic that one change may bring to servers or answers that it did not come to before; 1: all. */
    readonly movedTrafficShareMax: number;
    /** How many other balancers must serve while one tries a change. */
    readonly spareBalancersMin: number;
    /** What becomes of a text that ran before the one that runs. */
    readonly olderTexts: 'refused' | 'allowed';
    /** The least live servers, as a share of a pool, below which a candidate is refused or taken back. */
    readonly liveServersShareMin: number;
  };
}

/** What the file calls it: a listener of several addresses is one listener there. */
export function writtenName({ name }: Listener): string {
  return name.replace(/:\d+$/, '');
}

/** Its connections are passed on byte by byte. */
export function isStream({ protocol }: Pick<Listener, 'protocol'>): boolean {
  return protocol !== 'HTTP';
}

/** What stands before `://` in its address. */
export function schemeOf({ protocol, tls }: Pick<Listener, 'protocol' | 'tls'>): string {
  if (protocol !== 'HTTP') return protocol.toLowerCase();
  return tls ? 'https' : 'http';
}

/** Where a listener is bound on a balancer. */
export function boundHost(listener: Listener, balancer: Balancer): string {
  return listener.host === '*' ? balancer.address : listener.host;
}

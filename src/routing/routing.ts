import type { Place } from '#base';

/** What a configuration does to every request: per listener, the first rule whose condition holds decides. Engine-free. */
export interface Routing {
  readonly listeners: readonly RoutedListener[];
}

export interface RoutedListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly scheme: 'http' | 'https';
  /** Of every request, before its rule is looked for. Null: no limits. */
  readonly access: Access | null;
  readonly forwarded: Forwarded;
  /** The value of Strict-Transport-Security in every answer. Null: what the server says. */
  readonly hsts: string | null;
  /**
   * `told`: servers are told in `certificateHeaders` whose certificate the client showed. `removed`: another listener of
   * the site tells it, so what came under these names, or with `_` for `-`, is removed here. Absent: it goes on as it came.
   */
  readonly clientCertificate?: 'told' | 'removed' | undefined;
  readonly rules: readonly Rule[];
  /** What a request gets that no rule takes. */
  readonly otherwise: Exclude<Action, { kind: 'split' }>;
}

export interface Rule {
  /** Name of the route it came from. */
  readonly route: string;
  readonly place: Place | null;
  /** All must hold. Empty: always. */
  readonly conditions: readonly Condition[];
  readonly action: Action;
  /** What is done to the request and to the server's answer on their way. Null: nothing. */
  readonly filters: Filters | null;
}

export type Condition =
  | { readonly kind: 'host'; readonly match: 'exact' | 'suffix'; readonly value: string }
  | { readonly kind: 'path'; readonly match: 'exact' | 'prefix' | 'regex'; readonly value: string }
  | { readonly kind: 'method'; readonly value: string }
  | {
      readonly kind: 'header';
      readonly name: string;
      readonly match: 'exact' | 'regex';
      readonly value: string;
    }
  | {
      readonly kind: 'query';
      readonly name: string;
      readonly match: 'exact' | 'regex';
      readonly value: string;
    };

export type Action =
  | { readonly kind: 'pool'; readonly pool: string; readonly servers: readonly string[] }
  /** Each request by chance, in these shares; weights of 0 are left out. */
  | { readonly kind: 'split'; readonly shares: readonly PoolShare[] }
  | { readonly kind: 'redirect'; readonly status: number; readonly to: RedirectTarget }
  | FixedAnswer
  | { readonly kind: 'reject' };

export interface PoolShare {
  readonly pool: string;
  readonly weight: number;
  readonly servers: readonly string[];
}

/** What a request is redirected to, its query kept; a request that names no host gets 400 where the host is its own. */
export interface RedirectTarget {
  readonly scheme: 'http' | 'https';
  /** Null: the request's own, in lower case. */
  readonly hostname: string | null;
  /** Null: the scheme's own, which is not written. */
  readonly port: number | null;
  /** Null: the request's own. */
  readonly path: PathChange | null;
}

/** `prefix` is what the rule's path condition matched, without a slash at its end. */
export type PathChange =
  | { readonly kind: 'full'; readonly value: string }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly value: string };

/** An answer that no server gives. `HEAD` gets it without its body. */
export interface FixedAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: readonly Header[];
  /** UTF-8. Null: an empty one. */
  readonly body: { readonly contentType: string; readonly text: string } | null;
}

/** What takes the place of an answer that the engine itself gives when it has none of a server. */
export interface ErrorPage {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
}

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** Rules are always chosen by the request as it came: filters change only what the server and the client see. */
export interface Filters {
  readonly rewrite: Rewrite | null;
  /** On the request, after rewrite and after what the listener sets. */
  readonly requestHeaders: HeaderChanges | null;
  /** On the server's answer; answers of the engine's own (no server, time-outs) stay as they are. */
  readonly responseHeaders: HeaderChanges | null;
  /** Of the rule's requests, whatever its action. */
  readonly access: Access | null;
  /** In the place of the pool's. Absent: those of the pool. */
  readonly timeouts?: RouteTimeouts | undefined;
  /** Absent: no copies. */
  readonly mirror?: Mirror | undefined;
}

/** Copies of requests, whose answers nobody hears. */
export interface Mirror {
  readonly pool: string;
  /** Of the rule's requests, each by chance; in (0, 1]. */
  readonly share: number;
}

/** Silence of the server, and of both sides of an upgraded connection. Null: as the pool says. */
export interface RouteTimeouts {
  readonly serverMs: number | null;
  readonly tunnelMs: number | null;
  /** From the request's head to the end of its answer. Absent: as long as nobody is silent for too long. */
  readonly requestMs?: number | undefined;
}

export const forwardedHeaders = ['X-Forwarded-Host', 'X-Forwarded-Port', 'Forwarded'] as const;

/**
 * What servers are told about the client. `replace`: what we know, in the place of what came. `append`: from a trusted
 * source, behind what came (and its X-Forwarded-Proto, -Host and -Port stay); from others, as `replace`. `off`: nothing,
 * whatever came is removed.
 */
export interface Forwarded {
  readonly policy: 'replace' | 'append' | 'off';
  /** Networks or addresses; with `append` only. */
  readonly trusted: readonly string[];
  /** Beside X-Forwarded-For and X-Forwarded-Proto. With `replace` and `append`, those not named stay as they came. */
  readonly also: readonly (typeof forwardedHeaders)[number][];
}

/** `name` tells limits apart: what is counted for one counts for no other. */
export interface Rate {
  readonly name: string;
  readonly requests: number;
  readonly perMs: number;
}

/** Who may ask. In this order: network (403), rate (429), password (401), length of the body (411 where it is not told, 413). */
export interface Access {
  /** Networks or addresses: `10.0.0.0/8`, `2001:db8::1`. */
  readonly deny: readonly string[];
  /** Empty: all that are not denied. */
  readonly allow: readonly string[];
  /** For each client: an IPv4 address, or a /64 of IPv6. */
  readonly rate: Rate | null;
  readonly basicAuth: {
    readonly realm: string;
    /** SHA-crypt: `$5$...` or `$6$...`, as `openssl passwd -6` makes it. */
    readonly users: readonly { readonly name: string; readonly passwordHash: string }[];
  } | null;
  readonly bodyBytesMax: number | null;
}

export interface Rewrite {
  /** What the server sees as Host. Null: the request's own. */
  readonly hostname: string | null;
  /** The query stays. */
  readonly path: PathChange | null;
}

/** In this order: remove, set, add. Names in any case. */
export interface HeaderChanges {
  readonly remove: readonly string[];
  /** In the place of all headers of that name. */
  readonly set: readonly Header[];
  /** One more, whatever is there. */
  readonly add: readonly Header[];
}

/** A concrete request: what a witness is. */
export interface Request {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The client's address; left out where it makes no difference. */
  readonly sourceAddress?: string;
}

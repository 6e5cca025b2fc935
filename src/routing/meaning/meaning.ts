import type { Place } from '#base';
import type { Condition, Unknown } from './condition.ts';
import type { Value } from './value.ts';

/**
 * What a text does to every request: the one meaning that a `site.yaml`, a `haproxy.cfg` and an `nginx.conf` are lifted
 * to, whatever their words. Conditions and values are functions of the request as it came: what a rule rewrites is
 * written into the values and conditions of those behind it, so nothing here has an order but the steps of a list.
 */
export interface Meaning {
  readonly listeners: readonly ListenerMeaning[];
  /** Every pool of the text, reached or not. */
  readonly pools: readonly PoolMeaning[];
  /**
   * What changes how requests are treated without moving them, as it is in force: inherited values are written out. Those of
   * `PoolMeaning.settings` are not here.
   */
  readonly settings: readonly Setting[];
  readonly notUnderstood: readonly NotUnderstood[];
}

/** One address that is listened on. Several may have the same `rules`, by identity. */
export interface ListenerMeaning {
  readonly name: string;
  /** `*`, `127.0.0.1`, `[::]`, or a path of a Unix socket. */
  readonly host: string;
  /** Null for a Unix socket. */
  readonly port: number | null;
  /** `tcp`: the bytes are passed on unread, but for a ClientHello's names. */
  readonly mode: 'http' | 'tcp';
  /** Whether TLS ends here. */
  readonly tls: boolean;
  /** Where TLS ends: what comes without it is answered, by rules that ask for the scheme. Otherwise it is refused. */
  readonly takesPlain?: true;
  readonly rules: Rules;
  readonly place: Place;
}

/** The first step whose condition holds decides. */
export interface Rules {
  readonly steps: readonly Step[];
  readonly otherwise: Fate;
}

export interface Step {
  readonly when: Condition;
  /** `continue`: it is only told (`set-path /x`), its effect is in the values of what follows. */
  readonly then: Fate | { readonly kind: 'continue' };
  readonly place: Place;
  /** The rule as its text has it, in one line. */
  readonly text: string;
}

/** What becomes of a request. */
export type Fate =
  | { readonly kind: 'pool'; readonly pool: string; readonly sent: Sent }
  /** Each request by chance, or by a hash: which is not told in advance. */
  | { readonly kind: 'split'; readonly shares: readonly { readonly weight: number; readonly fate: Fate }[] }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: Value }
  | { readonly kind: 'answer'; readonly status: number; readonly body: Value | null }
  /**
   * A file of this machine, or the index of a folder where the path ends with `/`; 404 where there is none, 405 for
   * methods that files do not take.
   */
  | { readonly kind: 'file'; readonly path: Value }
  | { readonly kind: 'reject'; readonly how: 'close' | 'reset' | 'silent' }
  | { readonly kind: 'rules'; readonly rules: Rules }
  | ({ readonly kind: 'unknown' } & Unknown);

/** What the server sees that the client did not say. Null: as it came. */
export interface Sent {
  readonly method: Value | null;
  /** Up to `?`. */
  readonly path: Value | null;
  readonly query: Value | null;
  readonly host: Value | null;
  /** The last word about each name; null: removed. Names in lower case, without `host`. */
  readonly headers: Readonly<Record<string, Value | null>>;
}

export const sentAsItCame: Sent = { method: null, path: null, query: null, host: null, headers: {} };

export interface PoolMeaning {
  readonly name: string;
  readonly mode: 'http' | 'tcp';
  /** May be read from the text only when it is asked for. */
  readonly servers: readonly ServerMeaning[];
  /** What is in force for it and its servers, where that follows from its own text; read when it is asked for. */
  readonly settings?: readonly Setting[];
  readonly place: Place;
  /** All texts that it is read from: pools of the same source are the same but for their places. Null: it is not that plain. */
  readonly source?: readonly string[] | null;
}

export interface ServerMeaning {
  readonly name: string;
  /** As its text has it, in one form: `10.0.0.1:80`, `web.example:443`, `unix:/run/app.sock`. */
  readonly address: string;
  readonly weight: number;
  readonly spare: boolean;
  /** It is configured not to serve. */
  readonly disabled: boolean;
  readonly place: Place;
}

export interface Setting {
  /** What it is in force for. Names of pools and listeners, so that a renamed one is followed. */
  readonly scope:
    | { readonly kind: 'global' }
    | { readonly kind: 'listener'; readonly name: string }
    | { readonly kind: 'pool'; readonly name: string }
    | { readonly kind: 'server'; readonly pool: string; readonly address: string };
  /** As its text has it: `timeout server`, `proxy_read_timeout`. */
  readonly name: string;
  /** In one form, so that `30s` and `30000` are the same: `30000 ms`. */
  readonly value: string;
  readonly place: Place;
  /**
   * Names that the text gives to parts of itself, as `name` or `value` has them (`@fallback`), and what the part holds: one
   * that is called otherwise and holds the same is the same.
   */
  readonly parts?: ReadonlyMap<string, string>;
}

export interface NotUnderstood {
  readonly place: Place;
  readonly text: string;
  /** One line: what it would need. */
  readonly why: string;
}

import type { Place } from '#base';
import { empty } from './folding.ts';
import type { Level, Location } from './locations.ts';
import {
  type Fate,
  field,
  type Keys,
  type NotUnderstood,
  type Regex,
  type Unknown,
  type Value,
} from './meaning.ts';
import type { Pools } from './pools.ts';
import type { Scope } from './scope.ts';
import type { SharedServers } from './shared.ts';
import type { Sources } from './sources.ts';
import type { Node } from './tree.ts';

/** What NGINX keeps of a request while it looks for its fate: the fields of `ngx_http_request_t` that decide. */
export interface State {
  /** Decoded, as locations and expressions see it. */
  readonly uri: Value;
  readonly args: Value;
  readonly method: Value;
  readonly variables: ReadonlyMap<string, Value>;
  /** What `$1` looks into. */
  readonly captures: {
    readonly of: Value;
    readonly regex: Regex;
    readonly count: number;
    /** Nothing can have come between the match and who asks, such as a map with an expression of its own. */
    readonly fresh?: true;
  } | null;
  readonly internal: boolean;
  /** The URI that the client sent may still be sent on as it came. */
  readonly unparsed: boolean;
  /** The location's prefix is still that of the URI. */
  readonly validLocation: boolean;
  /** A rewrite that asks for another location. */
  readonly changed: boolean;
  /** `ngx_http_request_t.uri_changes`: 0 is a cycle. */
  readonly changesLeft: number;
  readonly inErrorPage: boolean;
  /** `try_files` has found a file behind an `alias` of a location with an expression: the URI is its name there. */
  readonly addsUri: boolean;
  /** What the answer's status becomes, whatever answers; 0: its own. */
  readonly status: number;
  /** Of the client, as it is known by now, and the words that made it so; null: it is the connection's. */
  readonly address: Value;
  readonly addressBy: string | null;
  /** Variables that were worked out once. `isSure`: on every way here. */
  readonly kept: ReadonlyMap<string, { readonly value: Value; readonly isSure: boolean }>;
  /** Which shares of `split_clients` were taken on the way here. */
  readonly shares: ReadonlyMap<string, Value>;
}

const uriChangesMax = 10;

export const argsAsTheyCame: Value = field('query');
export const uriAsItCame: Value = field('normalisedPath');

export const firstState: State = {
  uri: uriAsItCame,
  args: argsAsTheyCame,
  method: field('method'),
  variables: new Map(),
  captures: null,
  internal: false,
  unparsed: true,
  validLocation: true,
  changed: false,
  changesLeft: uriChangesMax + 1,
  inErrorPage: false,
  addsUri: false,
  status: 0,
  address: field('sourceAddress'),
  addressBy: null,
  kept: new Map(),
  shares: new Map(),
};

export interface Server {
  readonly scope: Scope;
  readonly place: Place;
  /** In lower case, as they are written otherwise; the empty one where none is said. */
  readonly names: readonly string[];
  readonly level: Level;
  readonly named: ReadonlyMap<string, Location>;
}

/** Where a request is: which block's directives hold, and who makes the content. */
export interface Where {
  readonly server: Server;
  readonly scope: Scope;
  /** Null: no location, the server's own directives. */
  readonly location: Location | null;
  readonly handler: { readonly node: Node; readonly scope: Scope } | null;
}

/** What one lift collects. */
export interface Lifting {
  readonly pools: Pools;
  readonly sources: Sources;
  /** Values as numbers. Fates share most of what they are made of. */
  readonly keys: Keys;
  /** Not understood; the same line once. */
  refuse(node: Node, why: string): void;
  readonly all: readonly NotUnderstood[];
  /** What servers of other texts have come to. Null: there is no other. */
  readonly shared: SharedServers | null;
  /** What stands around the servers, in one form: all that what becomes of a request may depend on. */
  readonly around: () => string;
  /** False: so many fates were made that this text is too complex. */
  spend(): boolean;
  /** Another server: it may come to as many again. */
  renew(): void;
}

export function unknown(
  node: Pick<Node, 'place' | 'text'>,
  why: Unknown['why'],
  text = node.text,
): Fate & { kind: 'unknown' } {
  return { kind: 'unknown', text, place: node.place, why };
}

export function unknownValue(
  node: Pick<Node, 'place' | 'text'>,
  why: Unknown['why'],
  text = node.text,
): Value {
  return { kind: 'unknown', text, place: node.place, why };
}

/** Another URI, as NGINX makes it itself. */
export function redirected(state: State, uri: Value, args: Value): State {
  return {
    ...state,
    uri,
    args,
    internal: true,
    unparsed: false,
    validLocation: true,
    changed: false,
    addsUri: false,
    changesLeft: state.changesLeft - 1,
  };
}

export const noArgs: Value = empty;

/** What stands for a server at its line. */
export function nodeOf({ scope, place }: Server): Node {
  return (
    scope.node ?? { name: 'server', words: [], place, text: 'server', block: scope.nodes, plainBlock: null }
  );
}

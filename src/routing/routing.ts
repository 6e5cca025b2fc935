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
  readonly rules: readonly Rule[];
  /** What a request gets that no rule takes. */
  readonly otherwise: Action;
}

export interface Rule {
  /** Name of the route it came from. */
  readonly route: string;
  readonly place: Place | null;
  /** All must hold. Empty: always. */
  readonly conditions: readonly Condition[];
  readonly action: Action;
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
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string }
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'reject' };

/** A concrete request: what a witness is. */
export interface Request {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

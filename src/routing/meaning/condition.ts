import type { Place } from '#base';
import type { Language } from './language.ts';
import type { Value } from './value.ts';

/** Whether something holds of a request. */
export type Condition =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'some'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  /** The value is a word of the language. */
  | { readonly kind: 'in'; readonly value: Value; readonly language: Language }
  /** The address that the connection came from: networks or addresses, IPv4 and IPv6. */
  | { readonly kind: 'from'; readonly networks: readonly string[] }
  | ({ readonly kind: 'unknown' } & Unknown);

/**
 * What cannot be said from the request and the text alone. Two with the same `text` and `why` are the same, in one text and
 * in two: they hold for the same requests at the same moment.
 */
export interface Unknown {
  /** In one form: spaces and order that mean nothing are taken out. */
  readonly text: string;
  readonly place: Place;
  /**
   * `state`: counters, health, stick tables. `chance`: random or hashed. `time`. `files`: whether a file is there.
   * `secret`: passwords, certificates. `body`: what a request carries. `elsewhere`: another program decides (Lua, SPOE, auth_request).
   * `complex`: past a named limit. `not understood`: a word that we do not know.
   */
  readonly why:
    | 'state'
    | 'chance'
    | 'time'
    | 'files'
    | 'secret'
    | 'body'
    | 'elsewhere'
    | 'complex'
    | 'not understood';
}

export const always: Condition = { kind: 'always' };
export const never: Condition = { kind: 'never' };

export function all(of: readonly Condition[]): Condition {
  const flat = of.flatMap((one) => (one.kind === 'all' ? one.of : [one])).filter((c) => c.kind !== 'always');
  if (flat.some(({ kind }) => kind === 'never')) return never;
  const [only] = flat;
  if (only === undefined) return always;
  return flat.length === 1 ? only : { kind: 'all', of: flat };
}

export function some(of: readonly Condition[]): Condition {
  const flat = of.flatMap((one) => (one.kind === 'some' ? one.of : [one])).filter((c) => c.kind !== 'never');
  if (flat.some(({ kind }) => kind === 'always')) return always;
  const [only] = flat;
  if (only === undefined) return never;
  return flat.length === 1 ? only : { kind: 'some', of: flat };
}

export function not(of: Condition): Condition {
  if (of.kind === 'always') return never;
  if (of.kind === 'never') return always;
  return of.kind === 'not' ? of.of : { kind: 'not', of };
}

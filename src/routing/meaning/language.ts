/** A set of values. What is absent is in none but `absent` and complements of others. */
export type Language =
  | {
      readonly kind: 'is' | 'begins' | 'ends' | 'contains';
      readonly text: string;
      readonly ignoreCase: boolean;
    }
  /** The expression matches somewhere in it. */
  | { readonly kind: 'matches'; readonly regex: Regex }
  /** Present, empty or not. */
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'length'; readonly min: number; readonly max: number | null }
  /** A decimal integer, with `-` where it is negative, and nothing else. */
  | { readonly kind: 'number'; readonly min: number | null; readonly max: number | null }
  /** The text as a whole segment or several: between the value's ends and these delimiters (`/`; `/?.:`). */
  | {
      readonly kind: 'segment';
      readonly text: string;
      readonly delimiters: string;
      readonly ignoreCase: boolean;
    }
  /** Some part between the separators, without spaces around it, is in the language. */
  | { readonly kind: 'item'; readonly separators: string; readonly of: Language }
  | { readonly kind: 'union' | 'intersection'; readonly of: readonly Language[] }
  | { readonly kind: 'complement'; readonly of: Language };

/** In the engine's own syntax. What the automata do not know is `complex` where it is met. */
export interface Regex {
  readonly source: string;
  readonly ignoreCase: boolean;
  readonly syntax: 'pcre' | 'posix';
}

const hostWithPort = /^\^((?:[\w-]|\\[.-])+)\(\?::\[0-9\]\*\)\?\$$/;

const hosts = new WeakMap<Regex, string | null>();

/** The host of an expression that takes one host with, perhaps, a port: `^shop\.example(?::[0-9]*)?$`. Null: it is another one. */
export function hostInRegex(regex: Regex): string | null {
  const known = hosts.get(regex);
  if (known !== undefined) return known;
  const host = hostWithPort.exec(regex.source)?.[1]?.replaceAll('\\', '') ?? null;
  hosts.set(regex, host);
  return host;
}

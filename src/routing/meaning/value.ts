import type { Condition, Unknown } from './condition.ts';
import type { Language, Regex } from './language.ts';

/** A row of bytes that a request gives, one UTF-16 unit a byte, or nothing at all: no such header, no query, no SNI. */
export type Value =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'absent' }
  | { readonly kind: 'field'; readonly field: Field }
  /** One behind the other; what is absent counts as empty. */
  | { readonly kind: 'joined'; readonly parts: readonly Value[] }
  | { readonly kind: 'lower'; readonly of: Value }
  | { readonly kind: 'upper'; readonly of: Value }
  /** The first match, or each, in the place of itself; as it is where there is none. */
  | {
      readonly kind: 'replaced';
      readonly of: Value;
      readonly regex: Regex;
      readonly every: boolean;
      readonly by: readonly TemplatePart[];
    }
  /** What a group of the first match took. Empty where the group took nothing; absent where nothing matches. */
  | { readonly kind: 'captured'; readonly of: Value; readonly regex: Regex; readonly group: number | string }
  /** The n-th part between separators, from 1; from the end when negative. Absent where there are fewer. */
  | { readonly kind: 'part'; readonly of: Value; readonly separators: string; readonly number: number }
  /** From the first byte (0) on, at most so many. */
  | { readonly kind: 'slice'; readonly of: Value; readonly from: number; readonly length: number | null }
  /** The value of the first parameter `name` in a query, as it is; absent where there is none. */
  | { readonly kind: 'parameter'; readonly of: Value; readonly name: string; readonly ignoreCase: boolean }
  /** The value of the first cookie `name` in a Cookie header. */
  | { readonly kind: 'cookie'; readonly of: Value; readonly name: string }
  /**
   * `%41` is `A`. `redirect`: as NGINX undoes it in an address that it leads to, up to a question mark and but for what cannot
   * stand there, with its own way of losing a wrong `%`.
   */
  | { readonly kind: 'decoded'; readonly of: Value; readonly plusIsSpace: boolean; readonly redirect?: true }
  /** `?` is `%3F`: each of these bytes, the others as they are. */
  | { readonly kind: 'encoded'; readonly of: Value; readonly bytes: EncodedBytes }
  /** Another value in the place of one that is absent or empty. */
  | { readonly kind: 'orElse'; readonly of: Value; readonly otherwise: Value }
  | { readonly kind: 'chosen'; readonly when: Condition; readonly then: Value; readonly otherwise: Value }
  /** A table: the text of the first case whose language has the value. It may have thousands of cases. */
  | {
      readonly kind: 'mapped';
      readonly of: Value;
      readonly cases: readonly { readonly language: Language; readonly text: string }[];
      readonly otherwise: Value;
    }
  | ({ readonly kind: 'unknown' } & Unknown);

/**
 * `redirect`: up to 32, from 127 on, `"`, `#`, `%`. `path`: those, `<`, `>`, `?`, `\`, `^`, backquote, `{`, `|`, `}`.
 * `query`: those, `&`, `+`, `;`.
 */
export type EncodedBytes = 'path' | 'query' | 'redirect';

export type TemplatePart = string | { readonly group: number | string };

export type Field =
  | {
      readonly kind:
        | 'method'
        /** Of the request line, raw, up to `?`. */
        | 'path'
        /**
         * As NGINX matches it: decoded, slashes merged, dot segments resolved. The same as `path` for plain ones.
         * Absent where NGINX answers 400: no `/` in front, `..` above the root, `%` without two digits, a zero byte.
         */
        | 'normalisedPath'
        /** Behind `?`; absent without one. */
        | 'query'
        /**
         * `http` or `https`: whether the client speaks TLS. It ends here where the listener has `tls`; on a `tcp` listener
         * without it, this says whether the first bytes are a ClientHello.
         */
        | 'scheme'
        /** Host header as it came: any case, with its port. */
        | 'host'
        /** Name in the ClientHello, as it came. */
        | 'sni'
        /** Address and port that the client connected to. */
        | 'localAddress'
        | 'localPort'
        | 'sourcePort'
        /** Address that the connection came from, in its shortest form: `10.1.2.3`, `2001:db8::1`. */
        | 'sourceAddress'
        /** `1.0`, `1.1`, `2.0`. */
        | 'version';
    }
  /** In lower case. All of that name as one value, `, ` between them. Not `host`. */
  | { readonly kind: 'header'; readonly name: string };

export const text = (value: string): Value => ({ kind: 'text', text: value });
export const absent: Value = { kind: 'absent' };

const fields = new Map<Field['kind'], Value>();

/** One and the same each time: of what is the same object, it need not be asked whether it is the same. */
export function field(kind: Exclude<Field['kind'], 'header'>): Value {
  const known = fields.get(kind) ?? { kind: 'field', field: { kind } };
  fields.set(kind, known);
  return known;
}

export function header(name: string): Value {
  const lower = name.toLowerCase();
  return lower === 'host' ? field('host') : { kind: 'field', field: { kind: 'header', name: lower } };
}

export function chosen(when: Condition, then: Value, otherwise: Value): Value {
  return { kind: 'chosen', when, then, otherwise };
}

/** Neighbouring texts become one; nothing at all is the empty text. */
export function joined(parts: readonly Value[]): Value {
  const flat: Value[] = [];
  for (const part of parts.flatMap((one) => (one.kind === 'joined' ? one.parts : [one]))) {
    const last = flat.at(-1);
    if (part.kind === 'text' && part.text === '') continue;
    if (last?.kind === 'text' && part.kind === 'text') flat[flat.length - 1] = text(last.text + part.text);
    else flat.push(part);
  }
  const [only] = flat;
  if (only === undefined) return text('');
  return flat.length === 1 && only.kind === 'text' ? only : { kind: 'joined', parts: flat };
}

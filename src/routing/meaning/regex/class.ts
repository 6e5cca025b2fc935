import {
  type ByteSet,
  bothCases,
  byteRange,
  bytesOf,
  complement,
  escapedClasses,
  posixClasses,
  union,
} from './bytes.ts';
import { Complex, type Reader } from './reader.ts';

/** How an expression is read. */
export interface Reading {
  readonly syntax: 'pcre' | 'posix';
  /** Without case `[^a]` has no `A` either. */
  readonly ignoreCase: boolean;
}

/** `[^a-z[:digit:]\w]`, read from its bracket on. */
export function readClass(reader: Reader, reading: Reading): ByteSet {
  reader.take('[');
  const negative = reader.take('^');
  let set: ByteSet = new Uint8Array(256);
  for (let first = true; first || !reader.looksAt(']'); first = false) {
    const from = member(reader, reading);
    if (typeof from !== 'number') {
      set = union(set, from);
      continue;
    }
    if (!reader.looksAt('-') || reader.looksAt('-]')) {
      set = union(set, byteRange(from, from));
      continue;
    }
    reader.take('-');
    const to = member(reader, reading);
    if (typeof to === 'number') {
      if (to < from) throw new Complex();
      set = union(set, byteRange(from, to));
    } else set = union(set, byteRange(from, from), bytesOf('-'), to);
  }
  reader.take(']');
  const all = reading.ignoreCase ? bothCases(set) : set;
  return negative ? complement(all) : all;
}

/** One byte, or a class of them. */
function member(reader: Reader, { syntax, ignoreCase }: Reading): number | ByteSet {
  const named = reader.match(/\[:(\^?)([a-z]+):\]/y);
  if (named) {
    const set = posixClasses[named[2] ?? ''];
    if (!set) throw new Complex();
    const all = ignoreCase ? bothCases(set) : set;
    return named[1] ? complement(all) : all;
  }
  if (reader.match(/\[[.=]/y)) throw new Complex();
  if (syntax === 'pcre' && reader.looksAt('\\')) {
    if (reader.match(/\\b/y)) return 8;
    const name = reader.match(/\\([dDwWsShHvV])/y)?.[1];
    const set = name === undefined ? undefined : escapedClasses[name];
    if (set) return set;
    if (reader.match(/\\[QE]/y)) throw new Complex();
    const octal = reader.match(/\\([0-7]{1,3})/y)?.[1];
    if (octal !== undefined) {
      const code = Number.parseInt(octal, 8);
      if (code > 255) throw new Complex();
      return code;
    }
    return reader.escapedByte();
  }
  const char = reader.next();
  if (char.charCodeAt(0) > 255) throw new Complex();
  return char.charCodeAt(0);
}

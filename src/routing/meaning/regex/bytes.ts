/** A set of bytes: 256 flags. */
export type ByteSet = Uint8Array;

export function bytesOf(text: string): ByteSet {
  const set = new Uint8Array(256);
  for (let i = 0; i < text.length; i += 1) set[text.charCodeAt(i)] = 1;
  return set;
}

export function byteRange(from: number, to: number): ByteSet {
  return new Uint8Array(256).fill(1, from, to + 1);
}

export function union(...sets: readonly ByteSet[]): ByteSet {
  const out = new Uint8Array(256);
  for (const set of sets) for (let code = 0; code < 256; code += 1) if (set[code]) out[code] = 1;
  return out;
}

export function complement(set: ByteSet): ByteSet {
  return set.map((flag) => 1 - flag);
}

/** With the other case of each ASCII letter in it. */
export function bothCases(set: ByteSet): ByteSet {
  const out = Uint8Array.from(set);
  for (let upper = 65; upper <= 90; upper += 1) {
    const either = set[upper] || set[upper + 32] ? 1 : 0;
    out[upper] = either;
    out[upper + 32] = either;
  }
  return out;
}

const digit = byteRange(48, 57);
const lower = byteRange(97, 122);
const upper = byteRange(65, 90);
const alpha = union(lower, upper);
const horizontal = bytesOf(' \t\xa0');
const vertical = bytesOf('\n\v\f\r\x85');

/** The names of `[[:alpha:]]`, in the C locale. */
export const posixClasses: Readonly<Record<string, ByteSet>> = {
  alnum: union(alpha, digit),
  alpha,
  ascii: byteRange(0, 127),
  blank: bytesOf(' \t'),
  cntrl: union(byteRange(0, 31), byteRange(127, 127)),
  digit,
  graph: byteRange(33, 126),
  lower,
  print: byteRange(32, 126),
  punct: union(byteRange(33, 47), byteRange(58, 64), byteRange(91, 96), byteRange(123, 126)),
  space: bytesOf(' \t\n\v\f\r'),
  upper,
  word: union(alpha, digit, bytesOf('_')),
  xdigit: union(digit, byteRange(97, 102), byteRange(65, 70)),
};

const word = union(alpha, digit, bytesOf('_'));
const space = bytesOf(' \t\n\v\f\r');

/** `\d`, `\W`, ... */
export const escapedClasses: Readonly<Record<string, ByteSet>> = {
  d: digit,
  D: complement(digit),
  w: word,
  W: complement(word),
  s: space,
  S: complement(space),
  h: horizontal,
  H: complement(horizontal),
  v: vertical,
  V: complement(vertical),
  N: complement(bytesOf('\n')),
};

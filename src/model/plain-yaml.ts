/**
 * The plain part of YAML that nearly every site file is written in: block maps and lists of words, numbers, quoted texts
 * without escapes, and braces on one line. Read here in one pass, because the general parser needs a gigabyte for a hundred
 * thousand servers; what is not that plain is left to it, and test/model/plain-yaml.test.ts holds one against the other.
 */
import { once, type Place } from '#base';
import type { Path, SourceText } from './yaml.ts';

/** Where a value was written: an offset in the text, with those of its parts. */
export type Spot = number | MapSpot | ListSpot;

export interface MapSpot {
  readonly offset: number;
  readonly keys: ReadonlyMap<string, { readonly offset: number; readonly of: Spot }>;
}

export interface ListSpot {
  readonly offset: number;
  readonly items: readonly Spot[];
}

export interface PlainYaml {
  readonly value: unknown;
  readonly spot: Spot;
  /** Values, maps and lists. */
  readonly nodes: number;
}

interface Read {
  readonly value: unknown;
  readonly spot: Spot;
}

/** Null: it is not that plain. Never throws. */
export function readPlain(text: string): PlainYaml | null {
  if (/[^\n\x20-\x7e]|^(?:---|\.\.\.|%)/m.test(text)) return null;
  try {
    return new Reader(text).whole();
  } catch (error) {
    if (error instanceof NotPlain) return null;
    throw error;
  }
}

/** With its places, as the general reader has them. */
export function plainSource({ value, spot }: PlainYaml, text: string, file: string): SourceText {
  const starts = once(() => [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]);
  const place = (offset: number): Place => {
    const all = starts();
    let [low, high] = [0, all.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((all[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { file, line: low + 1, column: offset - (all[low] ?? 0) + 1 };
  };
  const offsetOf = (one: Spot) => (typeof one === 'number' ? one : one.offset);
  const find = (path: Path): { readonly at: number; readonly keyAt: number | null } => {
    let here = spot;
    let keyAt: number | null = null;
    for (const step of path) {
      keyAt = null;
      if (typeof here === 'number') break;
      const below: Spot | undefined =
        'keys' in here
          ? here.keys.get(`${step}`)?.of
          : typeof step === 'number'
            ? here.items[step]
            : undefined;
      if (below === undefined) break;
      keyAt = 'keys' in here ? (here.keys.get(`${step}`)?.offset ?? null) : null;
      here = below;
    }
    return { at: offsetOf(here), keyAt };
  };
  return {
    value,
    placeOf: (path) => place(find(path).at),
    keyPlaceOf(path) {
      const { at, keyAt } = find(path);
      return place(keyAt ?? at);
    },
  };
}

class NotPlain extends Error {}

function notPlain(): never {
  throw new NotPlain();
}

const depthMax = 24;
const key = /[A-Za-z_][\w./-]*(?=:(?: |\n|$))/y;
const flowKey = /[A-Za-z_][\w./-]*(?=: )/y;
const words = new Set(['null', 'true', 'false', 'y', 'n', 'yes', 'no', 'on', 'off']);
const rest = / *(?:(?<= )#[^\n]*)?(?:\n|$)/y;
/** Signs that mean something at the beginning of a value. */
const signs = new Set('-?:,[]{}#&*!|>\'"%@`');
const quotedText = /"[^"\\\n]*"|'[^'\n]*'(?!')/y;

class Reader {
  readonly #text: string;
  /** Of the line that is read now: where its content begins, and in which column; -1 behind the last line. */
  #at = 0;
  #indent = 0;
  #nodes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): PlainYaml {
    this.#line(0);
    if (this.#indent !== 0) notPlain();
    const read = this.#map(0, 0);
    if (this.#indent >= 0) notPlain();
    return { ...read, nodes: this.#nodes };
  }

  /** The first line with content from there on. */
  #line(from: number): void {
    const text = this.#text;
    for (let start = from; start < text.length; ) {
      let at = start;
      while (text.charCodeAt(at) === 32) at += 1;
      const code = text.charCodeAt(at);
      if (at < text.length && code !== 10 && code !== 35) {
        this.#at = at;
        this.#indent = at - start;
        return;
      }
      const end = text.indexOf('\n', at);
      if (end < 0) break;
      start = end + 1;
    }
    this.#at = text.length;
    this.#indent = -1;
  }

  #map(indent: number, depth: number): Read {
    if (depth > depthMax) notPlain();
    this.#nodes += 1;
    const offset = this.#at;
    const value: Record<string, unknown> = Object.create(null);
    const keys = new Map<string, { offset: number; of: Spot }>();
    while (this.#indent === indent) {
      const start = this.#at;
      const name = this.#take(key);
      if (name === null || words.has(name.toLowerCase()) || keys.has(name)) notPlain();
      const read = this.#behindKey(start + name.length + 1, indent, depth);
      value[name] = read.value;
      keys.set(name, { offset: start, of: read.spot });
    }
    if (this.#indent > indent) notPlain();
    return { value, spot: { offset, keys } };
  }

  #behindKey(from: number, indent: number, depth: number): Read {
    const behind = this.#lineEnd(from);
    if (behind === null) return this.#inline(from, indent, depth);
    this.#line(behind);
    if (this.#indent > indent) return this.#block(this.#indent, depth + 1);
    if (this.#indent === indent && this.#isItem()) return this.#list(indent, depth + 1);
    return notPlain();
  }

  #block(indent: number, depth: number): Read {
    return this.#isItem() ? this.#list(indent, depth) : this.#map(indent, depth);
  }

  #isItem(): boolean {
    return this.#text.startsWith('- ', this.#at);
  }

  #list(indent: number, depth: number): Read {
    if (depth > depthMax) notPlain();
    this.#nodes += 1;
    const offset = this.#at;
    const value: unknown[] = [];
    const items: Spot[] = [];
    while (this.#indent === indent && this.#isItem()) {
      let at = this.#at + 1;
      while (this.#text.charCodeAt(at) === 32) at += 1;
      const column = indent + at - this.#at;
      this.#at = at;
      const read = this.#isKey() ? this.#itemMap(column, depth) : this.#inline(at, indent, depth);
      value.push(read.value);
      items.push(read.spot);
    }
    if (this.#indent > indent) notPlain();
    return { value, spot: { offset, items } };
  }

  #itemMap(column: number, depth: number): Read {
    this.#indent = column;
    return this.#map(column, depth + 1);
  }

  #isKey(): boolean {
    key.lastIndex = this.#at;
    return key.test(this.#text);
  }

  /** A value on the rest of the line; nothing of it may stand on the next one. */
  #inline(from: number, indent: number, depth: number): Read {
    let at = from;
    while (this.#text.charCodeAt(at) === 32) at += 1;
    this.#at = at;
    const read = this.#value(depth + 1, false);
    const end = this.#lineEnd(this.#at);
    if (end === null) notPlain();
    this.#line(end);
    if (this.#indent > indent) notPlain();
    return read;
  }

  /** Just behind the line, where nothing but a comment is left of it. */
  #lineEnd(from: number): number | null {
    rest.lastIndex = from;
    return rest.test(this.#text) ? Math.max(rest.lastIndex, from) : null;
  }

  #value(depth: number, inFlow: boolean): Read {
    if (depth > depthMax) notPlain();
    const char = this.#text.charAt(this.#at);
    if (char === '{') return this.#flowMap(depth);
    if (char === '[') return this.#flowList(depth);
    this.#nodes += 1;
    const offset = this.#at;
    if (char === '"' || char === "'") {
      const quoted = this.#take(quotedText);
      if (quoted === null) notPlain();
      this.#at = offset + quoted.length;
      return { value: quoted.slice(1, -1), spot: offset };
    }
    const end = inFlow ? this.#flowWordEnd() : this.#wordEnd();
    const word = this.#text.slice(offset, end).trimEnd();
    if (word === '' || signs.has(char)) notPlain();
    this.#at = offset + word.length;
    return { value: resolved(word), spot: offset };
  }

  #flowMap(depth: number): Read {
    this.#nodes += 1;
    const offset = this.#at;
    const value: Record<string, unknown> = Object.create(null);
    const keys = new Map<string, { offset: number; of: Spot }>();
    this.#skip(1);
    while (this.#text[this.#at] !== '}') {
      const start = this.#at;
      const name = this.#take(flowKey);
      if (name === null || words.has(name.toLowerCase()) || keys.has(name)) notPlain();
      this.#skip(name.length + 1);
      const read = this.#value(depth + 1, true);
      value[name] = read.value;
      keys.set(name, { offset: start, of: read.spot });
      this.#comma('}');
    }
    this.#at += 1;
    return { value, spot: { offset, keys } };
  }

  #flowList(depth: number): Read {
    this.#nodes += 1;
    const offset = this.#at;
    const value: unknown[] = [];
    const items: Spot[] = [];
    this.#skip(1);
    while (this.#text[this.#at] !== ']') {
      const read = this.#value(depth + 1, true);
      value.push(read.value);
      items.push(read.spot);
      this.#comma(']');
    }
    this.#at += 1;
    return { value, spot: { offset, items } };
  }

  /** A comma with something behind it, or the end. */
  #comma(end: string): void {
    this.#skip(0);
    if (this.#text[this.#at] === ',') {
      this.#skip(1);
      if (this.#text[this.#at] === end) notPlain();
    } else if (this.#text[this.#at] !== end) notPlain();
  }

  #skip(count: number): void {
    this.#at += count;
    while (this.#text.charCodeAt(this.#at) === 32) this.#at += 1;
  }

  /** Of a word on a line of its own: up to a comment; a colon with a space behind it makes it something else. */
  #wordEnd(): number {
    const text = this.#text;
    for (let at = this.#at; ; at += 1) {
      const char = text[at];
      if (char === undefined || char === '\n') return at;
      if (char === '#' && text[at - 1] === ' ') return at;
      if (char === ':' && (text[at + 1] ?? '\n') <= ' ') notPlain();
    }
  }

  #flowWordEnd(): number {
    const text = this.#text;
    for (let at = this.#at; ; at += 1) {
      const char = text[at];
      if (char === ',' || char === ']' || char === '}') return at;
      if (char === undefined || '\n[{#"\'`'.includes(char)) notPlain();
      if (char === ':' && ' ,]}\n'.includes(text[at + 1] ?? '\n')) notPlain();
    }
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? null;
  }
}

/** As YAML's core schema has it. Rare forms of numbers are not that plain. */
function resolved(word: string): unknown {
  if (/^[0-9]{1,15}$/.test(word)) return Number(word);
  if (/^(?:[Tt]rue|TRUE|[Ff]alse|FALSE)$/.test(word)) return /^t/i.test(word);
  if (/^(?:~|[Nn]ull|NULL)$/.test(word)) return notPlain();
  const isNumber =
    /^[-+]?(?:[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|\.(?:inf|nan)|\.?[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?)$/i;
  return isNumber.test(word) ? notPlain() : word;
}

/**
 * The plain part of YAML that nearly every site file is written in: block maps and lists of words, numbers, quoted texts
 * without escapes, and braces on one line. Read here in one pass, because the general parser needs a gigabyte for a hundred
 * thousand servers; what is not that plain is left to it, and test/model/plain-yaml.test.ts holds one against the other.
 */
import { once, type Place } from '#base';
import type { SharedItems } from './shared-items.ts';
import type { Path, SourceText } from './yaml.ts';

/**
 * Where a value was written: an offset in the text, with those of its parts. Below zero (`-1 - offset`): braces or brackets
 * whose parts are looked for when somebody asks for them, as nobody does of most of a hundred thousand servers.
 */
export type Spot = number | MapSpot | ListSpot | MovedSpot;

export interface MapSpot {
  readonly offset: number;
  readonly keys: ReadonlyMap<string, { readonly offset: number; readonly of: Spot }>;
}

export interface ListSpot {
  readonly offset: number;
  readonly items: readonly Spot[];
}

/** An item that was read elsewhere, where every offset was less by so much. */
export interface MovedSpot {
  readonly by: number;
  readonly of: Spot;
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

/** Null: it is not that plain. Never throws. @param items of texts that it is compared with. */
export function readPlain(text: string, items: SharedItems | null = null): PlainYaml | null {
  if (/[^\n\x20-\x7e]|^(?:---|\.\.\.|%)/m.test(text)) return null;
  try {
    return new Reader(text, { items }).whole();
  } catch (error) {
    if (error instanceof NotPlain) return null;
    throw error;
  }
}

/** With its places, as the general reader has them. */
export function plainSource({ value, spot }: PlainYaml, text: string, file: string): SourceText {
  const starts = once(() => lineStarts(text));
  // Parts are asked for in their order, most of the time.
  let last = 0;
  const place = (offset: number): Place => {
    const all = starts();
    let [low, high] = [0, all.length];
    if ((all[last] ?? 0) <= offset) [low, high] = [last, Math.min(all.length, last + 2)];
    if ((all[high] ?? Number.POSITIVE_INFINITY) <= offset) high = all.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((all[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    last = low;
    return { file, line: low + 1, column: offset - (all[low] ?? 0) + 1 };
  };
  const offsetOf = (one: Exclude<Spot, MovedSpot>) =>
    typeof one !== 'number' ? one.offset : one < 0 ? -1 - one : one;
  let flow = { at: -1, spot: 0 as Spot };
  const flowAt = (at: number): Spot => {
    if (flow.at !== at) flow = { at, spot: new Reader(text, { allSpots: true }).flowAt(at) };
    return flow.spot;
  };
  const find = (path: Path): { readonly at: number; readonly keyAt: number | null } => {
    let [here, by] = settled(spot, 0);
    let keyAt: number | null = null;
    for (const step of path) {
      keyAt = null;
      if (typeof here === 'number' && here < 0) {
        [here, by] = settled(flowAt(-1 - here + by), 0);
      }
      if (typeof here === 'number') break;
      const below: Spot | undefined =
        'keys' in here
          ? here.keys.get(`${step}`)?.of
          : typeof step === 'number'
            ? here.items[step]
            : undefined;
      if (below === undefined) break;
      const key = 'keys' in here ? here.keys.get(`${step}`) : undefined;
      keyAt = key === undefined ? null : key.offset + by;
      [here, by] = settled(below, by);
    }
    return { at: offsetOf(here) + by, keyAt };
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

/** What was read elsewhere, and by how much it has moved since. */
function settled(spot: Spot, by: number): readonly [Exclude<Spot, MovedSpot>, number] {
  return typeof spot === 'number' || !('by' in spot) ? [spot, by] : settled(spot.of, by + spot.by);
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

class NotPlain extends Error {}

function notPlain(): never {
  throw new NotPlain();
}

const depthMax = 24;
const key = /[A-Za-z_][\w./-]*(?=:(?: |\n|$))/y;
const words = new Set(['null', 'true', 'false', 'y', 'n', 'yes', 'no', 'on', 'off']);
const isWord = (name: string): boolean => name.length <= 5 && words.has(name.toLowerCase());
const code = { space: 32, comma: 44, colon: 58, closingBracket: 93, closingBrace: 125 } as const;

/** Letters and `_`; digits, `.`, `/` and `-` only behind another one. */
function isOfKey(one: number, isBehind: boolean): boolean {
  if ((one >= 97 && one <= 122) || (one >= 65 && one <= 90) || one === 95) return true;
  return isBehind && one >= 45 && one <= 57;
}

const nothing: object = Object.create(null);

/** Without keys that it was not given, as one without a prototype, which engines of JavaScript are slow with. */
const emptyMap = (): Record<string, unknown> => Object.create(nothing);
const rest = / *(?:(?<= )#[^\n]*)?(?:\n|$)/y;
/** Signs that mean something at the beginning of a value. */
const signs = new Set('-?:,[]{}#&*!|>\'"%@`');
const quotedText = /"[^"\\\n]*"|'[^'\n]*'(?!')/y;

interface Reading {
  /** Those within braces and brackets, too. */
  readonly allSpots?: boolean;
  readonly items?: SharedItems | null;
}

class Reader {
  readonly #text: string;
  /** Of the line that is read now: where its content begins, and in which column; -1 behind the last line. */
  #at = 0;
  #indent = 0;
  #nodes = 0;
  readonly #allSpots: boolean;
  readonly #items: SharedItems | null;

  constructor(text: string, { allSpots = false, items = null }: Reading) {
    this.#text = text;
    this.#allSpots = allSpots;
    this.#items = items;
  }

  /** Of braces or brackets that begin there. */
  flowAt(offset: number): Spot {
    this.#at = offset;
    return this.#value(0, true).spot;
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
    const value = emptyMap();
    const keys = new Map<string, { offset: number; of: Spot }>();
    while (this.#indent === indent) {
      const start = this.#at;
      const name = this.#take(key);
      if (name === null || isWord(name) || keys.has(name)) notPlain();
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
      const read =
        depth === 1 && this.#items ? this.#sharedItem(indent, depth, this.#items) : this.#item(indent, depth);
      value.push(read.value);
      items.push(read.spot);
    }
    if (this.#indent > indent) notPlain();
    return { value, spot: { offset, items } };
  }

  #item(indent: number, depth: number): Read {
    let at = this.#at + 1;
    while (this.#text.charCodeAt(at) === 32) at += 1;
    const column = indent + at - this.#at;
    this.#at = at;
    return this.#isKey() ? this.#itemMap(column, depth) : this.#inline(at, indent, depth);
  }

  /** One that ends where the next one begins. Reading it looks no further than there, so of the same text it is the same. */
  #sharedItem(indent: number, depth: number, items: SharedItems): Read {
    const from = this.#at;
    const end = this.#text.indexOf(`\n${' '.repeat(indent)}- `, from) + 1;
    if (end === 0) return this.#item(indent, depth);
    const source = this.#text.slice(from, end);
    const known = items.of(indent, source);
    if (known) {
      this.#at = end + indent;
      this.#nodes += known.nodes;
      return { value: known.value, spot: { by: from - known.from, of: known.spot } };
    }
    const before = this.#nodes;
    const { value, spot } = this.#item(indent, depth);
    if (this.#at === end + indent)
      items.add(indent, source, { value, spot, from, nodes: this.#nodes - before });
    return { value, spot };
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
    const value = emptyMap();
    const keys = this.#allSpots ? new Map<string, { offset: number; of: Spot }>() : null;
    this.#skip(1);
    while (this.#text.charCodeAt(this.#at) !== code.closingBrace) {
      const start = this.#at;
      const name = this.#flowKey();
      if (isWord(name) || name in value) notPlain();
      this.#skip(name.length + 1);
      const read = this.#value(depth + 1, true);
      value[name] = read.value;
      keys?.set(name, { offset: start, of: read.spot });
      this.#comma(code.closingBrace);
    }
    this.#at += 1;
    return { value, spot: keys ? { offset, keys } : -1 - offset };
  }

  #flowList(depth: number): Read {
    this.#nodes += 1;
    const offset = this.#at;
    const value: unknown[] = [];
    const items: Spot[] | null = this.#allSpots ? [] : null;
    this.#skip(1);
    while (this.#text.charCodeAt(this.#at) !== code.closingBracket) {
      const read = this.#value(depth + 1, true);
      value.push(read.value);
      items?.push(read.spot);
      this.#comma(code.closingBracket);
    }
    this.#at += 1;
    return { value, spot: items ? { offset, items } : -1 - offset };
  }

  /** With a colon and a space behind it. */
  #flowKey(): string {
    const text = this.#text;
    let at = this.#at;
    while (isOfKey(text.charCodeAt(at), at > this.#at)) at += 1;
    if (at === this.#at || text.charCodeAt(at) !== code.colon || text.charCodeAt(at + 1) !== code.space)
      notPlain();
    return text.slice(this.#at, at);
  }

  /** A comma with something behind it, or the end. */
  #comma(end: number): void {
    this.#skip(0);
    const here = this.#text.charCodeAt(this.#at);
    if (here === code.comma) {
      this.#skip(1);
      if (this.#text.charCodeAt(this.#at) === end) notPlain();
    } else if (here !== end) notPlain();
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
      const here = text.charCodeAt(at);
      if (here === code.comma || here === code.closingBracket || here === code.closingBrace) return at;
      // Most of a word.
      if (isOfKey(here, true)) continue;
      if (Number.isNaN(here) || '\n[{#"\'`'.includes(text.charAt(at))) notPlain();
      if (here === code.colon && ' ,]}\n'.includes(text[at + 1] ?? '\n')) notPlain();
    }
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0] ?? null;
  }
}

/** As YAML's core schema has it. Rare forms of numbers are not that plain. */
function resolved(word: string): unknown {
  if (!/^[-+.0-9~tfn]/i.test(word)) return word;
  if (/^[0-9]{1,15}$/.test(word)) return Number(word);
  if (/^(?:[Tt]rue|TRUE|[Ff]alse|FALSE)$/.test(word)) return /^t/i.test(word);
  if (/^(?:~|[Nn]ull|NULL)$/.test(word)) return notPlain();
  const isNumber =
    /^[-+]?(?:[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+|\.(?:inf|nan)|\.?[0-9]+(?:\.[0-9]*)?(?:e[-+]?[0-9]+)?)$/i;
  return isNumber.test(word) ? notPlain() : word;
}

import type { Regex } from '../language.ts';
import { type ByteSet, bothCases, byteRange, bytesOf, complement, escapedClasses } from './bytes.ts';
import { readClass } from './class.ts';
import { Complex, Reader } from './reader.ts';

/** An expression as a tree; what is not in here is `complex`. Letters of both cases are already in the sets. */
export type Node =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'sequence' | 'either'; readonly of: readonly Node[] }
  | {
      readonly kind: 'repeat';
      readonly of: Node;
      readonly min: number;
      readonly max: number | null;
      readonly greed: 'greedy' | 'lazy' | 'possessive';
    }
  | { readonly kind: 'group'; readonly number: number; readonly of: Node }
  | { readonly kind: 'atomic'; readonly of: Node }
  /** `lineEnd` is `$`: at the end, or before a newline at the end. */
  | { readonly kind: 'start' | 'end' | 'lineEnd' | 'wordEdge' | 'noWordEdge' }
  | { readonly kind: 'look'; readonly behind: boolean; readonly negative: boolean; readonly of: Node }
  | { readonly kind: 'again'; readonly group: number };

/** What stands directly in it. */
export function partsOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'sequence':
    case 'either':
      return node.of;
    case 'repeat':
    case 'group':
    case 'atomic':
    case 'look':
      return [node.of];
    default:
      return [];
  }
}

/** Whether it may take nothing. */
export function canBeEmpty(node: Node): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'sequence':
      return node.of.every(canBeEmpty);
    case 'either':
      return node.of.some(canBeEmpty);
    case 'repeat':
      return node.min === 0 || canBeEmpty(node.of);
    case 'group':
    case 'atomic':
      return canBeEmpty(node.of);
    default:
      return true;
  }
}

export interface Parsed {
  readonly node: Node;
  readonly groups: number;
  readonly names: ReadonlyMap<string, number>;
}

interface Flags {
  readonly i: boolean;
  readonly s: boolean;
  readonly x: boolean;
  readonly m: boolean;
}

const sourceLengthMax = 20_000;
const depthMax = 100;
const countMax = 1_000;
const known = new Map<string, Parsed | null>();
const knownMax = 20_000;

/** Null: it has something that is not known here, or is wrong; whoever meets it says `complex`. */
export function parseRegex({ source, ignoreCase, syntax }: Regex): Parsed | null {
  const key = `${syntax}${ignoreCase ? 'i' : 's'}${source}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= knownMax) known.clear();
  const parsed = parse(source, ignoreCase, syntax);
  known.set(key, parsed);
  return parsed;
}

function parse(source: string, ignoreCase: boolean, syntax: 'pcre' | 'posix'): Parsed | null {
  if (source.length > sourceLengthMax) return null;
  try {
    const parser = new Parser(source, syntax);
    const node = parser.either({ i: ignoreCase, s: false, x: false, m: false }, 0);
    if (parser.reader.rest() !== '') return null;
    return { node, groups: parser.groups, names: parser.names };
  } catch (error) {
    if (error instanceof Complex) return null;
    throw error;
  }
}

const anyByte = byteRange(0, 255);
const notNewline = complement(bytesOf('\n'));

class Parser {
  readonly reader: Reader;
  readonly names = new Map<string, number>();
  readonly #syntax: 'pcre' | 'posix';
  groups = 0;
  readonly #closed = new Set<number>();

  constructor(source: string, syntax: 'pcre' | 'posix') {
    this.reader = new Reader(source);
    this.#syntax = syntax;
  }

  either(outer: Flags, depth: number): Node {
    if (depth > depthMax) throw new Complex();
    const ways: Node[] = [];
    let flags = outer;
    do {
      const [way, after] = this.sequence(flags, depth);
      ways.push(way);
      // `(?i)` holds to the end of the group, also behind `|`.
      flags = after;
    } while (this.reader.take('|'));
    const [only] = ways;
    return ways.length === 1 && only ? only : { kind: 'either', of: ways };
  }

  sequence(outer: Flags, depth: number): readonly [Node, Flags] {
    const of: Node[] = [];
    let flags = outer;
    while (!this.reader.done() && !this.reader.looksAt('|') && !this.reader.looksAt(')')) {
      if (flags.x && this.reader.skipLayout()) continue;
      const inline = this.reader.match(/\(\?([imsx]*)(?:-([imsx]+))?\)/y);
      if (inline) {
        flags = changed(flags, inline[1] ?? '', inline[2] ?? '');
        continue;
      }
      if (this.reader.match(/\(\?#[^)]*\)/y)) continue;
      of.push(...this.#quoted(flags), ...this.#piece(flags, depth));
    }
    return [of.length === 1 && of[0] ? of[0] : { kind: 'sequence', of }, flags];
  }

  /** `\Q...\E`, all of it but what a quantifier behind it takes. */
  #quoted(flags: Flags): Node[] {
    const found = this.reader.match(/\\Q([\s\S]*?)(?:\\E|$)/y);
    if (!found) return [];
    if (/^[*+?{]/.test(this.reader.rest())) throw new Complex();
    return [...(found[1] ?? '')].map((char) => this.#set(bytesOf(char), flags));
  }

  #piece(flags: Flags, depth: number): Node[] {
    if (this.reader.done() || this.reader.looksAt('|') || this.reader.looksAt(')')) return [];
    if (this.reader.match(/\\E/y)) return [];
    let node = this.#atom(flags, depth);
    for (;;) {
      if (flags.x) while (this.reader.skipLayout());
      const repeated = this.#repeat(node);
      if (repeated === null) return [node];
      node = repeated;
    }
  }

  #repeat(of: Node): Node | null {
    const found = this.reader.match(/([*+?]|\{\d+(?:,\d*)?\})/y)?.[1];
    if (found === undefined) return null;
    const [min, max] = countsOf(found);
    if (min > countMax || (max ?? 0) > countMax || (max !== null && max < min)) throw new Complex();
    const mark = this.#syntax === 'pcre' ? (this.reader.match(/[?+]/y)?.[0] ?? '') : '';
    const greed = mark === '?' ? 'lazy' : mark === '+' ? 'possessive' : 'greedy';
    return { kind: 'repeat', of, min, max, greed };
  }

  #atom(flags: Flags, depth: number): Node {
    const { reader } = this;
    if (reader.looksAt('(')) return this.#group(flags, depth);
    if (reader.looksAt('['))
      return { kind: 'set', set: readClass(reader, { syntax: this.#syntax, ignoreCase: flags.i }) };
    if (reader.looksAt('\\')) return this.#escape(flags);
    const char = reader.next();
    if (char === '.') return { kind: 'set', set: flags.s ? anyByte : notNewline };
    if (char === '^' || char === '$') {
      if (flags.m) throw new Complex();
      return { kind: char === '^' ? 'start' : this.#syntax === 'posix' ? 'end' : 'lineEnd' };
    }
    if (char === '*' || char === '+' || char === '?') throw new Complex();
    if (char.charCodeAt(0) > 255) throw new Complex();
    return this.#set(bytesOf(char), flags);
  }

  #set(set: ByteSet, flags: Flags): Node {
    return { kind: 'set', set: flags.i ? bothCases(set) : set };
  }

  #group(flags: Flags, depth: number): Node {
    const { reader } = this;
    const opened = reader.match(
      /\((?:\?(?:(<?[=!])|(>)|(:)|([imsx]*(?:-[imsx]+)?):|P?<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')|(?![?*]))/y,
    );
    if (!opened || (opened[0] !== '(' && this.#syntax === 'posix')) throw new Complex();
    const [whole, look, atomic, , inline, angled, quoted] = opened;
    const name = angled ?? quoted;
    const captures = whole === '(' || name !== undefined;
    const number = captures ? ++this.groups : 0;
    if (name !== undefined) {
      if (this.names.has(name)) throw new Complex();
      this.names.set(name, number);
    }
    const [on = '', off = ''] = (inline ?? '').split('-');
    const of = this.either(changed(flags, on, off), depth + 1);
    if (!reader.take(')')) throw new Complex();
    if (look) return { kind: 'look', behind: look.startsWith('<'), negative: look.endsWith('!'), of };
    if (atomic) return { kind: 'atomic', of };
    this.#closed.add(number);
    return captures ? { kind: 'group', number, of } : { kind: 'sequence', of: [of] };
  }

  #escape(flags: Flags): Node {
    const { reader } = this;
    if (this.#syntax === 'posix' && /^\\[A-Za-z0-9]/.test(reader.rest())) throw new Complex();
    if (reader.match(/\\A/y)) return { kind: 'start' };
    if (reader.match(/\\z/y)) return { kind: 'end' };
    if (reader.match(/\\Z/y)) return { kind: 'lineEnd' };
    if (reader.match(/\\b/y)) return { kind: 'wordEdge' };
    if (reader.match(/\\B/y)) return { kind: 'noWordEdge' };
    const again = reader.match(/\\(?:([1-9])(?!\d)|g\{?([1-9])\}?|k(?:<(\w+)>|\{(\w+)\}|'(\w+)'))/y);
    if (again) return this.#again(again, flags);
    const name = reader.match(/\\([dDwWsShHvVN])/y)?.[1];
    const set = name === undefined ? undefined : escapedClasses[name];
    if (set) return { kind: 'set', set };
    return this.#set(byteRange(...twice(reader.escapedByte())), flags);
  }

  #again(found: RegExpExecArray, flags: Flags): Node {
    // Which letters are the same without case is not said by sets here.
    if (flags.i) throw new Complex();
    const name = found[3] ?? found[4] ?? found[5];
    const group = name === undefined ? Number(found[1] ?? found[2]) : this.names.get(name);
    if (group === undefined || !this.#closed.has(group)) throw new Complex();
    return { kind: 'again', group };
  }
}

const twice = (code: number): [number, number] => [code, code];

function countsOf(found: string): readonly [number, number | null] {
  if (found === '*') return [0, null];
  if (found === '+') return [1, null];
  if (found === '?') return [0, 1];
  const [min = '', max] = found.slice(1, -1).split(',');
  if (max === undefined) return [Number(min), Number(min)];
  return [Number(min), max === '' ? null : Number(max)];
}

function changed(flags: Flags, on: string, off: string): Flags {
  const now = (flag: keyof Flags) => (on.includes(flag) || flags[flag]) && !off.includes(flag);
  return { i: now('i'), s: now('s'), x: now('x'), m: now('m') };
}

import { hostInRegex, type Language } from '../language.ts';
import { spend } from './budget.ts';
import { machineOf } from './languages.ts';
import { type Machine, product, relabelled } from './machine.ts';

/** Sets of numbers as labels: which of many are so of a value. Label 0 is the empty set. */
export class LabelSets {
  readonly #numbers = new Map<string, number>([['', 0]]);
  readonly #sets: (readonly number[])[] = [[]];
  readonly #unions = new Map<number, number>();

  of(label: number): readonly number[] {
    return this.#sets[label] ?? [];
  }

  number(set: readonly number[]): number {
    const key = set.join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#sets.length);
    return this.#sets.push(set) - 1;
  }

  union(a: number, b: number): number {
    if (a === b || b === 0) return a;
    if (a === 0) return b;
    const pair = Math.min(a, b) * 2 ** 26 + Math.max(a, b);
    const known = this.#unions.get(pair);
    if (known !== undefined) return known;
    const [one, other] = [this.of(a), this.of(b)];
    spend(one.length + other.length);
    const set = [...new Set([...one, ...other])].sort((x, y) => x - y);
    const label = this.number(set);
    this.#unions.set(pair, label);
    return label;
  }
}

const productStatesMax = 8_000;

export interface Numbered {
  readonly number: number;
  readonly language: Language;
}

/** Tells apart which of many languages a value is in: thousands of texts as one trie. Throws `TooComplex`. */
export function classifierOf(given: readonly Numbered[], sets: LabelSets): Machine | null {
  const all = given.flatMap(alternatives);
  const machines: Machine[] = [];
  for (const ignoreCase of [false, true]) {
    const texts = all.filter((one) => isText(one.language, ignoreCase));
    const fronts = texts.filter(({ language }) => language.kind !== 'ends');
    const ends = texts.filter(({ language }) => language.kind === 'ends');
    if (fronts.length > 0) machines.push(fold(frontTrie(fronts, ignoreCase, sets), ignoreCase));
    if (ends.length > 0) machines.push(fold(suffixTrie(ends, ignoreCase, sets), ignoreCase));
    const hosts = all.flatMap((one) => hostOf(one, ignoreCase));
    if (hosts.length > 0) machines.push(fold(hostTrie(hosts, ignoreCase, sets), ignoreCase));
  }
  for (const { number, language } of all) {
    if (isText(language, true) || isText(language, false) || isHost(language)) continue;
    const label = sets.number([number]);
    machines.push(relabelled(machineOf(language), (one) => (one === 1 ? label : 0)));
  }
  return together(machines, sets);
}

/** Texts of which one is enough stand in the tries one by one. */
function alternatives(one: Numbered): readonly Numbered[] {
  const { number, language } = one;
  if (language.kind !== 'union' || !language.of.every((part) => isText(part, true) || isText(part, false)))
    return [one];
  return language.of.map((part) => ({ number, language: part }));
}

/** All read at once, the small ones first. Null: there are none. */
export function together(machines: readonly Machine[], sets: LabelSets): Machine | null {
  const [first, ...rest] = [...machines].sort((a, b) => a.labels.length - b.labels.length);
  if (!first) return null;
  // Tries of the same texts grow by what they differ in; whatever multiplies is too much soon.
  const read = machines.reduce((sum, { labels }) => sum + labels.length, 0);
  const limit = Math.max(productStatesMax, 3 * read);
  return rest.reduce((a, b) => product(a, b, (x, y) => sets.union(x, y), limit), first);
}

type OfText = Extract<Language, { kind: 'is' | 'begins' | 'ends' | 'contains' }>;

function isText(language: Language, ignoreCase: boolean): language is OfText {
  return (
    ['is', 'begins', 'ends'].includes(language.kind) &&
    'ignoreCase' in language &&
    language.ignoreCase === ignoreCase
  );
}

/** Expressions that take one host with, perhaps, a port: thousands of them together are no more than one. */
const isHost = (language: Language): language is Extract<Language, { kind: 'matches' }> =>
  language.kind === 'matches' && language.regex.syntax === 'pcre' && hostInRegex(language.regex) !== null;

function hostOf({ number, language }: Numbered, ignoreCase: boolean): readonly Numbered[] {
  if (!isHost(language) || language.regex.ignoreCase !== ignoreCase) return [];
  return [{ number, language: { kind: 'is', text: hostInRegex(language.regex) ?? '', ignoreCase } }];
}

const lowerCode = (code: number) => (code >= 65 && code <= 90 ? code + 32 : code);

function fold(machine: Machine, ignoreCase: boolean): Machine {
  if (!ignoreCase) return machine;
  return {
    ...machine,
    classes: Uint8Array.from({ length: 256 }, (_, code) => machine.classes[lowerCode(code)] ?? 0),
  };
}

interface TrieNode {
  readonly out: Map<number, TrieNode>;
  readonly numbers: number[];
  readonly beginning: number[];
  id: number;
  label: number;
  fail: TrieNode | null;
}

const node = (): TrieNode => ({ out: new Map(), numbers: [], beginning: [], id: 0, label: 0, fail: null });

function trieOf(
  all: readonly Numbered[],
  ignoreCase: boolean,
): { readonly root: TrieNode; readonly nodes: TrieNode[] } {
  const root = node();
  for (const { number, language } of all) {
    if (!('text' in language)) continue;
    let at = root;
    for (let i = 0; i < language.text.length; i += 1) {
      const code = language.text.charCodeAt(i);
      const key = ignoreCase ? lowerCode(code) : code;
      const below = at.out.get(key) ?? node();
      at.out.set(key, below);
      at = below;
    }
    (language.kind === 'begins' ? at.beginning : at.numbers).push(number);
  }
  const nodes = [root];
  for (let i = 0; i < nodes.length; i += 1) {
    const at = nodes[i];
    if (!at) continue;
    at.id = i;
    nodes.push(...at.out.values());
  }
  return { root, nodes };
}

/** A column for each byte that is in a text, and one for all others. */
function bytesIn(
  nodes: readonly TrieNode[],
  more: readonly number[] = [],
): {
  readonly classes: Uint8Array;
  readonly bytes: readonly number[];
} {
  const bytes = [...new Set([...more, ...nodes.flatMap(({ out }) => [...out.keys()])])].sort((a, b) => a - b);
  // 256 columns have no room for the others, and need none.
  const shift = bytes.length > 255 ? 0 : 1;
  const classes = new Uint8Array(256);
  for (const [index, code] of bytes.entries()) classes[code] = index + shift;
  return { classes, bytes: shift === 1 ? [-1, ...bytes] : bytes };
}

/** `is` and `begins`: once a value has left the texts, only what it began with is so of it. */
function frontTrie(all: readonly Numbered[], ignoreCase: boolean, sets: LabelSets): Machine {
  const { nodes } = trieOf(all, ignoreCase);
  const { classes, bytes } = bytesIn(nodes);
  const width = bytes.length;
  const begun: number[] = [];
  const outside = new Map<number, number>();
  const exitOf = (label: number) => {
    const known = outside.get(label) ?? nodes.length + outside.size;
    outside.set(label, known);
    return known;
  };
  begun[0] = sets.number([...new Set(nodes[0]?.beginning ?? [])].sort((a, b) => a - b));
  for (const one of nodes)
    for (const below of one.out.values())
      begun[below.id] = sets.union(
        begun[one.id] ?? 0,
        sets.number([...new Set(below.beginning)].sort((a, b) => a - b)),
      );
  const rows: number[][] = nodes.map((one) =>
    bytes.map((code) => one.out.get(code)?.id ?? exitOf(begun[one.id] ?? 0)),
  );
  const labels = nodes.map((one) =>
    sets.union(begun[one.id] ?? 0, sets.number([...new Set(one.numbers)].sort((a, b) => a - b))),
  );
  for (const [label, id] of outside) {
    rows.push(new Array<number>(width).fill(id));
    labels.push(label);
  }
  return {
    classes,
    width,
    table: flatten(rows, width),
    start: 0,
    labels: Int32Array.from(labels),
    absent: 0,
  };
}

const [newLine, colon, zero, nine] = [10, 58, 48, 57];

/** A host, then perhaps a colon with digits, then perhaps the end of a line: `$` of PCRE stands before that, too. */
function hostTrie(all: readonly Numbered[], ignoreCase: boolean, sets: LabelSets): Machine {
  const { nodes } = trieOf(all, ignoreCase);
  const digits = Array.from({ length: nine - zero + 1 }, (_, digit) => zero + digit);
  const { classes, bytes } = bytesIn(nodes, [newLine, colon, ...digits]);
  const width = bytes.length;
  const own = nodes.map((one) => sets.number([...new Set(one.numbers)].sort((a, b) => a - b)));
  const dead = nodes.length;
  const hosts = [...new Set(own.filter((label) => label !== 0))];
  const portOf = new Map(hosts.map((label, index) => [label, dead + 1 + 2 * index]));
  const rowOf = (to: (code: number) => number | undefined) => bytes.map((code) => to(code) ?? dead);
  const behind = (port: number | undefined, code: number) =>
    code === newLine && port ? port + 1 : undefined;
  const rows = nodes.map((one, index) => {
    const port = portOf.get(own[index] ?? 0);
    return rowOf((code) => one.out.get(code)?.id ?? (code === colon ? port : behind(port, code)));
  });
  rows.push(rowOf(() => dead));
  for (const port of portOf.values())
    rows.push(
      rowOf((code) => (code >= zero && code <= nine ? port : behind(port, code))),
      rowOf(() => dead),
    );
  const labels = [...own, 0, ...hosts.flatMap((label) => [label, label])];
  return {
    classes,
    width,
    table: flatten(rows, width),
    start: 0,
    labels: Int32Array.from(labels),
    absent: 0,
  };
}

function flatten(rows: readonly (readonly number[])[], width: number): Int32Array {
  const table = new Int32Array(rows.length * width);
  for (const [index, row] of rows.entries()) table.set(row, index * width);
  return table;
}

/** `ends`: at each place the longest beginning of a text that ends there. */
function suffixTrie(all: readonly Numbered[], ignoreCase: boolean, sets: LabelSets): Machine {
  const { root, nodes } = trieOf(all, ignoreCase);
  const { classes, bytes } = bytesIn(nodes);
  const width = bytes.length;
  const table = new Int32Array(nodes.length * width);
  for (const one of nodes) {
    const own = sets.number([...new Set(one.numbers)].sort((a, b) => a - b));
    one.label = one === root ? own : sets.union(own, one.fail?.label ?? 0);
    for (const [column, code] of bytes.entries()) {
      const below = one.out.get(code);
      const failed = one === root ? 0 : (table[(one.fail?.id ?? 0) * width + column] ?? 0);
      if (below) below.fail = one === root ? root : (nodes[failed] ?? root);
      table[one.id * width + column] = below ? below.id : failed;
    }
  }
  return { classes, width, table, start: 0, labels: Int32Array.from(nodes, ({ label }) => label), absent: 0 };
}

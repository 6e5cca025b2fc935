import type { Regex } from '../language.ts';
import type { ByteSet } from './bytes.ts';
import { canBeEmpty, type Node, parseRegex, partsOf } from './parse.ts';

/** An expression of an engine as one of JavaScript, over byte strings. */
export interface Script {
  /** Sticky and global are off. Groups of the engine are named `g1`, `g2`, ... */
  readonly regex: RegExp;
  /** The number of a group, or null where there is none such, or where JavaScript forgets what PCRE keeps of it. */
  groupOf(group: number | string): number | null;
}

const known = new Map<string, Script | null>();
const knownMax = 20_000;

/** Null: `complex`. */
export function scriptOf(regex: Regex): Script | null {
  const key = `${regex.syntax}${regex.ignoreCase ? 'i' : 's'}${regex.source}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= knownMax) known.clear();
  const script = translate(regex);
  known.set(key, script);
  return script;
}

function translate(regex: Regex): Script | null {
  const parsed = parseRegex(regex);
  if (parsed === null) return null;
  const forgotten = groupsInside(parsed.node, mayForget, false);
  // PCRE: a group that took nothing matches nothing; JavaScript: it matches the empty text.
  if (usesAgain(parsed.node, groupsInside(parsed.node, mayTakeNothing, false))) return null;
  // A turn that takes nothing ends a repetition of PCRE; JavaScript looks for one that takes something.
  const mayDiffer = someIn(parsed.node, mayTurnInVain);
  if (mayDiffer && someIn(parsed.node, keepsWhatItTook)) return null;
  // POSIX takes the longest match and JavaScript the first: what a group takes may not be the same.
  const sure = (number: number) => regex.syntax === 'pcre' && !forgotten.has(number);
  try {
    return {
      regex: new RegExp(new Printer().print(parsed.node)),
      groupOf(group) {
        const number = typeof group === 'number' ? group : parsed.names.get(group);
        if (number === undefined || number > parsed.groups || mayDiffer) return null;
        return number === 0 ? (regex.syntax === 'pcre' ? 0 : null) : sure(number) ? number : null;
      },
    };
  } catch {
    return null;
  }
}

/** JavaScript forgets a group at each turn of a repetition around it, PCRE keeps the last that took something. */
const mayForget = (node: Node) => (node.kind === 'repeat' && node.max !== 1) || node.kind === 'look';
const mayTakeNothing = (node: Node) =>
  (node.kind === 'repeat' && node.min === 0) || node.kind === 'either' || mayForget(node);

const mayTurnInVain = (node: Node) =>
  node.kind === 'repeat' && node.min !== node.max && canBeEmpty(node.of) && someIn(node.of, prefersNothing);

/** It tries to take nothing before it tries to take something. */
function prefersNothing(node: Node): boolean {
  if (node.kind === 'repeat') return node.greed === 'lazy' && node.min === 0;
  return node.kind === 'either' && node.of.slice(0, -1).some(canBeEmpty);
}

const keepsWhatItTook = (node: Node) =>
  node.kind === 'atomic' || (node.kind === 'repeat' && node.greed === 'possessive');

const someIn = (node: Node, is: (node: Node) => boolean): boolean =>
  is(node) || partsOf(node).some((one) => someIn(one, is));

function groupsInside(node: Node, kind: (node: Node) => boolean, inside: boolean): Set<number> {
  const within = inside || kind(node);
  const found = new Set(partsOf(node).flatMap((one) => [...groupsInside(one, kind, within)]));
  return node.kind === 'group' && inside ? found.add(node.number) : found;
}

function usesAgain(node: Node, groups: ReadonlySet<number>): boolean {
  if (node.kind === 'again') return groups.has(node.group);
  return partsOf(node).some((one) => usesAgain(one, groups));
}

class Printer {
  #atoms = 0;

  print(node: Node): string {
    switch (node.kind) {
      case 'set':
        return printSet(node.set);
      case 'sequence':
        return node.of
          .map((one) => (one.kind === 'either' ? `(?:${this.print(one)})` : this.print(one)))
          .join('');
      case 'either':
        return node.of.map((one) => this.print(one)).join('|');
      case 'repeat':
        return this.#repeat(node);
      case 'group':
        return `(?<g${node.number}>${this.print(node.of)})`;
      case 'atomic':
        return this.#atomic(this.print(node.of));
      case 'start':
        return '^';
      case 'end':
        return '$';
      case 'lineEnd':
        return '(?=\\n?$)';
      case 'wordEdge':
        return '\\b';
      case 'noWordEdge':
        return '\\B';
      case 'look':
        return `(?${node.behind ? '<' : ''}${node.negative ? '!' : '='}${this.print(node.of)})`;
      case 'again':
        return `\\k<g${node.group}>`;
    }
  }

  #repeat({ of, min, max, greed }: Node & { kind: 'repeat' }): string {
    const counts = `{${min},${max ?? ''}}`;
    const body = `(?:${this.print(of)})${counts}`;
    if (greed === 'possessive') return this.#atomic(body);
    return greed === 'lazy' ? `${body}?` : body;
  }

  /** What a look-ahead found is not tried again. */
  #atomic(body: string): string {
    this.#atoms += 1;
    return `(?=(?<a${this.#atoms}>${body}))\\k<a${this.#atoms}>`;
  }
}

function printSet(set: ByteSet): string {
  const codes = [...set.keys()].filter((code) => set[code]);
  const [only] = codes;
  if (codes.length === 1 && only !== undefined) return escaped(only);
  const ranges: string[] = [];
  for (let i = 0; i < codes.length; i += 1) {
    const from = codes[i] ?? 0;
    while (codes[i + 1] === (codes[i] ?? 0) + 1) i += 1;
    ranges.push(`${escaped(from)}-${escaped(codes[i] ?? 0)}`);
  }
  return `[${ranges.join('')}]`;
}

function escaped(code: number): string {
  const char = String.fromCharCode(code);
  return /[A-Za-z0-9/]/.test(char) ? char : `\\x${code.toString(16).padStart(2, '0')}`;
}

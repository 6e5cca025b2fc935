import { type ByteSet, bytesOf, type Node, union } from '../regex/index.ts';
import { TooComplex } from './machine.ts';

/** An expression as steps for many threads, in the order in which an engine tries its ways. */
export type Instruction =
  | { readonly kind: 'set'; readonly set: ByteSet }
  /** The first way is tried first. */
  | { readonly kind: 'split'; readonly ways: readonly number[] }
  | { readonly kind: 'open' | 'close'; readonly group: number }
  | { readonly kind: 'start' | 'end' | 'wordEdge' | 'noWordEdge' }
  | { readonly kind: 'match' };

export interface Program {
  readonly instructions: readonly Instruction[];
  readonly hasWordEdges: boolean;
  readonly hasLineEnds: boolean;
}

const instructionsMax = 5_000;
const newline = bytesOf('\n');
export const wordBytes = union(
  bytesOf('abcdefghijklmnopqrstuvwxyz'),
  bytesOf('ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_'),
);

/** @param strictEnd `$` is the end only, not before a newline there: for whoever leaves newlines out. */
export function compile(node: Node, strictEnd: boolean): Program {
  const compiler = new Compiler(strictEnd);
  compiler.add(node);
  compiler.emit({ kind: 'match' });
  const { instructions, hasLineEnds } = compiler;
  const hasWordEdges = instructions.some(({ kind }) => kind === 'wordEdge' || kind === 'noWordEdge');
  return { instructions, hasWordEdges, hasLineEnds };
}

class Compiler {
  readonly instructions: Instruction[] = [];
  readonly #strictEnd: boolean;
  hasLineEnds = false;

  constructor(strictEnd: boolean) {
    this.#strictEnd = strictEnd;
  }

  emit(instruction: Instruction): number {
    if (this.instructions.length >= instructionsMax) throw new TooComplex();
    return this.instructions.push(instruction) - 1;
  }

  add(node: Node): void {
    switch (node.kind) {
      case 'set':
        this.emit(node);
        return;
      case 'sequence':
        for (const [index, one] of node.of.entries()) {
          // What `$` looks at is read here: nothing may read it once more.
          if (!this.#strictEnd && hasLineEnd(one) && node.of.slice(index + 1).some(reads))
            throw new TooComplex();
          this.add(one);
        }
        return;
      case 'either':
        this.#either(node.of.map((one) => () => this.add(one)));
        return;
      case 'group':
        this.emit({ kind: 'open', group: node.number });
        this.add(node.of);
        this.emit({ kind: 'close', group: node.number });
        return;
      case 'repeat':
        this.#repeat(node);
        return;
      case 'lineEnd':
        this.#lineEnd();
        return;
      case 'start':
      case 'end':
      case 'wordEdge':
      case 'noWordEdge':
        this.emit({ kind: node.kind });
        return;
      default:
        throw new TooComplex();
    }
  }

  #lineEnd(): void {
    this.hasLineEnds = true;
    if (this.#strictEnd) {
      this.emit({ kind: 'end' });
      return;
    }
    this.#either([
      () => this.emit({ kind: 'end' }),
      () => {
        this.emit({ kind: 'set', set: newline });
        this.emit({ kind: 'end' });
      },
    ]);
  }

  #either(ways: readonly (() => void)[]): void {
    const split = this.emit({ kind: 'match' });
    const begins: number[] = [];
    const jumps: number[] = [];
    for (const way of ways) {
      begins.push(this.instructions.length);
      way();
      jumps.push(this.emit({ kind: 'match' }));
    }
    this.instructions[split] = { kind: 'split', ways: begins };
    for (const jump of jumps) this.#jump(jump, this.instructions.length);
  }

  #jump(at: number, to: number): void {
    this.instructions[at] = { kind: 'split', ways: [to] };
  }

  #repeat({ of, min, max, greed }: Node & { kind: 'repeat' }): void {
    if (greed === 'possessive') throw new TooComplex();
    for (let i = 0; i < min; i += 1) this.add(of);
    const ways = (into: number, past: number) => (greed === 'lazy' ? [past, into] : [into, past]);
    if (max === null) {
      const split = this.emit({ kind: 'match' });
      this.add(of);
      this.#jump(this.emit({ kind: 'match' }), split);
      this.instructions[split] = { kind: 'split', ways: ways(split + 1, this.instructions.length) };
      return;
    }
    const splits: number[] = [];
    for (let i = min; i < max; i += 1) {
      splits.push(this.emit({ kind: 'match' }));
      this.add(of);
    }
    for (const split of splits)
      this.instructions[split] = { kind: 'split', ways: ways(split + 1, this.instructions.length) };
  }
}

function hasLineEnd(node: Node): boolean {
  if (node.kind === 'lineEnd') return true;
  if (node.kind === 'sequence' || node.kind === 'either') return node.of.some(hasLineEnd);
  if (node.kind === 'group' || node.kind === 'repeat') return hasLineEnd(node.of);
  return false;
}

function reads(node: Node): boolean {
  if (node.kind === 'set') return true;
  if (node.kind === 'sequence' || node.kind === 'either') return node.of.some(reads);
  if (node.kind === 'group' || node.kind === 'repeat') return reads(node.of);
  return false;
}

/** What is so between two bytes. Null: the value begins or ends there. */
export interface Between {
  readonly before: number | null;
  readonly after: number | null;
}

export function isEdge({ before, after }: Between): boolean {
  const isWord = (code: number | null) => code !== null && wordBytes[code] === 1;
  return isWord(before) !== isWord(after);
}

export function passes(kind: 'start' | 'end' | 'wordEdge' | 'noWordEdge', between: Between): boolean {
  if (kind === 'start') return between.before === null;
  if (kind === 'end') return between.after === null;
  return isEdge(between) === (kind === 'wordEdge');
}

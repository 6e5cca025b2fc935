import type { Node } from '../regex/index.ts';
import { columnsOf, explore, type Machine, minimised, TooComplex } from './machine.ts';
import { type Between, compile, type Program, passes, wordBytes } from './program.ts';

const searchStatesMax = 5_000;

/** Whether an expression matches somewhere. Throws `TooComplex`. */
export function searchMachine(node: Node): Machine {
  const program = compile(node, false);
  const { classes, width, bytes } = columnsOf([], setsOf(program));
  const states = new States();
  const found = states.number(['found']);
  const machine = explore(
    { classes, width },
    states.number(['', 'first']),
    (state, column) => {
      if (state === found) return found;
      const { threads, before } = states.of(state);
      const code = bytes[column] ?? 0;
      const closed = close(program, threads, { before, after: code });
      if (closed === null) return found;
      const moved = closed.filter((at) => {
        const instruction = program.instructions[at];
        return instruction?.kind === 'set' && instruction.set[code] === 1;
      });
      const nextThreads = [...new Set(moved.map((at) => at + 1))].sort((a, b) => a - b);
      return states.number([nextThreads.join(), contextOf(program, code)]);
    },
    (state) => {
      if (state === found) return 1;
      const { threads, before } = states.of(state);
      return close(program, threads, { before, after: null }) === null ? 1 : 0;
    },
    0,
    searchStatesMax,
  );
  return minimised(machine);
}

function setsOf({ instructions, hasWordEdges }: Program): Uint8Array[] {
  const sets = instructions.flatMap((one) => (one.kind === 'set' ? [one.set] : []));
  return hasWordEdges ? [...sets, wordBytes] : sets;
}

/** All that has to be remembered of the byte before. */
function contextOf({ hasWordEdges }: Program, code: number): string {
  return hasWordEdges && wordBytes[code] === 1 ? 'word' : 'other';
}

class States {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  number(parts: readonly string[]): number {
    const text = parts.join('|');
    const number = this.#numbers.get(text) ?? this.#texts.length;
    if (number === this.#texts.length) {
      this.#numbers.set(text, number);
      this.#texts.push(text);
    }
    return number;
  }

  of(state: number): { readonly threads: readonly number[]; readonly before: number | null } {
    const [threads = '', context] = (this.#texts[state] ?? '').split('|');
    const before = context === 'first' ? null : context === 'word' ? 97 : 0;
    return { threads: threads === '' ? [] : threads.split(',').map(Number), before };
  }
}

/** The sets that wait for the next byte; null: it has matched. It may begin at each place. */
function close(program: Program, threads: readonly number[], between: Between): readonly number[] | null {
  const seen = new Set<number>();
  const waiting: number[] = [];
  const stack = [0, ...threads];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const instruction = program.instructions[at];
    if (instruction === undefined) throw new TooComplex();
    switch (instruction.kind) {
      case 'match':
        return null;
      case 'set':
        waiting.push(at);
        break;
      case 'split':
        stack.push(...instruction.ways);
        break;
      case 'open':
      case 'close':
        stack.push(at + 1);
        break;
      default:
        if (passes(instruction.kind, between)) stack.push(at + 1);
    }
  }
  return waiting;
}

import type { Regex } from '../language.ts';
import { canBeEmpty, type Node, parseRegex, partsOf } from '../regex/index.ts';
import { TooComplex } from './budget.ts';
import { type Between, compile, type Instruction, type Program, passes } from './program.ts';

/** Where a match begins and ends, and its groups by number; null: a group that took nothing. */
export interface Match {
  readonly start: number;
  readonly end: number;
  readonly groups: ReadonlyMap<number, readonly [number, number]>;
}

/** An expression whose ways are all followed at once: the time goes with the text's length, whatever the text. */
export interface Runner {
  /** False: whether it matches is known, and what it takes is not: engines differ in turns that read nothing. */
  readonly sure: boolean;
  /** @param from where it may begin at the earliest. */
  match(text: string, from?: number): Match | null;
}

const known = new Map<string, Runner | 'plain' | 'none'>();
const knownMax = 20_000;

/**
 * For expressions that an engine which tries one way after the other may need for ever. `plain`: no such expression, any
 * engine will do; `none`: it may be one, and has parts that cannot be followed so.
 */
export function runnerOf(regex: Regex): Runner | 'plain' | 'none' {
  const key = `${regex.syntax}${regex.ignoreCase ? 'i' : 's'}${regex.source}`;
  const before = known.get(key);
  if (before !== undefined) return before;
  if (known.size >= knownMax) known.clear();
  const made = makeRunner(regex);
  known.set(key, made);
  return made;
}

function makeRunner(regex: Regex): Runner | 'plain' | 'none' {
  const parsed = parseRegex(regex);
  if (!parsed || !isRisky(parsed.node)) return 'plain';
  try {
    const program = compile(parsed.node, false);
    const sure = !hasEmptyTurns(parsed.node);
    return { sure, match: (text: string, from = 0) => run(program, text, from) };
  } catch (error) {
    if (error instanceof TooComplex) return 'none';
    throw error;
  }
}

/** A repetition in a repetition, one with alternatives in it, or many of them. */
function isRisky(node: Node): boolean {
  return hasNested(node, false) || count(node) > repeatsMax;
}

const repeatsMax = 2;
/** One that is possessive and need not turn is never gone back into. */
const isEndless = (node: Node): boolean =>
  node.kind === 'repeat' &&
  (node.max === null || node.max > 16) &&
  !(node.greed === 'possessive' && node.min === 0);

function hasNested(node: Node, inside: boolean): boolean {
  if (inside && (node.kind === 'either' || (node.kind === 'repeat' && node.min !== node.max))) return true;
  const within = inside || isEndless(node);
  return partsOf(node).some((one) => hasNested(one, within));
}

function count(node: Node): number {
  return partsOf(node).reduce((sum, one) => sum + count(one), isEndless(node) ? 1 : 0);
}

function hasEmptyTurns(node: Node): boolean {
  if (node.kind === 'repeat' && node.max !== 1 && canBeEmpty(node.of)) return true;
  return partsOf(node).some(hasEmptyTurns);
}

type Marks = ReadonlyMap<number, number>;

interface Thread {
  readonly at: number;
  readonly start: number;
  /** Twice the number of a group: where it opened; one more: where it closed. */
  readonly marks: Marks;
}

const none: Marks = new Map();

function run({ instructions }: Program, text: string, from: number): Match | null {
  let threads: readonly Thread[] = [];
  let best: Match | null = null;
  for (let at = from; at <= text.length; at += 1) {
    const between: Between = {
      before: at === 0 ? null : text.charCodeAt(at - 1),
      after: at === text.length ? null : text.charCodeAt(at),
    };
    const begun = best === null ? [...threads, { at: 0, start: at, marks: none }] : threads;
    const { waiting, matched } = closed(instructions, begun, at, between);
    if (matched) best = matched;
    threads = waiting.flatMap((thread): Thread[] => {
      const instruction = instructions[thread.at];
      const reads = instruction?.kind === 'set' && instruction.set[between.after ?? 256] === 1;
      return reads ? [{ ...thread, at: thread.at + 1 }] : [];
    });
    if (threads.length === 0 && best !== null) return best;
  }
  return best;
}

/** Up to where threads wait for a byte, best first; what is behind a match counts no more. */
function closed(
  instructions: readonly Instruction[],
  threads: readonly Thread[],
  at: number,
  between: Between,
) {
  const seen = new Set<number>();
  const waiting: Thread[] = [];
  const stack = [...threads].reverse();
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    if (seen.has(thread.at)) continue;
    seen.add(thread.at);
    const instruction = instructions[thread.at];
    if (instruction === undefined) continue;
    const next = { ...thread, at: thread.at + 1 };
    switch (instruction.kind) {
      case 'match':
        return { waiting, matched: matchOf(thread, at) };
      case 'set':
        waiting.push(thread);
        break;
      case 'split':
        for (const way of [...instruction.ways].reverse()) stack.push({ ...thread, at: way });
        break;
      case 'open':
      case 'close':
        stack.push({ ...next, marks: marked(thread.marks, instruction, at) });
        break;
      default:
        if (passes(instruction.kind, between)) stack.push(next);
    }
  }
  return { waiting, matched: null };
}

function marked(marks: Marks, { kind, group }: Instruction & { kind: 'open' | 'close' }, at: number): Marks {
  return new Map(marks).set(2 * group + (kind === 'open' ? 0 : 1), at);
}

function matchOf({ start, marks }: Thread, end: number): Match {
  const groups = new Map<number, readonly [number, number]>();
  for (const [mark, from] of marks) {
    const to = marks.get(mark + 1);
    if (mark % 2 === 0 && to !== undefined && to >= from) groups.set(mark / 2, [from, to]);
  }
  return { start, end, groups };
}

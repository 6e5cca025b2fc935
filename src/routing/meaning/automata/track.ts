import type { Regex } from '../language.ts';
import { type Node, parseRegex } from '../regex/index.ts';
import type { TemplatePart } from '../value.ts';
import { spend } from './budget.ts';
import {
  columnsOf,
  excluded,
  explore,
  type Machine,
  minimised,
  next,
  runFrom,
  TooComplex,
} from './machine.ts';
import { type Between, compile, type Program, passes, wordBytes } from './program.ts';

const trackStatesMax = 3_000;
const newlineCode = 10;

/**
 * What is told, byte by byte, of the match that an engine finds first: the first place, and there the way that it tries
 * first. `q` is the state in which the machine behind is; a thread's note is a number that only the tracker reads.
 */
interface Tracker {
  /** A match begins here; the machine has read what is before it. */
  begin(q: number): number;
  open(note: number, group: number): number;
  close(note: number, group: number): number;
  read(note: number, code: number): number;
  /** It matched: where the machine is then. */
  finish(note: number): number;
}

/** What a group took, as the machine behind reads it. */
export function capturedBefore(machine: Machine, regex: Regex, group: number | string): Machine {
  const { node, number } = whole(regex, group);
  const count = machine.labels.length;
  const notOpen = 2 * count;
  const tracker: Tracker = {
    begin: () => notOpen,
    open: (note, which) => (which === number ? machine.start : note),
    close: (note, which) => (which === number && note < count ? note + count : note),
    read: (note, code) => (note < count ? next(machine, note, code) : note),
    finish: (note) => (note === notOpen ? machine.start : note % count),
  };
  return track(node, machine, tracker, 'keep');
}

/** The value with its first match replaced, as the machine behind reads it. */
export function replacedBefore(machine: Machine, regex: Regex, by: readonly TemplatePart[]): Machine {
  const numbers = by.flatMap((part) => (typeof part === 'string' ? [] : [whole(regex, part.group).number]));
  if (numbers.some((number, index) => index > 0 && number <= (numbers[index - 1] ?? 0)))
    throw new TooComplex();
  if (numbers.includes(0) && numbers.length > 1) throw new TooComplex();
  const { node } = whole(regex, 0);
  if (isNested(node, numbers, false)) throw new TooComplex();
  const texts = textsBetween(by);
  const count = machine.labels.length;
  const slots = numbers.length + 1;
  // A note: where the machine is, how many groups are told, whether one is open.
  const note = (q: number, slot: number, open: boolean) => (q * slots + slot) * 2 + (open ? 1 : 0);
  const read = (one: number) => {
    const rest = Math.floor(one / 2);
    return { q: Math.floor(rest / slots), slot: rest % slots, open: one % 2 === 1 };
  };
  const skipTo = (q: number, slot: number, to: number) => {
    let at = q;
    for (let i = slot; i < to; i += 1) at = runFrom(machine, at, texts[i + 1] ?? '');
    return at;
  };
  const tracker: Tracker = {
    begin: (q) => note(runFrom(machine, q, texts[0] ?? ''), 0, false),
    open(one, group) {
      const index = numbers.indexOf(group);
      const { q, slot } = read(one);
      return index < 0 ? one : note(skipTo(q, slot, index), index, true);
    },
    close(one, group) {
      const index = numbers.indexOf(group);
      const { q, slot, open } = read(one);
      return index < 0 || !open ? one : note(skipTo(q, slot, index + 1), index + 1, false);
    },
    read(one, code) {
      const { q, slot, open } = read(one);
      return open ? note(next(machine, q, code), slot, true) : one;
    },
    finish(one) {
      const { q, slot } = read(one);
      return skipTo(q, slot, numbers.length);
    },
  };
  if (count * slots * 2 > 1e9) throw new TooComplex();
  return track(node, machine, tracker, 'readOn');
}

/** The texts before, between and behind the groups. */
function textsBetween(by: readonly TemplatePart[]): readonly string[] {
  const texts = [''];
  for (const part of by) {
    if (typeof part === 'string') texts.push((texts.pop() ?? '') + part);
    else texts.push('');
  }
  return texts;
}

/** The expression with the whole of it as group 0. */
function whole(regex: Regex, group: number | string): { readonly node: Node; readonly number: number } {
  const parsed = parseRegex(regex);
  const number = typeof group === 'number' ? group : parsed?.names.get(group);
  if (!parsed || number === undefined || number > parsed.groups || regex.syntax !== 'pcre')
    throw new TooComplex();
  if (number > 0 && isRepeated(parsed.node, number, false)) throw new TooComplex();
  return { node: { kind: 'group', number: 0, of: parsed.node }, number };
}

function isRepeated(node: Node, group: number, inside: boolean): boolean {
  switch (node.kind) {
    case 'group':
      return (node.number === group && inside) || isRepeated(node.of, group, inside);
    case 'repeat':
      return isRepeated(node.of, group, inside || node.max !== 1);
    case 'sequence':
    case 'either':
      return node.of.some((one) => isRepeated(one, group, inside));
    default:
      return false;
  }
}

/** Whether one of the groups lies in another one of them. */
function isNested(node: Node, groups: readonly number[], inside: boolean): boolean {
  switch (node.kind) {
    case 'group': {
      const one = groups.includes(node.number);
      return (one && inside) || isNested(node.of, groups, inside || one);
    }
    case 'repeat':
      return isNested(node.of, groups, inside);
    case 'sequence':
    case 'either':
      return node.of.some((part) => isNested(part, groups, inside));
    default:
      return false;
  }
}

interface Thread {
  /** -1: it has matched, and `note` is where the machine behind is. */
  readonly at: number;
  readonly note: number;
}

interface State {
  /** Best first. A match is the last. */
  readonly threads: readonly Thread[];
  /** Where the machine behind is when all is read as it is. */
  readonly q: number;
  readonly context: 'first' | 'word' | 'other';
}

/** @param then what a match does with the bytes behind it: nothing, or the machine reads on. Without a match: absent, or all as it is. */
function track(node: Node, machine: Machine, tracker: Tracker, then: 'keep' | 'readOn'): Machine {
  const program = compile(node, true);
  const sets = program.instructions.flatMap((one) => (one.kind === 'set' ? [one.set] : []));
  const newline = new Uint8Array(256);
  newline[newlineCode] = program.hasLineEnds ? 1 : 0;
  const { classes, width, bytes } = columnsOf([machine], [...sets, wordBytes, newline]);
  const states: State[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (state: State) => {
    const key = `${state.q}|${state.context}|${state.threads.map(({ at, note }) => `${at}:${note}`).join()}`;
    const number = numbers.get(key) ?? states.length;
    if (number === states.length) {
      numbers.set(key, number);
      states.push(state);
    }
    return number;
  };
  const outside = -1;
  const forget = then === 'keep';
  const tracked = explore(
    { classes, width },
    numberOf({ threads: [], q: forget ? 0 : machine.start, context: 'first' }),
    (number, column) => {
      const code = bytes[column] ?? 0;
      const state = states[number];
      if (state === undefined || (program.hasLineEnds && code === newlineCode)) return outside;
      const threads = advance(program, tracker, state, code, (q) => (forget ? q : next(machine, q, code)));
      const context = program.hasWordEdges && wordBytes[code] === 1 ? 'word' : 'other';
      const matched = threads[0]?.at === -1;
      const q = forget || matched ? 0 : next(machine, state.q, code);
      return numberOf({ threads, q, context: matched ? 'other' : context });
    },
    (number) => {
      const state = states[number];
      if (state === undefined) return excluded;
      const found = closeAll(program, tracker, state, null).find(({ at }) => at === -1);
      if (found) return machine.labels[found.note] ?? 0;
      return forget ? machine.absent : (machine.labels[state.q] ?? 0);
    },
    machine.absent,
    trackStatesMax,
  );
  return minimised(tracked);
}

function advance(
  program: Program,
  tracker: Tracker,
  state: State,
  code: number,
  readOn: (q: number) => number,
): readonly Thread[] {
  const moved: Thread[] = [];
  const seen = new Set<number>();
  for (const { at, note } of closeAll(program, tracker, state, code)) {
    if (at === -1) {
      moved.push({ at, note: readOn(note) });
      break;
    }
    const instruction = program.instructions[at];
    if (instruction?.kind !== 'set' || instruction.set[code] !== 1 || seen.has(at + 1)) continue;
    seen.add(at + 1);
    moved.push({ at: at + 1, note: tracker.read(note, code) });
  }
  return moved;
}

/** All threads up to where they wait for a byte, best first, up to the first that has matched. */
function closeAll(program: Program, tracker: Tracker, state: State, after: number | null): readonly Thread[] {
  const before = state.context === 'first' ? null : state.context === 'word' ? 97 : 0;
  const between: Between = { before, after };
  const seen = new Set<number>();
  const out: Thread[] = [];
  spend(state.threads.length);
  const stack: Thread[] = [...state.threads].reverse();
  // It may begin here too, if nothing that began before matches.
  if (state.threads.at(-1)?.at !== -1) stack.unshift({ at: 0, note: tracker.begin(state.q) });
  for (let thread = stack.pop(); thread !== undefined; thread = stack.pop()) {
    const { at, note } = thread;
    spend(1);
    if (at === -1) return [...out, thread];
    if (seen.has(at)) continue;
    seen.add(at);
    const instruction = program.instructions[at];
    if (instruction === undefined) throw new TooComplex();
    switch (instruction.kind) {
      case 'match':
        return [...out, { at: -1, note: tracker.finish(note) }];
      case 'set':
        out.push(thread);
        break;
      case 'split':
        for (const way of [...instruction.ways].reverse()) stack.push({ at: way, note });
        break;
      case 'open':
      case 'close':
        stack.push({ at: at + 1, note: tracker[instruction.kind](note, instruction.group) });
        break;
      default:
        if (passes(instruction.kind, between)) stack.push({ at: at + 1, note });
    }
  }
  return out;
}

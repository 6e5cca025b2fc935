import type { Language } from '../language.ts';
import { bothCases, byteRange, bytesOf, type Node, parseRegex } from '../regex/index.ts';
import {
  columnsOf,
  constant,
  explore,
  type Machine,
  minimised,
  next,
  product,
  relabelled,
  TooComplex,
} from './machine.ts';
import { searchMachine } from './search.ts';

const lengthMax = 5_000;
const textLengthMax = 5_000;

/** 1 for the values that are in it. Throws `TooComplex`. */
export function machineOf(language: Language): Machine {
  switch (language.kind) {
    case 'present':
      return constant(1, 0);
    case 'absent':
      return constant(0, 1);
    case 'complement':
      return relabelled(machineOf(language.of), (label) => 1 - label);
    case 'union':
      return folded(language.of, 0, (a, b) => a | b);
    case 'intersection':
      return folded(language.of, 1, (a, b) => a & b);
    case 'length':
      return lengths(language.min, language.max);
    case 'number':
      return numbers(language.min, language.max);
    case 'matches': {
      const parsed = parseRegex(language.regex);
      if (!parsed) throw new TooComplex();
      return searchMachine(parsed.node);
    }
    case 'item':
      return items(machineOf(language.of), language.separators);
    default:
      return searchMachine(asExpression(language));
  }
}

function folded(
  of: readonly Language[],
  neutral: number,
  combine: (a: number, b: number) => number,
): Machine {
  return of.map(machineOf).reduce((a, b) => minimised(product(a, b, combine)), constant(neutral, neutral));
}

type OfText = Extract<Language, { readonly text: string }>;

function asExpression(language: OfText): Node {
  if (language.text.length > textLengthMax) throw new TooComplex();
  const { kind, ignoreCase } = language;
  const letters = Array.from(language.text, (char): Node => {
    const set = bytesOf(char);
    return { kind: 'set', set: ignoreCase ? bothCases(set) : set };
  });
  const edge = (end: 'start' | 'end'): Node[] => {
    if (kind === 'contains') return [];
    if (kind !== 'segment') return [{ kind: end }];
    return [{ kind: 'either', of: [{ kind: end }, { kind: 'set', set: bytesOf(language.delimiters) }] }];
  };
  const before = kind === 'ends' ? [] : edge('start');
  const behind = kind === 'begins' ? [] : edge('end');
  return { kind: 'sequence', of: [...before, ...letters, ...behind] };
}

function lengths(min: number, max: number | null): Machine {
  const last = (max ?? min) + 1;
  if (last > lengthMax) throw new TooComplex();
  const columns = { classes: new Uint8Array(256), width: 1 };
  const isIn = (state: number) => state >= min && (max === null || state <= max);
  return explore(
    columns,
    0,
    (state) => Math.min(state + 1, last),
    (state) => (isIn(state) ? 1 : 0),
    0,
  );
}

const digits = byteRange(48, 57);

function numbers(min: number | null, max: number | null): Machine {
  const anyDigits = magnitude(0);
  const atLeast = (from: number) => magnitude(Math.max(0, from));
  const atMost = (to: number) => (to < 0 ? constant(0, 0) : without(anyDigits, magnitude(to + 1)));
  const positive = both(atLeast(min ?? 0), max === null ? anyDigits : atMost(max));
  const negative = both(min === null ? anyDigits : atMost(-min), atLeast(-(max ?? 0)));
  return minimised(product(positive, behindMinus(negative), (a, b) => a | b));
}

const both = (a: Machine, b: Machine) => product(a, b, (x, y) => x & y);
const without = (a: Machine, b: Machine) => product(a, b, (x, y) => x & (1 - y));

/** Digits that are a number from `least` on. */
function magnitude(least: number): Machine {
  const wanted = `${least}`;
  const { classes, width, bytes } = columnsOf(
    [],
    Array.from(digits.keys())
      .filter((c) => digits[c])
      .map((c) => bytesOf(String.fromCharCode(c))),
  );
  // A state: how many digits behind leading zeros, and how they compare with as many of what is wanted.
  const wrong = -1;
  const empty = -2;
  return explore(
    { classes, width },
    empty,
    (state, column) => {
      const code = bytes[column] ?? 0;
      if (state === wrong || digits[code] !== 1) return wrong;
      const count = state === empty ? 0 : Math.floor(state / 3);
      if (count === 0 && code === 48) return 1;
      if (count >= wanted.length) return (wanted.length + 1) * 3 + 1;
      const compared = count === 0 ? 1 : state % 3;
      const order = compared !== 1 ? compared : 1 + Math.sign(code - wanted.charCodeAt(count));
      return (count + 1) * 3 + order;
    },
    (state) => {
      if (state < 0) return 0;
      const count = Math.floor(state / 3);
      if (least === 0) return 1;
      return count > wanted.length || (count === wanted.length && state % 3 >= 1) ? 1 : 0;
    },
    0,
  );
}

function behindMinus(machine: Machine): Machine {
  const { classes, width, bytes } = columnsOf([machine], [bytesOf('-')]);
  const count = machine.labels.length;
  return explore(
    { classes, width },
    count,
    (state, column) => {
      const code = bytes[column] ?? 0;
      if (state < count) return next(machine, state, code);
      return state === count && code === 45 ? machine.start : count + 1;
    },
    (state) => (state < count ? (machine.labels[state] ?? 0) : 0),
    0,
  );
}

/** A part is read without the spaces around it: where the machine was behind the last that is none, and where it is now. */
function items(machine: Machine, separators: string): Machine {
  const { classes, width, bytes } = columnsOf([machine], [bytesOf(separators), bytesOf(' '), bytesOf('\t')]);
  const count = machine.labels.length;
  // Before a part is a state of its own: what was read may lead the machine back to its start.
  const [found, begun] = [-1, -2];
  const pair = (trimmed: number, now: number) => trimmed * count + now;
  const partsOf = (state: number) =>
    state === begun
      ? ([machine.start, machine.start] as const)
      : ([Math.floor(state / count), state % count] as const);
  return explore(
    { classes, width },
    begun,
    (state, column) => {
      if (state === found) return found;
      const code = bytes[column] ?? 0;
      const [trimmed, now] = partsOf(state);
      if (separators.includes(String.fromCharCode(code)))
        return machine.labels[trimmed] === 1 ? found : begun;
      const after = next(machine, now, code);
      if (code !== 32 && code !== 9) return pair(after, after);
      return state === begun ? begun : pair(trimmed, after);
    },
    (state) => (state === found || machine.labels[partsOf(state)[0]] === 1 ? 1 : 0),
    0,
  );
}

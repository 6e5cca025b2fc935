import { isEncoded } from '../fate/evaluate.ts';
import type { Language } from '../language.ts';
import { bytesOf } from '../regex/index.ts';
import type { Value } from '../value.ts';
import {
  columnsOf,
  excluded,
  explore,
  labelOf,
  type Machine,
  minimised,
  next,
  runFrom,
  TooComplex,
} from './machine.ts';
import { capturedBefore, replacedBefore } from './track.ts';

type Step = Exclude<Extract<Value, { readonly of: Value }>, { kind: 'orElse' }>;

/**
 * A machine that reads what a value is made of, and says what the given one says of the value. `classifier` tells the cases
 * of a table apart: its label is the number of the first case, or -2 for none.
 */
export function before(
  value: Step,
  machine: Machine,
  classifier: (of: readonly Language[]) => Machine,
): Machine {
  switch (value.kind) {
    case 'lower':
      return {
        ...machine,
        classes: mapped(machine, (code) => (code >= 65 && code <= 90 ? code + 32 : code)),
      };
    case 'upper':
      return {
        ...machine,
        classes: mapped(machine, (code) => (code >= 97 && code <= 122 ? code - 32 : code)),
      };
    case 'slice':
      return slice(machine, value.from, value.length);
    case 'part':
      return value.number > 0
        ? part(machine, value.separators, value.number)
        : partFromEnd(machine, value.separators, -value.number);
    case 'parameter':
      return parameter(machine, value.name, value.ignoreCase);
    case 'cookie':
      return cookie(machine, value.name);
    case 'decoded':
      if (value.redirect) throw new TooComplex();
      return decoded(machine, value.plusIsSpace);
    case 'encoded':
      return encoded(machine, (code) => isEncoded(code, value.bytes));
    case 'captured':
      return capturedBefore(machine, value.regex, value.group);
    case 'replaced':
      return value.every ? everyReplaced(machine, value) : replacedBefore(machine, value.regex, value.by);
    case 'mapped': {
      const cases = classifier(value.cases.map(({ language }) => language));
      const otherwise = value.otherwise.kind === 'text' ? value.otherwise.text : null;
      const label = (which: number) =>
        labelOf(machine, which === -2 ? otherwise : (value.cases[which]?.text ?? null));
      return { ...cases, labels: cases.labels.map(label), absent: label(cases.absent) };
    }
  }
}

function mapped(machine: Machine, to: (code: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, code) => machine.classes[to(code)] ?? 0);
}

/** Texts around one value that is not constant; what is absent counts as empty. */
export function joinedBefore(machine: Machine, prefix: string, suffix: string): Machine {
  const start = runFrom(machine, machine.start, prefix);
  const labels = machine.labels.map((_, state) => machine.labels[runFrom(machine, state, suffix)] ?? 0);
  return { ...machine, start, labels, absent: labels[start] ?? 0 };
}

const label = (machine: Machine, state: number) => machine.labels[state] ?? 0;

function slice(machine: Machine, from: number, length: number | null): Machine {
  if (from > 10_000 || (length ?? 0) > 10_000) throw new TooComplex();
  const { classes, width, bytes } = columnsOf([machine]);
  const count = machine.labels.length;
  const end = length === null ? from : from + length;
  return explore(
    { classes, width },
    machine.start,
    (state, column) => {
      const [at, q] = [Math.floor(state / count), state % count];
      const taken = at >= from && (length === null || at < end);
      return (
        Math.min(at + 1, Math.max(end, from)) * count + (taken ? next(machine, q, bytes[column] ?? 0) : q)
      );
    },
    (state) => label(machine, state % count),
    machine.absent,
  );
}

function part(machine: Machine, separators: string, number: number): Machine {
  if (number > 1_000) throw new TooComplex();
  const { classes, width, bytes } = columnsOf([machine], [bytesOf(separators)]);
  const count = machine.labels.length;
  const last = number - 1;
  // Behind the part only its label counts.
  const done = number * count;
  return explore(
    { classes, width },
    machine.start,
    (state, column) => {
      const [at, q] = [Math.floor(state / count), state % count];
      const code = bytes[column] ?? 0;
      if (state >= done) return state;
      if (!separators.includes(String.fromCharCode(code)))
        return at === last ? state - q + next(machine, q, code) : state;
      return at === last ? done + label(machine, q) + 2 : (at + 1) * count + q;
    },
    (state) => {
      if (state >= done) return state - done - 2;
      return Math.floor(state / count) < last ? machine.absent : label(machine, state % count);
    },
    machine.absent,
  );
}

/** Where the machine is in each of the last parts. */
function partFromEnd(machine: Machine, separators: string, number: number): Machine {
  const { classes, width, bytes } = columnsOf([machine], [bytesOf(separators)]);
  const count = machine.labels.length + 1;
  if (count ** number > 1e15) throw new TooComplex();
  // Digits to the base of `count`, the newest part last; the last digit value is that there is no such part.
  const none = count - 1;
  const kept = count ** number;
  let start = 0;
  for (let i = 1; i < number; i += 1) start = start * count + none;
  start = start * count + machine.start;
  return explore(
    { classes, width },
    start,
    (state, column) => {
      const code = bytes[column] ?? 0;
      if (separators.includes(String.fromCharCode(code)))
        return (state % (kept / count)) * count + machine.start;
      const q = state % count;
      return state - q + next(machine, q, code);
    },
    (state) => {
      const q = Math.floor(state / (kept / count));
      return q === none ? machine.absent : label(machine, q);
    },
    machine.absent,
  );
}

function parameter(machine: Machine, name: string, ignoreCase: boolean): Machine {
  if (/[&=]/.test(name)) throw new TooComplex();
  const { classes, width, bytes } = columnsOf(
    [machine],
    [...name, '&', '='].flatMap((char) => letterSets(char, ignoreCase)),
  );
  const plain = (char: string) => (ignoreCase ? char.toLowerCase() : char);
  const wanted = plain(name);
  const count = machine.labels.length;
  // Up to `skip`: letters of the name that were read. Then values that are read, and values that are done.
  const skip = wanted.length + 1;
  const [reading, done] = [skip + 1, skip + 1 + count];
  return explore(
    { classes, width },
    0,
    (state, column) => {
      const code = bytes[column] ?? 0;
      const char = String.fromCharCode(code);
      if (state >= done) return state;
      if (state >= reading)
        return char === '&' ? state + count : reading + next(machine, state - reading, code);
      if (char === '&') return state === wanted.length ? done + machine.start : 0;
      if (state === skip) return skip;
      if (state === wanted.length) return char === '=' ? reading + machine.start : skip;
      return plain(char) === wanted[state] ? state + 1 : skip;
    },
    (state) => {
      if (state >= reading) return label(machine, (state - reading) % count);
      return state === wanted.length ? label(machine, machine.start) : machine.absent;
    },
    machine.absent,
  );
}

function letterSets(char: string, ignoreCase: boolean): Uint8Array[] {
  return ignoreCase ? [bytesOf(char.toLowerCase()), bytesOf(char.toUpperCase())] : [bytesOf(char)];
}

function cookie(machine: Machine, name: string): Machine {
  if (/[=;, \t]/.test(name)) throw new TooComplex();
  const { classes, width, bytes } = columnsOf([machine], [...name, ';', ',', '=', ' ', '\t'].map(bytesOf));
  const count = machine.labels.length;
  // Up to `behind`: letters of the name, and spaces behind it. Then pairs: where the value was before spaces, and where it is.
  const [behind, skip] = [name.length + 1, name.length + 2];
  const reading = skip + 1;
  const pair = (trimmed: number, now: number) => reading + trimmed * count + now;
  // Before a value is a state of its own: what was read may lead the machine back to its start.
  const begun = -1;
  const partsOf = (state: number) =>
    state === begun
      ? ([machine.start, machine.start] as const)
      : ([Math.floor((state - reading) / count), (state - reading) % count] as const);
  const done = reading + count * count;
  return explore(
    { classes, width },
    0,
    (state, column) => {
      const code = bytes[column] ?? 0;
      const isSpace = code === 32 || code === 9;
      if (state >= done) return state;
      if (state >= reading || state === begun) {
        const [trimmed, now] = partsOf(state);
        if (code === 59 || code === 44) return done + trimmed;
        if (isSpace && state === begun) return begun;
        const after = next(machine, now, code);
        return isSpace ? pair(trimmed, after) : pair(after, after);
      }
      if (code === 59 || code === 44) return 0;
      if (state === skip) return skip;
      if (state >= name.length) return code === 61 ? begun : isSpace ? behind : skip;
      if (state === 0 && isSpace) return 0;
      return String.fromCharCode(code) === name[state] ? state + 1 : skip;
    },
    (state) => {
      if (state >= done) return label(machine, state - done);
      return state >= reading || state === begun ? label(machine, partsOf(state)[0]) : machine.absent;
    },
    machine.absent,
  );
}

const hexDigits = '0123456789abcdefABCDEF';

function decoded(machine: Machine, plusIsSpace: boolean): Machine {
  const { classes, width, bytes } = columnsOf([machine], [...hexDigits, '%', '+'].map(bytesOf));
  const count = machine.labels.length;
  // 0: nothing waits; 1: `%`; from 2 on: `%` and a digit.
  const waits = (state: number) => Math.floor(state / count);
  const text = (waiting: number) => (waiting === 0 ? '' : `%${waiting > 1 ? hexDigits[waiting - 2] : ''}`);
  const plain = (q: number, code: number): number => {
    if (code === 37) return count + q;
    return next(machine, q, plusIsSpace && code === 43 ? 32 : code);
  };
  return explore(
    { classes, width },
    machine.start,
    (state, column) => {
      const code = bytes[column] ?? 0;
      const [waiting, q] = [waits(state), state % count];
      const digit = hexDigits.indexOf(String.fromCharCode(code));
      if (waiting === 0 || digit < 0) return plain(runFrom(machine, q, text(waiting)), code);
      if (waiting === 1) return (digit + 2) * count + q;
      const byte = Number.parseInt(text(waiting).slice(1) + hexDigits[digit], 16);
      return next(machine, q, byte);
    },
    (state) => label(machine, runFrom(machine, state % count, text(waits(state)))),
    machine.absent,
  );
}

function encoded(machine: Machine, isWritten: (code: number) => boolean): Machine {
  const classes = Uint8Array.from({ length: 256 }, (_, code) => code);
  const step = (q: number, code: number) =>
    isWritten(code)
      ? runFrom(machine, q, `%${code.toString(16).toUpperCase().padStart(2, '0')}`)
      : next(machine, q, code);
  const whole = explore(
    { classes, width: 256 },
    machine.start,
    step,
    (q) => label(machine, q),
    machine.absent,
    20_000,
  );
  return minimised(whole);
}

/** Of single bytes, or of rows of them by a constant text. */
function everyReplaced(machine: Machine, { regex, by }: Value & { kind: 'replaced' }): Machine {
  const single = /^(?:\[([^\]\\^[-]+)\]|\\(\W)|([^\\()[\]{}.*+?^$|]))(\+?)$/.exec(regex.source);
  if (!single || regex.ignoreCase || by.some((one) => typeof one !== 'string')) throw new TooComplex();
  const set = bytesOf(single[1] ?? single[2] ?? single[3] ?? '');
  const text = by.join('');
  const rows = single[4] === '+';
  const { classes, width, bytes } = columnsOf([machine], [set]);
  return explore(
    { classes, width },
    machine.start * 2,
    (state, column) => {
      const code = bytes[column] ?? 0;
      const q = Math.floor(state / 2);
      if (set[code] !== 1) return next(machine, q, code) * 2;
      return rows && state % 2 === 1 ? state : runFrom(machine, q, text) * 2 + (rows ? 1 : 0);
    },
    (state) => label(machine, Math.floor(state / 2)),
    machine.absent,
  );
}

const [plainText, segmentBegins, oneDot, twoDots] = [0, 1, 2, 3];

/** A raw path that NGINX normalises. One with a segment `..` is left out: no table can follow how far it goes back. */
export function normalisedBefore(machine: Machine): Machine {
  const { classes, width, bytes } = columnsOf([machine], [...hexDigits, '%', '/', '.'].map(bytesOf));
  const count = machine.labels.length;
  const [wrong, outside, first] = [-1, -2, -3];
  // 0: nothing waits; 1: `%`; from 2 on: `%` and a digit's value.
  const pack = (waiting: number, mode: number, q: number) => (waiting * 4 + mode) * count + q;
  const read = (mode: number, q: number, code: number): number => {
    const step = (text: string) => runFrom(machine, q, text);
    if (code === 47) {
      if (mode === plainText) return pack(0, segmentBegins, step('/'));
      return mode === twoDots ? outside : pack(0, segmentBegins, q);
    }
    if (code === 46 && mode === segmentBegins) return pack(0, oneDot, q);
    if (code === 46 && mode === oneDot) return pack(0, twoDots, q);
    const held = mode === oneDot ? '.' : mode === twoDots ? '..' : '';
    return pack(0, plainText, next(machine, step(held), code));
  };
  return explore(
    { classes, width },
    first,
    (state, column) => {
      const code = bytes[column] ?? 0;
      if (state === first)
        return code === 47 ? pack(0, segmentBegins, runFrom(machine, machine.start, '/')) : wrong;
      if (state < 0) return state;
      const [q, mode] = [state % count, Math.floor(state / count) % 4];
      const waiting = Math.floor(state / count / 4);
      if (waiting === 0) return code === 37 ? pack(1, mode, q) : read(mode, q, code);
      const digit = hexDigits.indexOf(String.fromCharCode(code).toLowerCase());
      if (digit < 0) return wrong;
      if (waiting === 1) return pack(digit + 2, mode, q);
      const byte = (waiting - 2) * 16 + digit;
      return byte === 0 ? wrong : read(mode, q, byte);
    },
    (state) => {
      if (state === outside) return excluded;
      if (state < 0) return machine.absent;
      const [q, mode] = [state % count, Math.floor(state / count) % 4];
      if (Math.floor(state / count / 4) > 0) return machine.absent;
      return mode === twoDots ? excluded : label(machine, q);
    },
    machine.absent,
  );
}

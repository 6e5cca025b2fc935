import { spend, TooComplex } from './budget.ts';

export { TooComplex };

/**
 * A table that reads a value byte by byte and ends with a label: what is so of the value. A language is one with the labels
 * 0 and 1. Complete: each state has a next one for each byte.
 */
export interface Machine {
  /** Byte -> column: bytes that nothing tells apart share one. */
  readonly classes: Uint8Array;
  readonly width: number;
  /** Rows of states, `width` columns. */
  readonly table: Int32Array;
  readonly start: number;
  /** Of each state, where the value ends there. */
  readonly labels: Int32Array;
  /** Where there is no value. */
  readonly absent: number;
}

/** The label of a value that cannot be. */
export const excluded = -1;

export const statesMax = 20_000;

/** A table of all states that are reached from one on. States are numbers of any size. */
export function explore(
  { classes, width }: Pick<Machine, 'classes' | 'width'>,
  start: number,
  step: (state: number, column: number) => number,
  label: (state: number) => number,
  absent: number,
  limit = statesMax,
): Machine {
  const numbers = new Map<number, number>([[start, 0]]);
  const states = [start];
  let table = new Int32Array(64 * width);
  for (let at = 0; at < states.length; at += 1) {
    if ((at + 1) * width > table.length) {
      const grown = new Int32Array(table.length * 2);
      grown.set(table);
      table = grown;
    }
    const state = states[at] ?? 0;
    spend(width);
    for (let column = 0; column < width; column += 1) {
      const next = step(state, column);
      let number = numbers.get(next);
      if (number === undefined) {
        number = states.length;
        if (number >= limit) throw new TooComplex();
        numbers.set(next, number);
        states.push(next);
      }
      table[at * width + column] = number;
    }
  }
  const labels = Int32Array.from(states, label);
  return { classes, width, table: table.slice(0, states.length * width), start: 0, labels, absent };
}

/** Both read at once. */
export function product(
  a: Machine,
  b: Machine,
  combine: (a: number, b: number) => number,
  limit = statesMax,
): Machine {
  const { classes, width, left, right } = commonClasses(a, b);
  const count = b.labels.length;
  const stepped = explore(
    { classes, width },
    a.start * count + b.start,
    (state, column) => {
      const [one, other] = [Math.floor(state / count), state % count];
      const next = a.table[one * a.width + (left[column] ?? 0)] ?? 0;
      return next * count + (b.table[other * b.width + (right[column] ?? 0)] ?? 0);
    },
    (state) => both(a.labels[Math.floor(state / count)] ?? 0, b.labels[state % count] ?? 0, combine),
    both(a.absent, b.absent, combine),
    limit,
  );
  return stepped;
}

function both(a: number, b: number, combine: (a: number, b: number) => number): number {
  return a === excluded || b === excluded ? excluded : combine(a, b);
}

/** Columns that neither tells apart, and which column of each they are. */
function commonClasses(a: Machine, b: Machine) {
  const columns = new Map<number, number>();
  const left: number[] = [];
  const right: number[] = [];
  const classes = new Uint8Array(256);
  for (let code = 0; code < 256; code += 1) {
    const [one, other] = [a.classes[code] ?? 0, b.classes[code] ?? 0];
    const key = one * 256 + other;
    let column = columns.get(key);
    if (column === undefined) {
      column = columns.size;
      columns.set(key, column);
      left.push(one);
      right.push(other);
    }
    classes[code] = column;
  }
  return { classes, width: columns.size, left, right };
}

export function relabelled(machine: Machine, label: (label: number) => number): Machine {
  const changed = (one: number) => (one === excluded ? excluded : label(one));
  return { ...machine, labels: machine.labels.map(changed), absent: changed(machine.absent) };
}

/** One for every value, and one for none at all. */
export function constant(label: number, absent: number): Machine {
  return {
    classes: new Uint8Array(256),
    width: 1,
    table: Int32Array.of(0),
    start: 0,
    labels: Int32Array.of(label),
    absent,
  };
}

export function runFrom(machine: Machine, state: number, text: string): number {
  let at = state;
  for (let i = 0; i < text.length; i += 1)
    at = machine.table[at * machine.width + (machine.classes[text.charCodeAt(i)] ?? 0)] ?? 0;
  return at;
}

export function labelOf(machine: Machine, word: string | null): number {
  return word === null ? machine.absent : (machine.labels[runFrom(machine, machine.start, word)] ?? 0);
}

export function next(machine: Machine, state: number, code: number): number {
  return machine.table[state * machine.width + (machine.classes[code] ?? 0)] ?? 0;
}

/** Columns for these machines and sets together, and a byte of each column. */
export function columnsOf(machines: readonly Machine[], sets: readonly Uint8Array[] = []) {
  const columns = new Map<string, number>();
  const bytes: number[] = [];
  const classes = new Uint8Array(256);
  for (let code = 0; code < 256; code += 1) {
    let key = '';
    for (const machine of machines) key += `${machine.classes[code]},`;
    for (const set of sets) key += set[code] ? '1' : '0';
    let column = columns.get(key);
    if (column === undefined) {
      column = columns.size;
      columns.set(key, column);
      bytes.push(code);
    }
    classes[code] = column;
  }
  return { classes, width: columns.size, bytes };
}

/** The smallest that says the same. States apart by label first, then by where they lead, until nothing moves. */
export function minimised(machine: Machine): Machine {
  const { table, width, labels } = machine;
  const count = labels.length;
  let block = numbered(Array.from(labels, (label) => `${label}`));
  for (let blocks = -1; ; ) {
    const size = new Set(block).size;
    if (size === blocks) break;
    blocks = size;
    spend(Math.ceil((count * width) / 4));
    const keys: string[] = [];
    for (let state = 0; state < count; state += 1) {
      let key = `${block[state]}`;
      for (let column = 0; column < width; column += 1)
        key += `,${block[table[state * width + column] ?? 0]}`;
      keys.push(key);
    }
    block = numbered(keys);
  }
  return quotient(machine, block);
}

function numbered(keys: readonly string[]): Int32Array {
  const numbers = new Map<string, number>();
  return Int32Array.from(keys, (key) => {
    const number = numbers.get(key) ?? numbers.size;
    numbers.set(key, number);
    return number;
  });
}

function quotient(machine: Machine, block: Int32Array): Machine {
  const size = new Set(block).size;
  const { width } = machine;
  const table = new Int32Array(size * width);
  const labels = new Int32Array(size);
  for (let state = 0; state < block.length; state += 1) {
    const to = block[state] ?? 0;
    labels[to] = machine.labels[state] ?? 0;
    for (let column = 0; column < width; column += 1)
      table[to * width + column] = block[machine.table[state * width + column] ?? 0] ?? 0;
  }
  return { ...machine, table, labels, start: block[machine.start] ?? 0 };
}

import { parseRegex } from '../regex/index.ts';
import { columnsOf, excluded, labelOf, type Machine, TooComplex } from './machine.ts';
import { searchMachine } from './search.ts';

/** What may stand in a field: all that can be sent, the part of it that looks natural, and words to try first. */
export interface Alphabet {
  readonly natural: Machine;
  readonly possible: Machine;
  readonly tried: readonly (string | null)[];
}

export function languageMachine(source: string): Machine {
  const parsed = parseRegex({ source, ignoreCase: false, syntax: 'pcre' });
  if (!parsed) throw new TooComplex();
  return searchMachine(parsed.node);
}

const wordsMax = 5;
const nicest = 'abcdefghijklmnopqrstuvwxyz0123456789-/._ABCDEFGHIJKLMNOPQRSTUVWXYZ=&';
const byteOrder = [
  ...new Set([...Array.from(nicest, (c) => c.charCodeAt(0)), ...Array.from({ length: 256 }, (_, i) => i)]),
];

/** For each label that a value of the field can have some values, the natural-looking and short ones first. */
export function wordsByLabel(
  machine: Machine,
  { natural, possible, tried }: Alphabet,
  more: readonly string[],
): ReadonlyMap<number, readonly (string | null)[]> {
  const found = new Map<number, (string | null)[]>();
  const add = (label: number, word: string | null) => {
    if (label === excluded) return;
    const words = found.get(label) ?? [];
    if (words.length === 0) found.set(label, words);
    if (words.length < wordsMax && !words.includes(word)) words.push(word);
  };
  const try_ = (word: string | null, within: Machine) => {
    if (labelOf(within, word) === 1) add(labelOf(machine, word), word);
  };
  for (const word of tried) try_(word, possible);
  for (const word of more) try_(word, natural);
  for (const [label, word] of shortest(machine, natural)) add(label, word);
  for (const word of more) try_(word, possible);
  for (const [label, word] of shortest(machine, possible)) add(label, word);
  if (possible.absent === 1) add(machine.absent, null);
  return found;
}

/** The first word of each label, shorter ones first, nicer bytes first. */
function shortest(machine: Machine, within: Machine): ReadonlyMap<number, string> {
  const { classes, width } = columnsOf([machine, within]);
  const bytes: number[] = [];
  const seenColumns = new Set<number>();
  for (const code of byteOrder) {
    const column = classes[code] ?? 0;
    if (seenColumns.has(column)) continue;
    seenColumns.add(column);
    bytes.push(code);
    if (bytes.length === width) break;
  }
  const live = liveStates(within);
  const count = within.labels.length;
  const first = machine.start * count + within.start;
  const seen = new Map<number, number>([[first, 0]]);
  const queue = [first];
  const parents: number[] = [-1];
  const readBytes: number[] = [0];
  const found = new Map<number, number>();
  for (let at = 0; at < queue.length; at += 1) {
    const state = queue[at] ?? 0;
    const [q, u] = [Math.floor(state / count), state % count];
    const label = machine.labels[q] ?? 0;
    if (within.labels[u] === 1 && label !== excluded && !found.has(label)) found.set(label, at);
    for (const code of bytes) {
      const un = within.table[u * within.width + (within.classes[code] ?? 0)] ?? 0;
      if (live[un] !== 1) continue;
      const qn = machine.table[q * machine.width + (machine.classes[code] ?? 0)] ?? 0;
      const next = qn * count + un;
      if (seen.has(next)) continue;
      seen.set(next, queue.length);
      queue.push(next);
      parents.push(at);
      readBytes.push(code);
    }
  }
  return new Map([...found].map(([label, at]) => [label, wordTo(at, parents, readBytes)]));
}

function wordTo(end: number, parents: readonly number[], bytes: readonly number[]): string {
  let word = '';
  for (let at = end; at > 0; at = parents[at] ?? 0) word = String.fromCharCode(bytes[at] ?? 0) + word;
  return word;
}

/** States from which a word of the language can still be reached. */
function liveStates(machine: Machine): Uint8Array {
  const { table, width, labels } = machine;
  const live = Uint8Array.from(labels, (label) => (label === 1 ? 1 : 0));
  for (let changed = true; changed; ) {
    changed = false;
    for (let state = 0; state < live.length; state += 1) {
      if (live[state] === 1) continue;
      for (let column = 0; column < width; column += 1)
        if (live[table[state * width + column] ?? 0] === 1) live[state] = 1;
      if (live[state] === 1) changed = true;
    }
  }
  return live;
}

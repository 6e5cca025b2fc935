import {
  type Alphabet,
  before,
  classifierOf,
  constant,
  joinedBefore,
  LabelSets,
  labelOf,
  type Machine,
  machineOf,
  normalisedBefore,
  relabelled,
  TooComplex,
  together,
  wordsByLabel,
} from '../automata/index.ts';
import type { Language } from '../language.ts';
import type { Value } from '../value.ts';
import { alphabetOf, type FieldKey, fieldsOf } from './fields.ts';
import { networkClasses } from './networks.ts';
import { type Atom, isMachine } from './terms.ts';

/** Values of a field that no condition tells apart. */
export interface FieldClass {
  /** The atoms that hold of them. */
  readonly atoms: ReadonlySet<number>;
  /** Some of them, the natural-looking ones first. */
  readonly words: readonly (string | null)[];
  /** False: nobody asks so but by mistake, such as a method that is none. */
  readonly natural: boolean;
}

export interface FieldClasses {
  readonly classes: readonly FieldClass[];
  /** Atoms that no table could be made of. */
  readonly complex: ReadonlySet<number>;
}

/** @param only the words that the field has here; null: all. */
export function classesOf(
  key: FieldKey,
  numbers: readonly number[],
  atoms: readonly Atom[],
  only: readonly string[] | null,
): FieldClasses {
  const first = atoms[numbers[0] ?? 0];
  if (first?.kind === 'whether') {
    const [one = 0] = numbers;
    const words: readonly FieldClass[] = [
      { atoms: new Set(), words: ['no'], natural: true },
      { atoms: new Set([one]), words: ['yes'], natural: true },
    ];
    return { classes: words, complex: new Set() };
  }
  if (first?.kind === 'from') return { classes: networkClasses(numbers, atoms), complex: new Set() };
  return wordClasses(key, numbers, atoms, only);
}

function wordClasses(
  key: FieldKey,
  numbers: readonly number[],
  atoms: readonly Atom[],
  only: readonly string[] | null,
): FieldClasses {
  const sets = new LabelSets();
  const complex = new Set<number>();
  const groups = new Map<string, number[]>();
  for (const number of numbers) {
    const atom = atoms[number];
    if (atom?.kind !== 'in') continue;
    const group = groups.get(atom.valueKey) ?? [];
    groups.set(atom.valueKey, group);
    group.push(number);
  }
  const rawPath = key === 'path';
  const machines = [...groups.values()].flatMap((group) =>
    groupMachines(group, atoms, sets, complex, rawPath),
  );
  const machine = joinedMachines(machines, sets, complex);
  if (machine === null) {
    const { tried } = alphabetOf(key, only);
    return { classes: [{ atoms: new Set(), words: tried, natural: true }], complex };
  }
  const hints = numbers.flatMap((number) => hintsOf(atoms[number], key));
  const alphabet = alphabetOf(key, only);
  const classes = [...wordsByLabel(machine, alphabet, hints)].map(([label, words]) => ({
    atoms: new Set(sets.of(label)),
    words,
    natural: isNatural(words[0] ?? null, alphabet),
  }));
  return { classes, complex };
}

function isNatural(word: string | null, { natural, tried }: Alphabet): boolean {
  return tried.includes(word) || (word !== null && labelOf(natural, word) === 1);
}

interface GroupMachine {
  readonly machine: Machine;
  readonly numbers: readonly number[];
}

/** All together, or, where that is too much, one by one; those that are too much alone are complex. */
function groupMachines(
  group: readonly number[],
  atoms: readonly Atom[],
  sets: LabelSets,
  complex: Set<number>,
  rawPath: boolean,
): readonly GroupMachine[] {
  try {
    const machine = machineOfGroup(group, atoms, sets, rawPath);
    return machine ? [{ machine, numbers: group }] : [];
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    const [only] = group;
    if (group.length === 1 && only !== undefined) {
      complex.add(only);
      return [];
    }
    const half = Math.ceil(group.length / 2);
    return [group.slice(0, half), group.slice(half)].flatMap((part) =>
      groupMachines(part, atoms, sets, complex, rawPath),
    );
  }
}

function machineOfGroup(
  group: readonly number[],
  atoms: readonly Atom[],
  sets: LabelSets,
  rawPath: boolean,
): Machine | null {
  const languages: { number: number; language: Language }[] = [];
  const machines: Machine[] = [];
  let value: Value | null = null;
  for (const number of group) {
    const atom = atoms[number];
    if (atom?.kind !== 'in') continue;
    value = atom.value;
    const { test } = atom;
    const label = sets.number([number]);
    if (isMachine(test)) machines.push(relabelled(test, (one) => (one === 1 ? label : 0)));
    else languages.push({ number, language: test });
  }
  const texts = classifierOf(languages, sets);
  const all = together(texts ? [texts, ...machines] : machines, sets);
  return all && value ? pulledBack(value, all, rawPath) : null;
}

/** A machine that reads the field, and says what the given one says of the value. */
function pulledBack(value: Value, machine: Machine, rawPath: boolean): Machine {
  switch (value.kind) {
    case 'field':
      return value.field.kind === 'normalisedPath' && rawPath ? normalisedBefore(machine) : machine;
    case 'unknown':
      return machine;
    case 'joined': {
      const at = value.parts.findIndex((part) => fieldsOf(part).size > 0);
      const inner = value.parts[at];
      if (!inner) throw new TooComplex();
      const text = (parts: readonly Value[]) =>
        parts.map((part) => {
          if (part.kind !== 'text' && part.kind !== 'absent') throw new TooComplex();
          return part.kind === 'text' ? part.text : '';
        });
      const around = [
        text(value.parts.slice(0, at)).join(''),
        text(value.parts.slice(at + 1)).join(''),
      ] as const;
      return pulledBack(inner, joinedBefore(machine, ...around), rawPath);
    }
    case 'text':
    case 'absent':
    case 'chosen':
    case 'orElse':
      throw new TooComplex();
    default:
      return pulledBack(value.of, before(value, machine, firstCases), rawPath);
  }
}

function joinedMachines(
  groups: readonly GroupMachine[],
  sets: LabelSets,
  complex: Set<number>,
): Machine | null {
  let all: Machine | null = null;
  for (const { machine, numbers } of [...groups].sort(
    (a, b) => a.machine.labels.length - b.machine.labels.length,
  )) {
    try {
      all = together(all ? [all, machine] : [machine], sets);
    } catch (error) {
      if (!(error instanceof TooComplex)) throw error;
      for (const number of numbers) complex.add(number);
    }
  }
  return all;
}

/** Of each value the first case that has it; -2 where none has. */
export function firstCases(cases: readonly Language[]): Machine {
  const sets = new LabelSets();
  const machine =
    classifierOf(
      cases.map((language, number) => ({ number, language })),
      sets,
    ) ?? constant(0, 0);
  const absent = cases.findIndex((language) => takesAbsent(language));
  const made = relabelled(machine, (label) => sets.of(label)[0] ?? -2);
  return { ...made, absent: absent < 0 ? -2 : absent };
}

/** Whether nothing at all is in it. */
function takesAbsent(language: Language): boolean {
  return (
    ['absent', 'complement', 'union', 'intersection'].includes(language.kind) &&
    machineOf(language).absent === 1
  );
}

/** Words that are near what a condition says. */
function hintsOf(atom: Atom | undefined, key: FieldKey): readonly string[] {
  if (atom?.kind !== 'in' || isMachine(atom.test)) return [];
  return textsIn(atom.test).flatMap(({ kind, text }) => {
    if (kind === 'is') return hintsAround(atom.value, text);
    if (kind === 'begins')
      return [text, `${text}${text.endsWith('/') ? '' : key.endsWith('ath') ? '/' : ''}a`, `${text}a`];
    if (kind === 'ends')
      return key === 'host' ? [`www${text}`, `a.b${text}`, text] : [text, `/a${text}`, `a${text}`];
    return [text, `/${text}`, `/${text}/a`, `/a${text}`];
  });
}

/** A parameter or a cookie with that value. */
function hintsAround(value: Value, text: string): readonly string[] {
  if (value.kind === 'parameter' || value.kind === 'cookie') return [`${value.name}=${text}`];
  return [text];
}

type OfText = Extract<Language, { readonly text: string }>;

function textsIn(language: Language): readonly OfText[] {
  if (language.kind === 'union' || language.kind === 'intersection') return language.of.flatMap(textsIn);
  if (language.kind === 'complement' || language.kind === 'item') return textsIn(language.of);
  return 'text' in language ? [language] : [];
}

import { isSpent } from '../automata/index.ts';
import type { Step } from '../meaning.ts';
import { classesOf, type FieldClass, type FieldClasses } from './classes.ts';
import type { FieldKey } from './fields.ts';
import { isLeaf, type Leaf, type List, type Lists } from './lists.ts';
import type { Terms } from './terms.ts';

/** What was chosen for the fields, the last one first. */
export interface Chosen {
  readonly field: FieldKey;
  readonly words: readonly (string | null)[];
  /** Any of these. */
  readonly taken: readonly FieldClass[];
  /** Of all of the field. */
  readonly all: FieldClasses;
  readonly rest: Chosen | null;
}

/** Classes of requests with the same end on both sides, by the same steps. */
export interface Group {
  readonly before: End;
  readonly after: End;
  /** Some of the classes. */
  readonly samples: readonly (Chosen | null)[];
  readonly classes: number;
}

export interface End {
  readonly leaf: Leaf;
  readonly steps: readonly Step[];
}

interface Here {
  readonly list: List;
  readonly steps: readonly Step[];
}

type Groups = ReadonlyMap<string, Group>;
const none: Groups = new Map();
const samplesMax = 4;
export const visitsMax = 400_000;
/** Of entries of lists: thousands of routes over hosts take some ten each, sixty conditions over everything more than there is time for. */
const looksPerVisitMax = 5;
/** Where there is nothing left for tables: what is complex doubles the ways. */
const visitsSpentMax = 2_000;

/** Both sides together, field by field, down to where both have decided or are the same. */
export class Walk {
  readonly #terms: Terms;
  readonly #before: Lists;
  readonly #after: Lists;
  readonly #only: (field: FieldKey) => readonly string[] | null;
  readonly #known = new Map<string, Groups>();
  readonly #classes = new Map<string, FieldClasses>();
  readonly #numbers = new Map<Group, number>();
  readonly #sampleKeys = new Map<Chosen, number>();
  readonly #ids = new Map<string, number>();
  readonly #most: number;
  #visits = 0;
  readonly #looksBefore: number;
  /** False: it was too much, and not all was looked at. */
  complete = true;
  /** Atoms that no table could be made of: whether they hold is not known. */
  readonly complex = new Set<number>();

  constructor(
    terms: Terms,
    before: Lists,
    after: Lists,
    only: (field: FieldKey) => readonly string[] | null,
    most = visitsMax,
  ) {
    this.#most = most;
    this.#terms = terms;
    this.#before = before;
    this.#after = after;
    this.#only = only;
    this.#looksBefore = before.looks + (before === after ? 0 : after.looks);
  }

  /** @param all also where both sides do the same. */
  groups(before: List, after: List, all = false): readonly Group[] {
    return [...this.#walk({ list: before, steps: [] }, { list: after, steps: [] }, all).values()];
  }

  #walk(one: Here, other: Here, all: boolean): Groups {
    if (!all && one.list.same === other.list.same) return none;
    const before = opened(one);
    const after = opened(other);
    if (!all && before.list.same === after.list.same) return none;
    const key = `${this.#key(before, this.#before)} ${this.#key(after, this.#after)}`;
    const known = this.#known.get(key);
    if (known) return known;
    if (++this.#visits > this.#most || this.#isLong() || (isSpent() && this.#visits > visitsSpentMax)) {
      this.complete = false;
      return none;
    }
    const ends = [endOf(before), endOf(after)] as const;
    const found =
      ends[0] && ends[1] ? leafGroup(ends[0], ends[1], key, all) : this.#split(before, after, all);
    this.#known.set(key, found);
    return found;
  }

  #isLong(): boolean {
    const looks = this.#before.looks + (this.#after === this.#before ? 0 : this.#after.looks);
    return looks - this.#looksBefore > this.#most * looksPerVisitMax;
  }

  #key({ list, steps }: Here, lists: Lists): string {
    return `${list.id}/${steps.map((step) => lists.stepNumber(step)).join('.')}`;
  }

  #split(before: Here, after: Here, whole: boolean): Groups {
    const [left, right] = [this.#before.atomsOf(before.list), this.#after.atomsOf(after.list)];
    const field = this.#firstField([...left.keys(), ...right.keys()]);
    const atoms = [...new Set([...(left.get(field) ?? []), ...(right.get(field) ?? [])])].sort(
      (a, b) => a - b,
    );
    const key = this.#terms.formulas.fieldKeys[field] ?? '';
    const all = this.#classesOf(key, atoms);
    const { classes, complex } = all;
    for (const atom of complex) this.complex.add(atom);
    const alike = new Map<string, Alike>();
    for (const taken of classes) {
      const { atoms: held } = taken;
      const one = { ...before, list: this.#before.known(before.list, field, held, complex) };
      const other = { ...after, list: this.#after.known(after.list, field, held, complex) };
      for (const [id, group] of this.#walk(one, other, whole)) {
        const same = `${this.#numberOf(group)} ${id}`;
        const there = alike.get(same);
        if (there) there.taken.push(taken);
        else alike.set(same, { id, group, taken: [taken] });
      }
    }
    return joined([...alike.values()], key, all);
  }

  /** Groups of the same classes have one number, wherever they were come to. */
  #numberOf(group: Group): number {
    const known = this.#numbers.get(group);
    if (known !== undefined) return known;
    const isWhole = group.classes === group.samples.length;
    const key = isWhole
      ? group.samples.map((sample) => this.#sampleKey(sample)).join()
      : `#${this.#ids.size}`;
    const number = this.#ids.get(key) ?? this.#ids.size;
    this.#ids.set(key, number);
    this.#numbers.set(group, number);
    return number;
  }

  #sampleKey(sample: Chosen | null): number {
    if (sample === null) return -1;
    const known = this.#sampleKeys.get(sample);
    if (known !== undefined) return known;
    const taken = sample.taken.map(({ atoms }) => [...atoms].join('.')).join('|');
    const key = `${sample.field} ${taken} ${this.#sampleKey(sample.rest)}`;
    const number = this.#ids.get(key) ?? this.#ids.size;
    this.#ids.set(key, number);
    this.#sampleKeys.set(sample, number);
    return number;
  }

  #firstField(fields: readonly number[]): number {
    const [first, ...rest] = fields;
    if (first === undefined) throw new Error('rules that have not decided look at no field');
    return rest.reduce((a, b) => (this.#terms.formulas.comesFirst(b, a) ? b : a), first);
  }

  #classesOf(key: FieldKey, atoms: readonly number[]): FieldClasses {
    const id = `${key} ${atoms.join()}`;
    const known = this.#classes.get(id);
    if (known) return known;
    const made = classesOf(key, atoms, this.#terms.atoms, this.#only(key));
    this.#classes.set(id, made);
    return made;
  }
}

interface Alike {
  readonly id: string;
  readonly group: Group;
  readonly taken: FieldClass[];
}

/** Classes of one field that come to the same are one. */
function joined(found: readonly Alike[], field: FieldKey, all: FieldClasses): Groups {
  const groups = new Map<string, Group>();
  for (const { id, group, taken } of found) {
    const words = wordsOf(field, taken);
    const samples = group.samples.map((rest) => ({ field, words, taken, all, rest }));
    const there = groups.get(id);
    groups.set(id, {
      ...group,
      samples: [...(there?.samples ?? []), ...samples].slice(0, samplesMax),
      classes: group.classes + (there?.classes ?? 0),
    });
  }
  return groups;
}

const wordsMax = 12;

/** One of each class first. Of hosts, what the texts name comes before what is made up. */
function wordsOf(field: FieldKey, taken: readonly FieldClass[]): readonly (string | null)[] {
  const [only] = taken;
  if (only && taken.length === 1) return only.words;
  const natural = taken.filter((one) => one.natural);
  const named = field === 'host' || field === 'sni' ? natural.filter(({ atoms }) => atoms.size > 0) : [];
  const ordered = [...new Set([...named, ...natural, ...taken])].slice(0, wordsMax);
  const firsts = ordered.map(({ words }) => words[0] ?? null);
  return [...new Set([...firsts, ...ordered.flatMap(({ words }) => words)])].slice(0, wordsMax);
}

/** Rules that are surely come to are gone into. */
function opened(here: Here): Here {
  const [first] = here.list.entries;
  if (!first || here.list.entries.length > 1 || isLeaf(first.target)) return here;
  return opened({ list: first.target, steps: first.step ? [...here.steps, first.step] : here.steps });
}

function endOf({ list, steps }: Here): End | null {
  const [first, ...rest] = list.entries;
  if (!first || rest.length > 0 || !isLeaf(first.target)) return null;
  return { leaf: first.target, steps: first.step ? [...steps, first.step] : steps };
}

function leafGroup(before: End, after: End, key: string, all: boolean): Groups {
  if (!all && before.leaf.canonical().key === after.leaf.canonical().key) return none;
  return new Map([[key, { before, after, samples: [null], classes: 1 }]]);
}

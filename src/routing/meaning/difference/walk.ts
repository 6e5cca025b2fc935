import { isSpent } from '../automata/index.ts';
import type { Step } from '../meaning.ts';
import { classesOf, type FieldClasses } from './classes.ts';
import type { FieldKey } from './fields.ts';
import { isLeaf, type Leaf, type List, type Lists } from './lists.ts';
import type { Terms } from './terms.ts';

/** What was chosen for the fields, the last one first. */
export interface Chosen {
  readonly field: FieldKey;
  readonly words: readonly (string | null)[];
  readonly atoms: ReadonlySet<number>;
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
  #visits = 0;
  /** False: it was too much, and not all was looked at. */
  complete = true;
  /** Atoms that no table could be made of: whether they hold is not known. */
  readonly complex = new Set<number>();

  constructor(
    terms: Terms,
    before: Lists,
    after: Lists,
    only: (field: FieldKey) => readonly string[] | null,
  ) {
    this.#terms = terms;
    this.#before = before;
    this.#after = after;
    this.#only = only;
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
    if (++this.#visits > visitsMax || (isSpent() && this.#visits > visitsSpentMax)) {
      this.complete = false;
      return none;
    }
    const ends = [endOf(before), endOf(after)] as const;
    const found =
      ends[0] && ends[1] ? leafGroup(ends[0], ends[1], key, all) : this.#split(before, after, all);
    this.#known.set(key, found);
    return found;
  }

  #key({ list, steps }: Here, lists: Lists): string {
    return `${list.id}/${steps.map((step) => lists.stepNumber(step)).join('.')}`;
  }

  #split(before: Here, after: Here, all: boolean): Groups {
    const [left, right] = [this.#before.atomsOf(before.list), this.#after.atomsOf(after.list)];
    const field = this.#firstField([...left.keys(), ...right.keys()]);
    const atoms = [...new Set([...(left.get(field) ?? []), ...(right.get(field) ?? [])])].sort(
      (a, b) => a - b,
    );
    const key = this.#terms.formulas.fieldKeys[field] ?? '';
    const groups = new Map<string, Group>();
    const { classes, complex } = this.#classesOf(key, atoms);
    for (const atom of complex) this.complex.add(atom);
    for (const { atoms: held, words } of classes) {
      const one = { ...before, list: this.#before.known(before.list, field, held, complex) };
      const other = { ...after, list: this.#after.known(after.list, field, held, complex) };
      for (const [id, group] of this.#walk(one, other, all)) {
        const samples = group.samples.map((rest) => ({ field: key, words, atoms: held, rest }));
        const there = groups.get(id);
        groups.set(id, {
          ...group,
          samples: [...(there?.samples ?? []), ...samples].slice(0, samplesMax),
          classes: group.classes + (there?.classes ?? 0),
        });
      }
    }
    return groups;
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

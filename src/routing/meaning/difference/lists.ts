import type { Ending } from '../fate/view.ts';
import type { Keys } from '../keys.ts';
import type { Meaning, Rules, Step } from '../meaning.ts';
import { canMeet, type Needs, needsOf } from '../needs.ts';
import { type Canonical, canonicalFate } from './canonical.ts';
import { choicesOf } from './choices.ts';
import { type Formula, falsehood, truth } from './formulas.ts';
import type { Terms } from './terms.ts';

/** What is left of rules once some fields are known: the first that holds decides, the last always does. */
export interface List {
  readonly id: number;
  /** Two lists with the same number do the same, whichever steps do it. */
  readonly same: number;
  readonly entries: readonly Entry[];
}

export interface Entry {
  readonly formula: Formula;
  /** Null: the last word of rules. */
  readonly step: Step | null;
  readonly target: List | Leaf;
}

export interface Leaf {
  readonly ending: Ending;
  /** Worked out when it is asked for: of a pool with many servers it is long. */
  readonly canonical: () => Canonical;
  /** What is the same has not always the same number here: pools of the same name and servers are known by their name. */
  readonly same: number;
}

export const isLeaf = (target: List | Leaf): target is Leaf => 'ending' in target;

/** Numbers that two sides share. */
export class Sames {
  readonly #numbers = new Map<string, number>();
  /** Names of pools that both sides have alike. */
  readonly pools: ReadonlySet<string>;
  readonly keys: Keys;

  constructor(pools: ReadonlySet<string>, keys: Keys) {
    this.pools = pools;
    this.keys = keys;
  }

  number(key: string): number {
    const number = this.#numbers.get(key) ?? this.#numbers.size;
    this.#numbers.set(key, number);
    return number;
  }
}

interface Index {
  readonly byAtom: ReadonlyMap<number, readonly number[]>;
  readonly always: readonly number[];
}

/** The lists of one side. */
export class Lists {
  readonly #meaning: Meaning;
  readonly #terms: Terms;
  readonly #sames: Sames;
  readonly #ofRules = new Map<Rules, List>();
  readonly #byKey = new Map<string, List>();
  readonly #targets = new Map<object, List | Leaf>();
  readonly #steps = new Map<Step, number>();
  readonly #atoms = new Map<number, ReadonlyMap<number, readonly number[]>>();
  readonly #indexes = new Map<string, Index>();
  readonly #byChoices: boolean;
  /** How many entries were looked at to find what is left of lists: what that costs goes with it. */
  looks = 0;

  /** @param byChoices values that depend on conditions are looked at one by one, which is exact and costs more. */
  constructor(meaning: Meaning, terms: Terms, sames: Sames, byChoices = false) {
    this.#meaning = meaning;
    this.#terms = terms;
    this.#sames = sames;
    this.#byChoices = byChoices;
  }

  ofRules(rules: Rules): List {
    const known = this.#ofRules.get(rules);
    if (known) return known;
    const entries: Entry[] = [];
    for (const step of rules.steps) {
      if (step.then.kind === 'continue') continue;
      const formula = this.#terms.formula(step.when);
      if (formula !== falsehood) entries.push({ formula, step, target: this.#target(step.then) });
      if (formula === truth) break;
    }
    entries.push({ formula: truth, step: null, target: this.#target(rules.otherwise) });
    const list = this.make(entries);
    this.#ofRules.set(rules, list);
    return list;
  }

  /** Only for requests of which `within` holds; both sides do the same with others. `needs`: what it needs, at least. */
  ofRulesWithin(rules: Rules, within: Formula, needs: Needs): List {
    const outside = { formula: this.#terms.formulas.not(within), step: null, target: elsewhere };
    const inside = this.#entriesMeeting(rules, needs);
    return this.make([outside, ...inside].filter(({ formula }) => formula !== falsehood));
  }

  #entriesMeeting(rules: Rules, needs: Needs): readonly Entry[] {
    const target = (fate: Step['then'], known: Needs): List | Leaf =>
      fate.kind === 'rules' ? this.make(this.#entriesMeeting(fate.rules, known)) : this.#target(fate);
    const entries: Entry[] = [];
    for (const step of rules.steps) {
      const own = needsOf(step.when, this.#sames.keys);
      if (step.then.kind === 'continue' || !canMeet(own, needs)) continue;
      const formula = this.#terms.formula(step.when);
      if (formula !== falsehood) entries.push({ formula, step, target: target(step.then, needs) });
      if (formula === truth) break;
    }
    return [...entries, { formula: truth, step: null, target: target(rules.otherwise, needs) }];
  }

  #target(fate: Step['then']): List | Leaf {
    if (fate.kind === 'rules') return this.ofRules(fate.rules);
    if (fate.kind === 'continue') throw new Error('a step that continues decides nothing');
    const known = this.#targets.get(fate);
    if (known) return known;
    const made = this.#chosen(fate) ?? this.#leaf(fate);
    this.#targets.set(fate, made);
    return made;
  }

  #leaf(fate: Ending): Leaf {
    let made: Canonical | null = null;
    const canonical = (): Canonical => {
      made ??= canonicalFate(fate, this.#meaning);
      return made;
    };
    const key = isPlainly(fate, this.#sames.pools) ? `to ${fate.pool}` : `fate ${canonical().key}`;
    return { ending: fate, canonical, same: this.#sames.number(key) };
  }

  #chosen(fate: Ending): List | null {
    const choices = this.#byChoices ? choicesOf(fate) : null;
    if (choices === null) return null;
    const entries = choices.map(({ when, ending }, index): Entry => {
      const formula = index === choices.length - 1 ? truth : this.#terms.formula(when);
      return { formula, step: null, target: this.#leaf(ending) };
    });
    return this.make(entries.filter(({ formula }) => formula !== falsehood));
  }

  make(all: readonly Entry[]): List {
    const entries = cut(all);
    const key = entries
      .map(
        ({ formula, step, target }) =>
          `${formula}:${this.stepNumber(step)}:${isLeaf(target) ? target.same : `l${target.id}`}`,
      )
      .join();
    const known = this.#byKey.get(key);
    if (known) return known;
    const list = { id: this.#byKey.size, same: this.#same(entries), entries };
    this.#byKey.set(key, list);
    return list;
  }

  stepNumber(step: Step | null): number {
    if (step === null) return -1;
    const number = this.#steps.get(step) ?? this.#steps.size;
    this.#steps.set(step, number);
    return number;
  }

  /** Neighbours that do the same are one, and what does the same as the last word needs no saying. */
  #same(entries: readonly Entry[]): number {
    const merged: { formulas: Formula[]; same: number }[] = [];
    for (const { formula, target } of entries) {
      const last = merged.at(-1);
      if (last?.same === target.same) last.formulas.push(formula);
      else merged.push({ formulas: [formula], same: target.same });
    }
    const [only] = merged;
    if (only && merged.length === 1) return only.same;
    const { formulas } = this.#terms;
    const texts = merged.map(({ formulas: of, same }, index) =>
      index === merged.length - 1 ? `${same}` : `${formulas.or(of)}:${same}`,
    );
    return this.#sames.number(`list ${texts.join()}`);
  }

  /** Fields that its conditions look at, and their atoms. */
  atomsOf(list: List): ReadonlyMap<number, readonly number[]> {
    const known = this.#atoms.get(list.id);
    if (known) return known;
    const found = new Map<number, Set<number>>();
    for (const { formula, target } of list.entries) {
      const parts = [
        this.#terms.formulas.atomsOf(formula),
        ...(isLeaf(target) ? [] : [this.atomsOf(target)]),
      ];
      for (const part of parts)
        for (const [field, atoms] of part) {
          const into = found.get(field) ?? new Set();
          found.set(field, into);
          for (const atom of atoms) into.add(atom);
        }
    }
    const made = new Map([...found].map(([field, atoms]) => [field, [...atoms]]));
    this.#atoms.set(list.id, made);
    return made;
  }

  /** What is left once a field is known. `held`: its atoms that hold; `complex`: those of which nothing is known. */
  known(list: List, field: number, held: ReadonlySet<number>, complex: ReadonlySet<number>): List {
    const memo = new Map<Formula, Formula>();
    const lists = new Map<List, List>();
    const { formulas, atoms } = this.#terms;
    const said = (atom: number): Formula => {
      if (!complex.has(atom)) return held.has(atom) ? truth : falsehood;
      const text = `atom ${atom} ${JSON.stringify(atoms[atom])}`;
      return this.#terms.whether({ text, why: 'complex', place: { file: '', line: 0, column: 0 } });
    };
    const left = (one: List): List => {
      const before = lists.get(one);
      if (before) return before;
      if (!this.atomsOf(one).has(field)) return one;
      const entries: Entry[] = [];
      const may = this.#mayHold(one, field, held, complex);
      this.looks += may.length;
      for (const index of may) {
        const entry = one.entries[index];
        if (!entry) continue;
        const formula = formulas.known(entry.formula, field, said, memo);
        if (formula === falsehood) continue;
        const target = isLeaf(entry.target) ? entry.target : left(entry.target);
        entries.push({ formula, step: entry.step, target });
        if (formula === truth) break;
      }
      const made = this.make(entries);
      lists.set(one, made);
      return made;
    };
    return left(list);
  }

  #mayHold(
    list: List,
    field: number,
    held: ReadonlySet<number>,
    complex: ReadonlySet<number>,
  ): readonly number[] {
    if (list.entries.length < 16) return list.entries.map((_, index) => index);
    const { byAtom, always } = this.#indexOf(list, field);
    const found = new Set(always);
    for (const atom of [...held, ...complex]) for (const index of byAtom.get(atom) ?? []) found.add(index);
    return [...found].sort((a, b) => a - b);
  }

  #indexOf(list: List, field: number): Index {
    const key = `${list.id} ${field}`;
    const known = this.#indexes.get(key);
    if (known) return known;
    const byAtom = new Map<number, number[]>();
    const always: number[] = [];
    for (const [index, { formula }] of list.entries.entries()) {
      const needed = this.#terms.formulas.needed(formula, field);
      if (needed === null) always.push(index);
      for (const atom of needed ?? []) {
        const into = byAtom.get(atom) ?? [];
        byAtom.set(atom, into);
        into.push(index);
      }
    }
    const made = { byAtom, always };
    this.#indexes.set(key, made);
    return made;
  }
}

/** What is not compared. */
const elsewhere: Leaf = {
  ending: { kind: 'reject', how: 'close' },
  canonical: () => ({ key: 'elsewhere', shape: 'elsewhere' }),
  same: -1,
};

type ToPool = Extract<Ending, { readonly kind: 'pool' }>;

/** To a pool that both sides have, with what the client said. */
function isPlainly(fate: Ending, pools: ReadonlySet<string>): fate is ToPool {
  if (fate.kind !== 'pool' || !pools.has(fate.pool)) return false;
  const { method, path, query, host, headers } = fate.sent;
  return (
    method === null && path === null && query === null && host === null && Object.keys(headers).length === 0
  );
}

function cut(entries: readonly Entry[]): readonly Entry[] {
  const end = entries.findIndex(({ formula }) => formula === truth);
  return end < 0 || end === entries.length - 1 ? entries : entries.slice(0, end + 1);
}

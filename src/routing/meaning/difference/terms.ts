import {
  before,
  labelOf,
  type Machine,
  machineOf,
  minimised,
  runFrom,
  TooComplex,
} from '../automata/index.ts';
import { all, type Condition, not, type Unknown } from '../condition.ts';
import { evaluate } from '../fate/evaluate.ts';
import { requestOf } from '../fate/request.ts';
import { isUnknown, Worlds } from '../fate/world.ts';
import type { Keys } from '../keys.ts';
import type { Language } from '../language.ts';
import { absent, joined, type Value } from '../value.ts';
import { firstCases } from './classes.ts';
import { fieldsOf, unknownKey } from './fields.ts';
import { type Formula, Formulas, falsehood } from './formulas.ts';

/** One thing that may be so of a field. */
export type Atom =
  | {
      readonly kind: 'in';
      readonly value: Value;
      readonly valueKey: string;
      readonly test: Language | Machine;
    }
  | { readonly kind: 'from'; readonly networks: readonly string[] }
  /** Of which nothing is known but that it holds or does not. */
  | { readonly kind: 'whether'; readonly unknown: Unknown };

export const isMachine = (test: Language | Machine): test is Machine => 'table' in test;

const casesMax = 64;
const middleStatesMax = 60;

/** Conditions of two texts as formulas over the same atoms. */
export class Terms {
  readonly formulas = new Formulas();
  readonly atoms: Atom[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #known = new Map<number, Formula>();
  readonly #keys: Keys;
  readonly #rawPath: boolean;
  #machines = 0;

  /** @param rawPath a normalised path is looked at as what the raw one becomes: where conditions ask for both. */
  constructor(rawPath: boolean, keys: Keys) {
    this.#rawPath = rawPath;
    this.#keys = keys;
  }

  formula(condition: Condition): Formula {
    const key = this.#keys.of(condition);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#make(condition);
    this.#known.set(key, made);
    return made;
  }

  #make(condition: Condition): Formula {
    const { formulas } = this;
    switch (condition.kind) {
      case 'always':
        return formulas.and([]);
      case 'never':
        return falsehood;
      case 'all':
        return formulas.and(condition.of.map((one) => this.formula(one)));
      case 'some':
        return formulas.or(condition.of.map((one) => this.formula(one)));
      case 'not':
        return formulas.not(this.formula(condition.of));
      case 'from': {
        const networks = [...condition.networks].sort();
        return this.#atom(`from ${networks.join()}`, 'from', { kind: 'from', networks });
      }
      case 'unknown':
        return this.whether(condition);
      case 'in':
        return this.#in(condition.value, condition.language);
    }
  }

  /** A boolean of its own. */
  whether(unknown: Unknown): Formula {
    const key = `whether:${unknownKey(unknown)}`;
    return this.#atom(key, key, { kind: 'whether', unknown });
  }

  #atom(key: string, field: string, atom: Atom): Formula {
    const number = this.#numbers.get(key) ?? this.atoms.length;
    if (number === this.atoms.length) {
      this.atoms.push(atom);
      this.#numbers.set(key, number);
    }
    return this.formulas.atom(number, this.formulas.field(field));
  }

  #in(value: Value, test: Language | Machine): Formula {
    try {
      const ways = casesOf(value);
      return this.formulas.or(
        ways.map(({ when, value: one }) => this.formulas.and([this.formula(when), this.#simple(one, test)])),
      );
    } catch (error) {
      if (!(error instanceof TooComplex)) throw error;
      return this.whether(complex(`${keyOf(value)} ${isMachine(test) ? this.#machines++ : keyOf(test)}`));
    }
  }

  /** Of a value without choices. */
  #simple(value: Value, asked: Language | Machine): Formula {
    const [field] = [...fieldsOf(value)].map((key) =>
      this.#rawPath && key === 'normalisedPath' ? 'path' : key,
    );
    const test = !isMachine(asked) && isOfHost(value) ? withoutItems(asked) : asked;
    if (field === undefined) return this.#constant(value, test);
    if (hasSeveral(value)) return this.#several(value, isMachine(test) ? test : machineOf(test));
    if (field === 'sourceAddress' || field === 'localAddress') throw new TooComplex();
    const valueKey = `${this.#keys.of(value)}`;
    const testKey = isMachine(test) ? `#${this.#machines++}` : this.#keys.of(test);
    return this.#atom(`${valueKey} ${testKey}`, field, { kind: 'in', value, valueKey, test });
  }

  #constant(value: Value, test: Language | Machine): Formula {
    const told = evaluate(value, new Worlds(requestOf({}), {}).world());
    if (isUnknown(told)) throw new TooComplex();
    return labelOf(isMachine(test) ? test : machineOf(test), told) === 1 ? this.formulas.and([]) : falsehood;
  }

  /** Several fields, one behind the other: for each state between the first and the rest. */
  #several(value: Value, given: Machine): Formula {
    const machine = minimised(given);
    if (value.kind !== 'joined') {
      if (!('of' in value) || value.kind === 'orElse') throw new TooComplex();
      return this.#simple(value.of, before(value, machine, firstCases));
    }
    const [first, ...rest] = value.parts;
    if (first === undefined) throw new TooComplex();
    if (first.kind === 'text')
      return this.#simple(joined(rest), fromState(machine, runFrom(machine, machine.start, first.text)));
    if (machine.labels.length > middleStatesMax) throw new TooComplex();
    const behind = joined(rest);
    const ways = Array.from(machine.labels, (_, state) => {
      const reached = machine.labels.map((__, other) => (other === state ? 1 : 0));
      const until: Machine = { ...machine, labels: reached, absent: machine.start === state ? 1 : 0 };
      const later = this.#simple(behind, fromState(machine, state));
      return later === falsehood ? falsehood : this.formulas.and([this.#simple(first, until), later]);
    });
    return this.formulas.or(ways);
  }
}

/** Whether it is made of more than one value that a request gives. */
function hasSeveral(value: Value): boolean {
  if (value.kind === 'joined') {
    const made = value.parts.filter((part) => fieldsOf(part).size > 0);
    return made.length > 1 || made.some(hasSeveral);
  }
  return 'of' in value && hasSeveral(value.of);
}

function fromState(machine: Machine, state: number): Machine {
  return { ...machine, start: state, absent: machine.labels[state] ?? 0 };
}

function complex(text: string): Unknown {
  return { text, why: 'complex', place: { file: '', line: 0, column: 0 } };
}

export function keyOf(part: Value | Language): string {
  const text = JSON.stringify(part);
  // Asked name by name it takes ten times as long.
  if (!text.includes('"place"')) return text;
  return JSON.stringify(part, (name, inner: unknown) => (name === 'place' ? undefined : inner));
}

export interface Way {
  readonly when: Condition;
  readonly value: Value;
}

const nothing: Language = {
  kind: 'union',
  of: [{ kind: 'absent' }, { kind: 'is', text: '', ignoreCase: false }],
};

/** A value as values without choices, of which one is it: whenever its condition holds. */
export function casesOf(value: Value): readonly Way[] {
  const ways = waysOf(value);
  if (ways.length > casesMax) throw new TooComplex();
  return ways;
}

function waysOf(value: Value): readonly Way[] {
  switch (value.kind) {
    case 'text':
    case 'absent':
    case 'field':
    case 'unknown':
      return [{ when: all([]), value }];
    case 'chosen':
      return choice(value.when, value.then, value.otherwise);
    case 'orElse':
      return choice({ kind: 'in', value: value.of, language: nothing }, value.otherwise, value.of);
    case 'joined':
      return value.parts
        .reduce<readonly { readonly when: Condition; readonly parts: readonly Value[] }[]>(
          (before_, part) => {
            const crossed = before_.flatMap(({ when, parts }) =>
              casesOf(part).map((one) => ({ when: all([when, one.when]), parts: [...parts, one.value] })),
            );
            if (crossed.length > casesMax) throw new TooComplex();
            return crossed;
          },
          [{ when: all([]), parts: [] }],
        )
        .map(({ when, parts }) => ({ when, value: joined(parts) }));
    case 'mapped': {
      if (value.otherwise.kind !== 'text' && value.otherwise.kind !== 'absent') {
        const table: Value = { ...value, otherwise: absent };
        return choice({ kind: 'in', value: table, language: { kind: 'absent' } }, value.otherwise, table);
      }
      return casesOf(value.of).map((one) => ({ when: one.when, value: { ...value, of: one.value } }));
    }
    default:
      return casesOf(value.of).map((one) => ({ when: one.when, value: { ...value, of: one.value } }));
  }
}

function choice(when: Condition, then: Value, otherwise: Value): readonly Way[] {
  return [
    ...casesOf(then).map((one) => ({ when: all([when, one.when]), value: one.value })),
    ...casesOf(otherwise).map((one) => ({ when: all([not(when), one.when]), value: one.value })),
  ];
}

/** The Host header, or a part of it. */
function isOfHost(value: Value): boolean {
  if (value.kind === 'field') return value.field.kind === 'host';
  return ['lower', 'upper', 'part', 'slice'].includes(value.kind) && 'of' in value && isOfHost(value.of);
}

/** A host that a request can have has no comma, so it is one item: lists of many are what makes tables large. */
function withoutItems(language: Language): Language {
  switch (language.kind) {
    case 'item': {
      if (language.separators !== ',') return language;
      const of = withoutItems(language.of);
      return 'text' in of ? of : { kind: 'intersection', of: [{ kind: 'present' }, of] };
    }
    case 'union':
    case 'intersection':
      return { kind: language.kind, of: language.of.map(withoutItems) };
    case 'complement':
      return { kind: 'complement', of: withoutItems(language.of) };
    default:
      return language;
  }
}

import { rankOf } from './fields.ts';

/** Conditions as numbers: the same condition is the same number. 0 never holds, 1 always does. */
export type Formula = number;

export const falsehood: Formula = 0;
export const truth: Formula = 1;

type Node =
  | { readonly kind: 'constant' }
  | { readonly kind: 'atom'; readonly atom: number; readonly field: number }
  | { readonly kind: 'and' | 'or'; readonly of: readonly Formula[] }
  | { readonly kind: 'not'; readonly of: Formula };

export class Formulas {
  readonly #nodes: Node[] = [{ kind: 'constant' }, { kind: 'constant' }];
  readonly #numbers = new Map<string, Formula>();
  readonly #fieldNumbers = new Map<string, number>();
  readonly fieldKeys: string[] = [];
  readonly #ranks: number[] = [];
  /** The atoms of each formula, sorted: fields with them. */
  readonly #atoms: (ReadonlyMap<number, readonly number[]> | undefined)[] = [];

  field(key: string): number {
    const known = this.#fieldNumbers.get(key);
    if (known !== undefined) return known;
    this.#fieldNumbers.set(key, this.fieldKeys.length);
    this.#ranks.push(rankOf(key));
    return this.fieldKeys.push(key) - 1;
  }

  comesFirst(a: number, b: number): boolean {
    const difference = (this.#ranks[a] ?? 0) - (this.#ranks[b] ?? 0);
    return difference < 0 || (difference === 0 && a < b);
  }

  atom(atom: number, field: number): Formula {
    return this.#number(`a${atom}`, { kind: 'atom', atom, field });
  }

  not(of: Formula): Formula {
    if (of === truth || of === falsehood) return 1 - of;
    const node = this.#nodes[of];
    return node?.kind === 'not' ? node.of : this.#number(`!${of}`, { kind: 'not', of });
  }

  and(of: readonly Formula[]): Formula {
    return this.#many('and', of, truth, falsehood);
  }

  or(of: readonly Formula[]): Formula {
    return this.#many('or', of, falsehood, truth);
  }

  #many(kind: 'and' | 'or', of: readonly Formula[], neutral: Formula, absorbing: Formula): Formula {
    const flat = new Set<Formula>();
    for (const one of of) {
      if (one === absorbing) return absorbing;
      const node = this.#nodes[one];
      if (node?.kind === kind) for (const inner of node.of) flat.add(inner);
      else if (one !== neutral) flat.add(one);
    }
    for (const one of flat) if (flat.has(this.not(one))) return absorbing;
    const [only] = flat;
    if (only === undefined) return neutral;
    if (flat.size === 1) return only;
    const sorted = [...flat].sort((a, b) => a - b);
    return this.#number(`${kind === 'and' ? '&' : '|'}${sorted.join()}`, { kind, of: sorted });
  }

  #number(key: string, node: Node): Formula {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.#nodes.length);
    return this.#nodes.push(node) - 1;
  }

  /** Fields that it looks at, each with its atoms. */
  atomsOf(formula: Formula): ReadonlyMap<number, readonly number[]> {
    const known = this.#atoms[formula];
    if (known) return known;
    const node = this.#nodes[formula];
    let found: ReadonlyMap<number, readonly number[]>;
    if (node?.kind === 'atom') found = new Map([[node.field, [node.atom]]]);
    else if (node?.kind === 'not') found = this.atomsOf(node.of);
    else if (node?.kind === 'and' || node?.kind === 'or')
      found = merged(node.of.map((one) => this.atomsOf(one)));
    else found = new Map();
    this.#atoms[formula] = found;
    return found;
  }

  /** What is left of it once a field is known; `said` tells of each atom of that field. */
  known(
    formula: Formula,
    field: number,
    said: (atom: number) => Formula,
    memo: Map<Formula, Formula>,
  ): Formula {
    if (!this.atomsOf(formula).has(field)) return formula;
    const before = memo.get(formula);
    if (before !== undefined) return before;
    const node = this.#nodes[formula];
    let left = formula;
    if (node?.kind === 'atom') left = said(node.atom);
    else if (node?.kind === 'not') left = this.not(this.known(node.of, field, said, memo));
    else if (node?.kind === 'and' || node?.kind === 'or') {
      const of = node.of.map((one) => this.known(one, field, said, memo));
      left = node.kind === 'and' ? this.and(of) : this.or(of);
    }
    memo.set(formula, left);
    return left;
  }

  /** Atoms of a field of which one at least must hold; null: it may hold without any. */
  needed(formula: Formula, field: number): readonly number[] | null {
    const node = this.#nodes[formula];
    if (node?.kind === 'atom') return node.field === field ? [node.atom] : null;
    if (node?.kind === 'and') {
      for (const one of node.of) {
        const needed = this.needed(one, field);
        if (needed) return needed;
      }
      return null;
    }
    if (node?.kind !== 'or') return null;
    const all: number[] = [];
    for (const one of node.of) {
      const needed = this.needed(one, field);
      if (!needed) return null;
      all.push(...needed);
    }
    return all;
  }
}

function merged(
  maps: readonly ReadonlyMap<number, readonly number[]>[],
): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, Set<number>>();
  for (const map of maps)
    for (const [field, atoms] of map) {
      const into = found.get(field) ?? new Set();
      found.set(field, into);
      for (const atom of atoms) into.add(atom);
    }
  return new Map([...found].map(([field, atoms]) => [field, [...atoms]]));
}

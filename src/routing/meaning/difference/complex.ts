import type { Step } from '../meaning.ts';
import { isLeaf, type List } from './lists.ts';
import type { Terms } from './terms.ts';

/** Steps that ask for what no table could be made of. `atoms`: what was found so when classes were told apart. */
export function complexSteps(
  list: List,
  { formulas, atoms: all }: Terms,
  atoms: ReadonlySet<number>,
): readonly Step[] {
  const isComplex = (number: number) => {
    const atom = all[number];
    return atoms.has(number) || (atom?.kind === 'whether' && atom.unknown.why === 'complex');
  };
  const found: Step[] = [];
  const seen = new Set<List>();
  const look = (one: List): void => {
    if (seen.has(one)) return;
    seen.add(one);
    for (const { formula, step, target } of one.entries) {
      if (step && [...formulas.atomsOf(formula).values()].flat().some(isComplex)) found.push(step);
      if (!isLeaf(target)) look(target);
    }
  };
  look(list);
  return found;
}

/** What was spent on tables, by asking for the rest of a budget. */
import { spend, TooComplex, withinBudget } from '../../src/routing/meaning/automata/budget.ts';

const grain = 100;

/** @param most what it may spend. */
export function counted<T extends object>(most: number, run: () => T): T & { readonly work: number } {
  return withinBudget(most, () => {
    const made = run();
    return { ...made, work: most - rest() };
  });
}

/** Spends it, too. */
function rest(): number {
  let left = 0;
  try {
    for (;;) {
      spend(grain);
      left += grain;
    }
  } catch (error) {
    if (!(error instanceof TooComplex)) throw error;
    return left;
  }
}

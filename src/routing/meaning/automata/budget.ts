/** Past a named limit, or with something that no table can do. */
export class TooComplex extends Error {}

let left = Number.POSITIVE_INFINITY;

/** What `run` may spend on tables; inside another budget, no more than is left of that. Counted, not timed: the same texts, the same answer. */
export function withinBudget<T>(units: number, run: () => T): T {
  const before = left;
  const given = Math.min(units, before);
  left = given;
  try {
    return run();
  } finally {
    left = before - (given - Math.max(0, left));
  }
}

/** What every comparison needs, however little is left: tables of a fixed size. */
export function withoutBudget<T>(run: () => T): T {
  const before = left;
  left = Number.POSITIVE_INFINITY;
  try {
    return run();
  } finally {
    left = before;
  }
}

/** One unit is about one step of a table. Throws `TooComplex` when there is nothing left. */
export function spend(units: number): void {
  left -= units;
  if (left < 0) throw new TooComplex();
}

/** Whether there is anything left. */
export const isSpent = (): boolean => left <= 0;

/** Steps of tables for what conditions ask: some seconds. A condition that is met after that is too complex. */
export const workMax = 12_000_000;

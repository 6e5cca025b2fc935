import { seededRandom } from '../../test/world/random.ts';

/** Chance that a seed decides: the same seed, the same run. */
export interface Chance {
  /** From 0 on, below `limit`. */
  below(limit: number): number;
  pick<T>(of: readonly [T, ...T[]] | readonly T[]): T;
  /** True so many times of a hundred. */
  percent(share: number): boolean;
  /** At most so many, with repetition. */
  some<T>(of: readonly T[], most: number): readonly T[];
}

export function chanceOf(seed: number): Chance {
  const random = seededRandom(seed);
  const below = (limit: number) => random.integer(limit);
  const pick = <T>(of: readonly T[]): T => {
    const found = of[below(of.length)];
    if (found === undefined) throw new Error('there is nothing to pick from');
    return found;
  };
  return {
    below,
    pick,
    percent: (share) => random.next() * 100 < share,
    some: (of, most) => Array.from({ length: below(most + 1) }, () => pick(of)),
  };
}

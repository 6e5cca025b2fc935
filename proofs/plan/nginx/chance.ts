/** Chance that a seed decides: the same seed, the same run. */
export interface Chance {
  /** From 0 on, below `limit`. */
  below(limit: number): number;
  pick<T>(of: readonly T[]): T;
  /** True so many times of a hundred. */
  percent(share: number): boolean;
  some<T>(of: readonly T[], most: number): readonly T[];
}

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = <T>(of: readonly T[]): T => {
    const found = of[below(of.length)];
    if (found === undefined) throw new Error('there is nothing to pick from');
    return found;
  };
  return {
    below,
    pick,
    percent: (share) => next() * 100 < share,
    some: (of, most) => Array.from({ length: below(most + 1) }, () => pick(of)),
  };
}

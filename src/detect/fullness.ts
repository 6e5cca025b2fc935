export interface Fullness {
  /** Newest, 0 to 1. */
  readonly level: number;
  /** Until it is full at the pace of the last readings; null: it does not grow. */
  readonly fullInMs: number | null;
  /** Full, or nearly so, for several readings in a row. */
  readonly isFull: boolean;
}

export interface FullnessWatch {
  /** One reading, 0 (empty) to 1 (full), at `atMs` of a clock that does not go back. */
  add(atMs: number, level: number): Fullness;
}

const readingsMax = 60;
const readingsMin = 10;
const fullLevel = 0.95;
const fullReadings = 3;
/** The pace counts only where so many of the pairs of readings agree that it grows. */
const agreeShareMin = 0.8;

/** Something that can get full: descriptors, a queue, connections. Pace by Theil and Sen: the median of all pairs' slopes. */
export function fullnessWatch(): FullnessWatch {
  const readings: { readonly atMs: number; readonly level: number }[] = [];
  return {
    add(atMs, level) {
      readings.push({ atMs, level });
      if (readings.length > readingsMax) readings.shift();
      const newest = readings.slice(-fullReadings);
      const isFull = newest.length === fullReadings && newest.every((one) => one.level >= fullLevel);
      return { level, fullInMs: fullInMs(readings, level), isFull };
    },
  };
}

function fullInMs(
  readings: readonly { readonly atMs: number; readonly level: number }[],
  level: number,
): number | null {
  if (readings.length < readingsMin) return null;
  if (level >= 1) return 0;
  const slopes: number[] = [];
  for (const [at, one] of readings.entries())
    for (const other of readings.slice(at + 1))
      if (other.atMs > one.atMs) slopes.push((other.level - one.level) / (other.atMs - one.atMs));
  const growing = slopes.filter((slope) => slope > 0).length;
  if (slopes.length === 0 || growing < agreeShareMin * slopes.length) return null;
  const pace = slopes.toSorted((a, b) => a - b)[Math.floor(slopes.length / 2)] ?? 0;
  return pace > 0 ? (1 - level) / pace : null;
}

/** What benchmarks count with: CPU time and memory of processes, and what can be said of numbers on a busy machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { loadavg } from 'node:os';

/** Nanoseconds that the threads of a process have run. A thread that has ended is no longer counted, so none may end in between. */
export function cpuNs(pid: number): number {
  return sum(
    readdirSync(`/proc/${pid}/task`).map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    ),
  );
}

export interface Memory {
  readonly rssMb: number;
  /** Pages that several processes have are counted by halves, thirds and so on. */
  readonly pssMb: number;
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1_024;
  return { rssMb: mb('Rss'), pssMb: mb('Pss') };
}

export function loadText(): string {
  return loadavg()
    .map((load) => load.toFixed(2))
    .join(' ');
}

export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** `share` of the numbers lie at or below it. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? 0;
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle) - 1] ?? 0)) / 2;
}

export interface Interval {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

const resamples = 4_000;

/** The median ratio, with its 95 % interval by bootstrap: a few runs that somebody else disturbed do not move it. */
export function ratioInterval(ratios: readonly number[]): Interval {
  const random = seeded(1);
  const again = Array.from({ length: resamples }, () =>
    median(ratios.map(() => ratios[Math.floor(random() * ratios.length)] ?? 1)),
  );
  return { middle: median(ratios), low: quantile(again, 0.025), high: quantile(again, 0.975) };
}

/** The same numbers give the same interval. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

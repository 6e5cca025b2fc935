import type { Verdict } from './decide.ts';

/** A look costs some reads of /proc. */
const everyTicks = 10;
/** Less than this no machine that serves a site misses. */
const bytesMin = 256e6;
/** In a row: a moment is no leak. */
const looksMin = 2;

export interface MemoryWatch {
  tick(): Verdict | null;
}

export interface MemoryPlan {
  /** Their processes. */
  readonly candidate: number;
  readonly incumbent: number;
  /** So many times what the incumbent holds now, or the candidate held when it was exposed, whichever is more. */
  readonly factorMax: number;
  readonly bytesOf: (pid: number) => number;
}

/** Whether a candidate's engine holds far more memory than the incumbent at the same moment: one that leaks is found before the machine is full. */
export function watchMemory({ candidate, incumbent, factorMax, bytesOf }: MemoryPlan): MemoryWatch {
  const start = bytesOf(candidate);
  let ticks = 0;
  let looks = 0;
  return {
    tick() {
      ticks += 1;
      if (ticks % everyTicks !== 0) return null;
      const now = bytesOf(candidate);
      const other = bytesOf(incumbent);
      looks = now > Math.max(bytesMin, factorMax * Math.max(start, other)) ? looks + 1 : 0;
      if (looks < looksMin) return null;
      const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
      const reason = `its engine holds ${megabytes(now)} of memory, ${megabytes(start)} when it was exposed; the incumbent ${megabytes(other)}`;
      return { cause: 'memory', reason };
    },
  };
}

import { preciseNow, type Stall } from './plan.ts';

const samplesMax = 1_000_000;
const longStallMs = 10;
const longStallsMax = 1_000;

export interface StallMeter {
  /** Call when a timer of `afterMs`, set at `setAt` (of `performance.now()`), fires. */
  fired(setAt: number, afterMs: number): void;
  read(): Stall;
}

/** How late timers fire in this process: the part of every latency that is the machine's own. */
export function stallMeter(): StallMeter {
  const late: number[] = [];
  const long: { at: number; lateMs: number }[] = [];
  return {
    fired(setAt, afterMs) {
      const lateMs = Math.max(0, performance.now() - setAt - afterMs);
      if (late.length < samplesMax) late.push(lateMs);
      if (lateMs < longStallMs) return;
      long.push({ at: preciseNow(), lateMs });
      if (long.length > longStallsMax) long.shift();
    },
    read() {
      const sorted = late.toSorted((a, b) => a - b);
      return {
        samples: sorted.length,
        p50Ms: quantile(sorted, 0.5),
        p99Ms: quantile(sorted, 0.99),
        maxMs: sorted.at(-1) ?? 0,
        long,
      };
    },
  };
}

/** Of ascending numbers; 0 of none. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

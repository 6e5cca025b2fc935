import { systemClock } from '#base';
import type { LoadCounts, RequestRecord } from './load.ts';
import type { LoadProcess } from './load-process.ts';

export const clientTimeoutMs = 10_000;
const pollMs = 50;
/** Service is restored when this long has gone by without a bad answer. */
const quietMs = 1_500;
const restoreTimeoutMs = 30_000;

type Counts = Pick<LoadCounts, 'ok' | 'ended'>;

/** Resolves when it holds, or after `timeoutMs`: then with false. */
export async function until(
  holds: (counts: Counts) => boolean,
  counts: () => Promise<Counts>,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = systemClock.monotonicMs() + timeoutMs;
  while (systemClock.monotonicMs() < deadline) {
    if (holds(await counts())) return true;
    await systemClock.sleep(pollMs, signal);
  }
  return false;
}

/** True when `quietMs` went by with good answers only. */
export function untilQuiet(counts: () => Promise<Counts>, signal: AbortSignal): Promise<boolean> {
  let badBefore = -1;
  let okBefore = -1;
  let quietSince = systemClock.monotonicMs();
  const isQuiet = ({ ok, ended }: Counts): boolean => {
    const bad = ended - ok;
    if (bad !== badBefore) {
      badBefore = bad;
      okBefore = ok;
      quietSince = systemClock.monotonicMs();
    }
    return ok > okBefore && systemClock.monotonicMs() - quietSince >= quietMs;
  };
  return until(isQuiet, counts, signal, restoreTimeoutMs);
}

/** Several generators, read as one. */
export function together(loads: readonly LoadProcess[]): {
  counts(): Promise<Counts>;
  stop(): Promise<readonly RequestRecord[]>;
} {
  return {
    async counts() {
      const all = await Promise.all(loads.map((load) => load.counts()));
      return {
        ok: all.reduce((sum, { ok }) => sum + ok, 0),
        ended: all.reduce((sum, { ended }) => sum + ended, 0),
      };
    },
    async stop() {
      const all = await Promise.all(loads.map((load) => load.stop()));
      return all.flatMap(({ records }) => records);
    },
  };
}

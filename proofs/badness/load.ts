/** Requests on new connections at a steady rate while a bad change is made and taken back. */
import { setTimeout as sleep } from 'node:timers/promises';
import { startLoadProcess, usualLoad } from '../../test/world/load.ts';
import { until } from '../../test/world/stack.ts';
import { goodName } from './kinds.ts';

export interface Outcome {
  readonly what: string;
  readonly failed: number;
  /** Since the change began. */
  readonly of: number;
  /** From the change to the last failure; null: none. */
  readonly lastMs: number | null;
  /** Requests a second that really left. */
  readonly rate: number;
}

const quietMs = 2_000;

export async function underLoad(
  { port, rate, timeoutMs }: { readonly port: number; readonly rate: number; readonly timeoutMs: number },
  change: () => Promise<string>,
): Promise<Outcome> {
  const plan = { ...usualLoad, port, ratePerSecond: rate, timeoutMs, expectBody: goodName };
  const load = await startLoadProcess(plan);
  try {
    await until('traffic', async () => (await load.counts()).ok >= Math.max(10, rate));
    const began = Date.now();
    const what = await change();
    await sleep(quietMs);
    const { records, startedAt, endedAt } = await load.stop();
    const after = records.filter((record) => record.endedAt >= began);
    const bad = after.filter(({ outcome }) => outcome !== 'ok');
    const last = bad.reduce((latest, record) => Math.max(latest, record.endedAt), 0);
    return {
      what,
      failed: bad.length,
      of: after.length,
      lastMs: bad.length === 0 ? null : Math.round(last - began),
      rate: Math.round(records.length / ((endedAt - startedAt) / 1_000)),
    };
  } finally {
    load.kill();
  }
}

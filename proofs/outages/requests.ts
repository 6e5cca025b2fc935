/** Requests of every kind that a scenario has, counted from what is done to the site on. */
import { startLoadProcess, usualLoad } from '../../test/world/load.ts';
import { until } from '../../test/world/stack.ts';
import type { Scenario } from './scenario.ts';

export interface Requests {
  readonly failed: number;
  readonly of: number;
  /** From what was done to the last failure; null: none. */
  readonly lastMs: number | null;
}

const timeoutMs = 2_000;
const firstAnswers = 10;

export async function underRequests(
  { loads }: Pick<Scenario, 'loads'>,
  port: number,
  act: () => Promise<void>,
): Promise<Requests> {
  const running = await Promise.all(
    loads.map((load) => startLoadProcess({ ...usualLoad, ...load, port, timeoutMs })),
  );
  try {
    await until('good answers to each kind', async () => {
      const counts = await Promise.all(running.map((load) => load.counts()));
      return counts.every(({ ok }) => ok >= firstAnswers);
    });
    const began = Date.now();
    await act();
    const results = await Promise.all(running.map((load) => load.stop()));
    const all = results.flatMap(({ records }) => records).filter(({ endedAt }) => endedAt >= began);
    const bad = all.filter(({ outcome }) => outcome !== 'ok').map(({ endedAt }) => endedAt);
    const last = bad.reduce((latest, at) => Math.max(latest, at), 0);
    return {
      failed: bad.length,
      of: all.length,
      lastMs: bad.length === 0 ? null : Math.round(last - began),
    };
  } finally {
    for (const load of running) load.kill();
  }
}

/** Requests on new connections, plain and TLS, while something is done to a team's engine: none of them may fail. */
import assert from 'node:assert/strict';
import { type Load, type LoadPlan, startLoadProcess, usualLoad } from './load.ts';
import { until } from './stack.ts';
import type { Theirs } from './theirs.ts';

const requestsAtLeast = 100;

async function load(theirs: Theirs, plan: Pick<LoadPlan, 'kind' | 'tls'>): Promise<Load> {
  return await startLoadProcess({
    ...usualLoad,
    ...plan,
    port: plan.tls ? theirs.https : theirs.http,
    hostname: 'shop.example',
    ratePerSecond: 30,
    connections: 8,
    timeoutMs: 30_000,
  });
}

export async function underLoad(theirs: Theirs, work: () => Promise<void>): Promise<void> {
  const loads = await Promise.all([false, true].map((tls) => load(theirs, { kind: 'new', tls })));
  let failed: unknown = null;
  try {
    await work();
    for (const one of loads)
      await until('enough requests', async () => (await one.counts()).ended > requestsAtLeast, 120_000);
  } catch (error) {
    failed = error;
  }
  const results = await Promise.all(loads.map((one) => one.stop()));
  if (failed) throw failed;
  for (const { counts, records } of results) {
    const { ok, ...others } = counts.byOutcome;
    const bad = Object.entries(others).filter(([, count]) => count > 0);
    const first = records.find(({ outcome }) => outcome !== 'ok');
    assert.deepEqual(bad, [], `of ${ok}, the first: ${JSON.stringify(first)}`);
  }
}

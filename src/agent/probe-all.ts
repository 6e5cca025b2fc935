import type { Clock } from '#base';
import type { BalancerCalls } from '#contract';
import type { ServerRef } from '#events';
import type { Pool, Server, Site } from '#model';
import { probeServer } from '#probe';

const probesAtOnceMax = 32;

/** Asks every named server the way the engine would; those that the site does not have are left out. */
export async function probeAll(
  site: Site,
  { wanted, withinMs }: { wanted: readonly ServerRef[]; withinMs: number | undefined },
  clock: Clock,
): Promise<BalancerCalls['probe']['output']> {
  const asked = wanted.flatMap(({ pool, server }) => {
    const p = site.pools.find((x) => x.name === pool);
    const s = p?.servers.find((x) => x.name === server);
    return p && s ? [{ pool: p, server: s }] : [];
  });
  const ask = async ({ pool, server }: { pool: Pool; server: Server }) => ({
    pool: pool.name,
    server: server.name,
    address: `${server.host}:${server.port}`,
    ...(await probeServer(server, withinMs === undefined ? pool : hurried(pool, withinMs), clock)),
  });
  const results: Awaited<ReturnType<typeof ask>>[] = [];
  for (let i = 0; i < asked.length; i += probesAtOnceMax)
    results.push(...(await Promise.all(asked.slice(i, i + probesAtOnceMax).map(ask))));
  return results;
}

/** Connection and answer share the time. */
function hurried(pool: Pool, withinMs: number): Pool {
  const connectMs = Math.min(pool.timeouts.connectMs, withinMs / 2);
  const timeoutMs = Math.min(pool.healthCheck.timeoutMs, withinMs / 2);
  return {
    ...pool,
    timeouts: { ...pool.timeouts, connectMs },
    healthCheck: { ...pool.healthCheck, timeoutMs },
  };
}

import type { BuiltinText } from '#dialects';
import type { RoutedListener } from '#routing';
import { AccessKeeper } from './access.ts';
import { ErrorLog, type ProcessCounts, processCounts } from './counters.ts';
import { connectTo, watchHealth } from './health.ts';
import { PoolState, type ServerState } from './pool.ts';
import { routedListener } from './routed.ts';
import { Connections, opener } from './upstream.ts';

/** All that one running generation knows and counts. */
export interface Generation {
  readonly text: BuiltinText;
  readonly listeners: readonly RoutedListener[];
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly connections: ReadonlyMap<ServerState, Connections>;
  readonly counts: ProcessCounts;
  readonly errors: ErrorLog;
  readonly access: AccessKeeper;
  /** Every public request goes to the neighbour. */
  takeBack: boolean;
  /** A request that finds no server goes to the neighbour. */
  net: boolean;
  /** Each answer is its connection's last. */
  draining: boolean;
}

export function createGeneration(text: BuiltinText): Generation {
  const pools = new Map(text.pools.map((pool) => [pool.name, new PoolState(pool, text.limits.queuedMax)]));
  const connections = new Map<ServerState, Connections>();
  for (const pool of pools.values())
    for (const server of pool.servers)
      connections.set(
        server,
        new Connections(opener(connectTo(server.config.at), pool.config.timeouts.connectMs, null)),
      );
  return {
    text,
    listeners: text.listeners.map(routedListener),
    pools,
    connections,
    counts: processCounts(),
    access: new AccessKeeper(),
    errors: new ErrorLog(text.limits.errorLinesMax),
    takeBack: false,
    net: text.net,
    draining: false,
  };
}

export function watchPools(generation: Generation): () => void {
  const stops = [...generation.pools.values()].map(watchHealth);
  return () => {
    for (const stop of stops) stop();
  };
}

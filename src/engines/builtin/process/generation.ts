import type { BuiltinText } from '#dialects';
import type { RoutedListener } from '#routing';
import { AccessKeeper } from './access.ts';
import { type AccessLogger, accessLogger } from './access-log.ts';
import { ErrorLog, type ProcessCounts, processCounts } from './counters.ts';
import { watchHealth } from './health.ts';
import { PoolState, type ServerState } from './pool.ts';
import { type Reach, reachOf } from './reach.ts';
import { routedListener } from './routed.ts';
import { Tickets } from './tickets.ts';
import { Connections } from './upstream.ts';

/** All that one running generation knows and counts. */
export interface Generation {
  readonly text: BuiltinText;
  readonly listeners: readonly RoutedListener[];
  readonly pools: ReadonlyMap<string, PoolState>;
  readonly reaches: ReadonlyMap<PoolState, Reach>;
  /** Kept ones. With the PROXY protocol each request has a connection of its own. */
  readonly connections: ReadonlyMap<ServerState, Connections>;
  readonly counts: ProcessCounts;
  readonly errors: ErrorLog;
  readonly access: AccessKeeper;
  /** Null: what TLS clients are given is for this process alone. */
  readonly tickets: Tickets | null;
  /** Requests that are being answered. */
  underWay: number;
  readonly accessLog: AccessLogger;
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
  const reaches = new Map([...pools.values()].map((pool) => [pool, reachOf(pool.config)]));
  for (const [pool, reach] of reaches)
    for (const server of pool.servers)
      connections.set(server, new Connections(reach.way(server.config, null)));
  return {
    text,
    listeners: text.listeners.map(routedListener),
    pools,
    reaches,
    connections,
    counts: processCounts(),
    access: new AccessKeeper(),
    tickets: text.ticketKeys === null ? null : Tickets.read(text.ticketKeys),
    underWay: 0,
    accessLog: accessLogger(text.accessLog),
    errors: new ErrorLog(text.limits.errorLinesMax),
    takeBack: false,
    net: text.net,
    draining: false,
  };
}

export function watchPools(generation: Generation): () => void {
  const stops = [...generation.reaches].map(([pool, reach]) => watchHealth(pool, reach));
  return () => {
    for (const stop of stops) stop();
  };
}

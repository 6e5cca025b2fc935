import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { nginxDialect, nginxNames } from '#dialects';
import type { HealthCheck, PoolTimeouts } from '#model';

/** What the text says of itself in its comments. */
export interface TextFacts {
  readonly sockets: number;
  readonly workers: number;
  readonly neighbour: boolean;
  readonly net: boolean;
  readonly pools: readonly PoolFacts[];
}

export interface PoolFacts {
  readonly name: string;
  readonly healthCheck: HealthCheck;
  readonly timeouts: PoolTimeouts;
  readonly servers: readonly ServerFacts[];
}

export interface ServerFacts {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** As NGINX asks it, and names it in its log. */
  readonly address: string;
}

/** @throws Error when there is no such text. */
export function readFacts(folder: string): TextFacts {
  return factsOf(readFileSync(join(folder, nginxDialect.fileName), 'utf8'));
}

function factsOf(text: string): TextFacts {
  const { generation, pool, server } = nginxNames.facts;
  let head = { sockets: { count: 0 }, workers: 1, neighbour: false, net: false };
  const pools: (Omit<PoolFacts, 'servers'> & { servers: ServerFacts[] })[] = [];
  for (const line of text.split('\n')) {
    const found = line.trimStart();
    if (found.startsWith(generation)) head = JSON.parse(found.slice(generation.length));
    else if (found.startsWith(pool)) {
      pools.push({ ...JSON.parse(found.slice(pool.length)), servers: [] });
    } else if (found.startsWith(server)) pools.at(-1)?.servers.push(JSON.parse(found.slice(server.length)));
  }
  return { ...head, sockets: head.sockets.count, pools };
}

/** How many listening sockets the text expects to be lent. */
export function inheritedSockets(textFile: string): number {
  try {
    return readFacts(dirname(textFile)).sockets;
  } catch {
    return 0;
  }
}

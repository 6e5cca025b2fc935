import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type NginxTlsFacts, nginxDialect, nginxNames } from '#dialects';
import type { HealthCheck, Pool, PoolTimeouts } from '#model';

/** What the text says of itself in its comments. */
export interface TextFacts {
  readonly sockets: number;
  readonly workers: number;
  readonly neighbour: boolean;
  readonly net: boolean;
  /** A team's own text: where it starts relative names is for its binary to say, and its logs and files have no limit of ours. */
  readonly own: boolean;
  /** There are TCP or TLS listeners. `net`: where their neighbour's are. */
  readonly streams: { readonly net: { readonly doors: string; readonly entrance: string } | null } | null;
  readonly pools: readonly PoolFacts[];
}

export interface PoolFacts {
  readonly name: string;
  readonly healthCheck: HealthCheck;
  readonly timeouts: PoolTimeouts;
  /** Absent: the servers speak plain HTTP. */
  readonly tls?: NginxTlsFacts;
  readonly proxyProtocol?: Pool['proxyProtocol'];
  /** Who was down when it started, and the flag that says that one of them is well again. */
  readonly known?: { readonly flag: string; readonly servers: readonly string[] };
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

const noFacts = { workers: 1, neighbour: false, net: false, own: false, streams: null } as const;

function factsOf(text: string): TextFacts {
  const { generation, pool, server } = nginxNames.facts;
  let head: Omit<TextFacts, 'sockets' | 'pools'> & { readonly sockets: { readonly count: number } } = {
    ...noFacts,
    sockets: { count: 0 },
  };
  const pools: (Omit<PoolFacts, 'servers'> & { servers: ServerFacts[] })[] = [];
  for (const line of text.split('\n')) {
    const found = line.trimStart();
    if (found.startsWith(generation)) head = { ...noFacts, ...JSON.parse(found.slice(generation.length)) };
    else if (found.startsWith(pool)) {
      pools.push({ ...JSON.parse(found.slice(pool.length)), servers: [] });
    } else if (found.startsWith(server)) pools.at(-1)?.servers.push(JSON.parse(found.slice(server.length)));
  }
  return { ...head, sockets: head.sockets.count, pools };
}

/** How many listening sockets the text expects to be lent, whether a team wrote it, and who is known. */
export function startFacts(textFile: string): Pick<TextFacts, 'sockets' | 'own' | 'pools' | 'streams'> {
  try {
    return readFacts(dirname(textFile));
  } catch {
    return { sockets: 0, own: false, pools: [], streams: null };
  }
}

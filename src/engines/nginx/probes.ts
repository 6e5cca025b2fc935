import type { Clock } from '#base';
import type { NginxTlsFacts } from '#dialects';
import type { PoolTls } from '#model';
import { probeServer } from '#probe';
import type { ServerEvidence } from '../engine.ts';
import type { PoolFacts, ServerFacts, TextFacts } from './facts.ts';

/** Nobody asks any more: nobody is told. */
const idleMsMax = 5_000;
const atOnceMax = 32;
const stepMs = 50;

interface Watched {
  readonly pool: PoolFacts;
  readonly server: ServerFacts;
  state: ServerEvidence['state'];
  lastCheck: string;
  inARow: number;
  dueAt: number;
}

export interface Probes {
  /** What is known now; goes on asking the servers for as long as this is called. */
  look(): readonly Pick<ServerEvidence, 'pool' | 'server' | 'state' | 'lastCheck'>[];
  close(): void;
}

/** Of the pool's servers a probe needs only who they are. */
function probed({
  healthCheck,
  timeouts,
  servers,
  tls,
  proxyProtocol = null,
}: PoolFacts): Parameters<typeof probeServer>[1] {
  const all = servers.map((s) => ({
    ...s,
    weight: 1,
    connectionsMax: null,
    spare: false,
    maintenance: false,
    place: nowhere,
  }));
  return { healthCheck, timeouts, servers: all, tls: tls ? reached(tls) : null, proxyProtocol };
}

function reached({ certificate: file, ...tls }: NginxTlsFacts): PoolTls {
  const certificate = file === null ? null : { certificate: file, key: file, place: nowhere };
  return { ...tls, certificate, place: nowhere };
}

const nowhere = { file: '', line: 1, column: 1 };

/**
 * Open-source NGINX asks no server whether it is well, so Holdfast does, as the site's health checks say: for the warm-up,
 * the guard and people. NGINX itself learns of a server's trouble only from requests that fail.
 */
export function openProbes(
  facts: TextFacts,
  clock: Clock,
  /** Servers of a pool that count as down until they were asked. */
  downAlready: (pool: PoolFacts) => readonly string[],
): Probes {
  const all: Watched[] = facts.pools.flatMap((pool) => {
    const down = downAlready(pool);
    return pool.servers.map((server): Watched => {
      const isDown = down.includes(server.name);
      const lastCheck = isDown ? 'down in the generation before' : '';
      return { pool, server, state: isDown ? 'down' : 'unknown', lastCheck, inARow: 0, dueAt: 0 };
    });
  });
  let askedAt = Number.NEGATIVE_INFINITY;
  let underWay = 0;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  async function probe(one: Watched): Promise<void> {
    const { healthCheck: check } = one.pool;
    one.dueAt = Number.POSITIVE_INFINITY;
    underWay += 1;
    const { ok, tried, answered } = one.server.address.startsWith('unix')
      ? { ok: true, tried: one.server.address, answered: 'not asked' }
      : await probeServer(one.server, probed(one.pool), clock);
    underWay -= 1;
    one.lastCheck = `${tried}: ${answered}`;
    const wanted = ok ? 'up' : 'down';
    one.inARow = wanted === one.state ? 0 : one.inARow + 1;
    const enough = one.state === 'unknown' ? 1 : ok ? check.rise : check.fall;
    if (one.inARow >= enough) {
      one.state = wanted;
      one.inARow = 0;
    }
    one.dueAt = clock.monotonicMs() + check.intervalMs;
  }

  function step(): void {
    const now = clock.monotonicMs();
    if (closed || now - askedAt > idleMsMax) {
      if (timer) clearInterval(timer);
      timer = null;
      return;
    }
    for (const one of all) {
      if (underWay >= atOnceMax) return;
      if (one.dueAt <= now) void probe(one);
    }
  }

  return {
    look() {
      askedAt = clock.monotonicMs();
      if (timer === null && !closed) {
        timer = setInterval(step, stepMs).unref();
        step();
      }
      return all.map(({ pool, server, state, lastCheck }) => ({
        pool: pool.name,
        server: server.name,
        state,
        lastCheck,
      }));
    },
    close() {
      closed = true;
    },
  };
}

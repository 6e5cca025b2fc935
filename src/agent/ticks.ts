import type { Evidence, PoolEvidence, ServerEvidence } from '#engines';
import { type HostFigures, noCounts, type PoolTick, type ServerTick, type Tick } from '#events';
import { since } from './evidence.ts';

/** A minute: a controller that is away for longer has missed something, and says so. */
const keptMax = 600;
const waitersMax = 16;

export interface ReadTicks {
  /** When this agent began: numbers count from there. */
  readonly life: number;
  readonly ticks: readonly Tick[];
}

export interface TickParts {
  readonly generation: number;
  /** Null: the engine said nothing. */
  readonly evidence: Evidence | null;
  readonly servers: readonly ServerEvidence[] | null;
  readonly host: HostFigures | null;
}

/** What the engine counted, tick by tick, for whoever watches: kept for a minute, and handed on as it comes. */
export class Ticks {
  readonly #balancer: string;
  readonly #life: number;
  #kept: Tick[] = [];
  #number = 0;
  #before: { readonly generation: number; readonly at: number; readonly evidence: Evidence } | null = null;
  #servers: { readonly generation: number; readonly by: ReadonlyMap<string, ServerEvidence> } | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(balancer: string, life: number) {
    this.#balancer = balancer;
    this.#life = life;
  }

  add(at: number, { generation, evidence, servers, host }: TickParts): void {
    const before = this.#before?.generation === generation ? this.#before : null;
    this.#number += 1;
    this.#kept.push({
      number: this.#number,
      at,
      forMs: Math.max(1, at - (this.#kept.at(-1)?.at ?? at - 100)),
      balancer: this.#balancer,
      generation,
      answered: evidence !== null,
      counts: evidence && before ? since(evidence, before.evidence) : noCounts,
      connections: evidence?.connections ?? 0,
      inHand: evidence?.inHand ?? null,
      pools: evidence && before ? poolTicks(evidence, before.evidence) : [],
      ...(servers ? { servers: this.#serverTicks(generation, servers) } : {}),
      ...(host ? { host } : {}),
    });
    if (evidence) this.#before = { generation, at, evidence };
    if (this.#kept.length > keptMax) this.#kept.shift();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Those after number `after` of that life, at once where there are some, else as soon as one comes, or none after `waitMs`. */
  async read(life: number, after: number, waitMs: number): Promise<ReadTicks> {
    const from = life === this.#life ? after : 0;
    if (this.#number <= from && this.#waiting.size < waitersMax) await this.#next(waitMs);
    return { life: this.#life, ticks: this.#kept.filter(({ number }) => number > from) };
  }

  #next(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, waitMs);
      const waiting = this.#waiting;
      function done(): void {
        clearTimeout(timer);
        waiting.delete(done);
        resolve();
      }
      waiting.add(done);
    });
  }

  /** Since the list before. Of a list that is the first of its generation nothing is known but the states. */
  #serverTicks(generation: number, servers: readonly ServerEvidence[]): ServerTick[] {
    const before = this.#servers?.generation === generation ? this.#servers.by : null;
    const by = new Map(servers.map((one) => [`${one.pool}/${one.server}`, one]));
    this.#servers = { generation, by };
    return servers.map((one) => {
      const { pool, server, state, lastCheck } = one;
      const was = before?.get(`${pool}/${server}`) ?? one;
      const more = (now: number, then: number) => Math.max(0, now - then);
      return {
        pool,
        server,
        state,
        lastCheck,
        requests: more(one.requests, was.requests),
        errors: more(one.errors, was.errors),
        faults: more(one.faults ?? 0, was.faults ?? 0),
        ...(one.timeMs === undefined ? {} : { timeMs: more(one.timeMs, was.timeMs ?? one.timeMs) }),
      };
    });
  }
}

/** Only of pools at which something happened, or waits: most of a thousand are quiet in a tenth of a second. */
function poolTicks(now: Evidence, before: Evidence): PoolTick[] {
  const earlier = new Map(before.pools.map((pool) => [pool.pool, pool]));
  return now.pools.flatMap((pool) => {
    const was = earlier.get(pool.pool);
    return was ? poolTick(pool, was) : [];
  });
}

function poolTick(now: PoolEvidence, was: PoolEvidence): PoolTick[] {
  const more = (a = 0, b = 0) => Math.max(0, a - b);
  const tick = {
    pool: now.pool,
    requests: more(now.requests, was.requests),
    errors: more(now.errors, was.errors),
    connectionErrors: more(now.connectionErrors, was.connectionErrors),
    retries: more(now.retries, was.retries),
    responseErrors: more(now.responseErrors, was.responseErrors),
    serversLive: now.serversLive,
    serversAll: now.serversAll,
    queued: now.queued,
    ...(now.inHand === undefined ? {} : { inHand: now.inHand }),
    timedRequests: more(now.timedRequests, was.timedRequests),
    timeMs: more(now.timeMs, was.timeMs),
  };
  const { requests, errors, connectionErrors, retries, responseErrors } = tick;
  const happened = requests + errors + connectionErrors + retries + responseErrors + now.queued + was.queued;
  return happened > 0 || now.serversLive !== was.serversLive ? [tick] : [];
}

import type { BuiltinPool, BuiltinServer } from '#dialects';
import type { PoolEvidence, ServerEvidence } from '../../engine.ts';
import { type Choice, choosers } from './algorithm.ts';
import { type PoolCounts, poolCounts } from './counters.ts';

/** One server as the engine sees it now. */
export interface ServerState {
  readonly config: BuiltinServer;
  readonly key: string;
  readonly weight: number;
  active: number;
  turn: number;
  state: ServerEvidence['state'];
  /** Checks in a row that spoke against the present state. */
  streak: number;
  lastCheck: string;
  failedInARow: number;
  /** Asks for a check at once. */
  suspect(): void;
  requests: number;
  errors: number;
}

export type Lease =
  | { readonly kind: 'server'; readonly server: ServerState; release(): void }
  /** No live server that was not tried yet. */
  | { readonly kind: 'none' }
  | { readonly kind: 'refused'; readonly why: string };

/** Who waits for a server, and may leave meanwhile. */
export interface Leaving {
  readonly gone: boolean;
  whenGone(tell: (() => void) | null): void;
}

interface Waiter {
  readonly source: string;
  readonly tried: ReadonlySet<ServerState>;
  settle(lease: Lease): void;
}

/** A pool's servers, who is live, who has room, and who waits. */
export class PoolState {
  readonly config: BuiltinPool;
  readonly servers: readonly ServerState[];
  readonly counts: PoolCounts = poolCounts();
  readonly #queue: Waiter[] = [];
  readonly #queuedMax: number;
  readonly #random: () => number;

  constructor(config: BuiltinPool, queuedMax: number, random: () => number = Math.random) {
    this.config = config;
    this.#queuedMax = queuedMax;
    this.#random = random;
    this.servers = config.servers.map((server) => ({
      config: server,
      key: `${config.name}/${server.name}`,
      weight: server.weight,
      active: 0,
      turn: 0,
      state: 'unknown',
      streak: 0,
      lastCheck: '',
      failedInARow: 0,
      suspect() {},
      requests: 0,
      errors: 0,
    }));
  }

  get live(): number {
    return this.servers.filter((server) => server.state !== 'down').length;
  }

  /** At once, or after a wait of at most the pool's `queueMs`; a client that leaves leaves the queue too. */
  acquire(source: string, tried: ReadonlySet<ServerState>, client: Leaving): Lease | Promise<Lease> {
    const now = this.#tryNow({ source, tried });
    if (now) return now;
    if (this.#queue.length >= this.#queuedMax) return { kind: 'refused', why: 'the queue is full' };
    return this.#wait(source, tried, client);
  }

  /** A state changed or a request ended: whoever can go on, does, in order. */
  wake(): void {
    for (let index = 0; index < this.#queue.length; ) {
      const waiter = this.#queue[index];
      const lease = waiter && this.#tryNow(waiter);
      if (waiter && lease) waiter.settle(lease);
      else index += 1;
      // Nobody behind gets a server when all are full, unless it is allowed other ones.
      if (!lease && waiter?.tried.size === 0) return;
    }
  }

  evidence(): PoolEvidence {
    return {
      pool: this.config.name,
      ...this.counts,
      serversLive: this.live,
      serversAll: this.servers.length,
      queued: this.#queue.length,
    };
  }

  serverEvidence(): ServerEvidence[] {
    return this.servers.map(({ config, state, lastCheck, requests, errors }) => ({
      pool: this.config.name,
      server: config.name,
      state,
      lastCheck,
      requests,
      errors,
    }));
  }

  #tryNow({ source, tried }: Pick<Waiter, 'source' | 'tried'>): Lease | null {
    const usable = this.servers.filter((server) => server.state !== 'down' && !tried.has(server));
    if (usable.length === 0) return { kind: 'none' };
    const choice: Choice = { source, random: this.#random };
    const server = choosers[this.config.algorithm](usable.filter(hasRoom), choice);
    return server && this.#lease(server);
  }

  #lease(server: ServerState): Lease {
    server.active += 1;
    let held = true;
    const release = () => {
      if (!held) return;
      held = false;
      server.active -= 1;
      this.wake();
    };
    return { kind: 'server', server, release };
  }

  #wait(source: string, tried: ReadonlySet<ServerState>, client: Leaving): Promise<Lease> {
    return new Promise((resolve) => {
      const settle = (lease: Lease) => {
        clearTimeout(timer);
        client.whenGone(null);
        const index = this.#queue.indexOf(waiter);
        if (index >= 0) this.#queue.splice(index, 1);
        resolve(lease);
      };
      const refuse = (why: string) => () => settle({ kind: 'refused', why });
      const leave = refuse('the client left');
      const waiter: Waiter = { source, tried, settle };
      const timer = setTimeout(refuse('no server had room in time'), this.config.timeouts.queueMs);
      client.whenGone(leave);
      this.#queue.push(waiter);
    });
  }
}

function hasRoom(server: ServerState): boolean {
  return server.config.connectionsMax === null || server.active < server.config.connectionsMax;
}

/** What a check says about a server. The first of all decides at once, and so does a failed one that decides `alone`. */
export function judge(pool: PoolState, server: ServerState, ok: boolean, said: string, alone = false): void {
  server.lastCheck = said;
  const against = ok ? 'down' : 'up';
  if (server.state !== 'unknown' && server.state !== against) {
    server.streak = 0;
    return;
  }
  server.streak += 1;
  const needed =
    server.state === 'unknown' || (alone && !ok)
      ? 1
      : ok
        ? pool.config.healthCheck.rise
        : pool.config.healthCheck.fall;
  if (server.streak >= needed) setState(pool, server, ok ? 'up' : 'down');
}

/** What another generation knows: those of this pool that `down` names count as down. Returns how many are. */
export function takeForDown(pool: PoolState, down: unknown): number {
  const named = Array.isArray(down) ? (down as readonly { pool?: unknown; server?: unknown }[]) : [];
  const found = pool.servers.filter(({ config }) =>
    named.some((one) => one.pool === pool.config.name && one.server === config.name),
  );
  for (const server of found) {
    if (server.lastCheck === '') server.lastCheck = 'down in the generation before';
    setState(pool, server, 'down');
  }
  return found.length;
}

/**
 * Failed connections in a row bring the next check forward, and that check alone decides. They mark nobody down by
 * themselves: a server's restart of half a second, or a short fault of our own network, is bridged by retries.
 */
export function connectionFailed(server: ServerState, errorsInARow: number): void {
  server.failedInARow += 1;
  if (server.failedInARow < errorsInARow) return;
  server.failedInARow = 0;
  server.suspect();
}

function setState(pool: PoolState, server: ServerState, state: 'up' | 'down'): void {
  server.state = state;
  server.streak = 0;
  pool.wake();
}

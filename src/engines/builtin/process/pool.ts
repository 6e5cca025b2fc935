import type { BuiltinPool, BuiltinServer } from '#dialects';
import type { PoolEvidence, ServerEvidence } from '../../engine.ts';
import { type Choice, choosers } from './algorithm.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { type PoolCounts, poolCounts } from './counters.ts';

/** One server as the engine sees it now. */
export interface ServerState {
  readonly config: BuiltinServer;
  readonly key: string;
  /** Less than the site's while it starts slowly. */
  weight: number;
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

/** What of a request may decide on its server. */
export interface Preference {
  /** The client's address. */
  readonly source: string;
  readonly hashKey: string | null;
  /** Name of the server that a cookie leads to. */
  readonly sticky: string | null;
}

const downBefore = 'down in the generation before';

interface Waiter {
  readonly preference: Preference;
  readonly tried: ReadonlySet<ServerState>;
  settle(lease: Lease): void;
}

/** A pool's servers, who is live, who has room, and who waits. */
export class PoolState {
  readonly config: BuiltinPool;
  readonly servers: readonly ServerState[];
  readonly counts: PoolCounts = poolCounts();
  readonly breaker: CircuitBreaker | null;
  readonly #regular: readonly ServerState[];
  /** Called after a server's state has changed. */
  changed: (server: ServerState) => void = () => {};
  readonly #queue: Waiter[] = [];
  readonly #queuedMax: number;
  readonly #random: () => number;

  constructor(config: BuiltinPool, queuedMax: number, random: () => number = Math.random) {
    this.config = config;
    this.breaker = config.circuitBreaker === undefined ? null : new CircuitBreaker(config.circuitBreaker);
    this.#queuedMax = config.queuedMax ?? queuedMax;
    this.#random = random;
    this.servers = config.servers.map((server) => ({
      config: server,
      key: `${config.name}/${server.name}`,
      weight: server.weight,
      active: 0,
      turn: 0,
      state: server.knownDown ? 'down' : 'unknown',
      streak: 0,
      lastCheck: server.knownDown ? downBefore : '',
      failedInARow: 0,
      suspect() {},
      requests: 0,
      errors: 0,
    }));
    this.#regular = this.servers.filter((server) => !server.config.spare);
  }

  /** Spare servers are not counted: that they are needed is no health. */
  get live(): number {
    return this.#regular.filter((server) => server.state !== 'down').length;
  }

  /** At once, or after a wait of at most the pool's `queueMs`; a client that leaves leaves the queue too. */
  acquire(preference: Preference, tried: ReadonlySet<ServerState>, client: Leaving): Lease | Promise<Lease> {
    const now = this.#tryNow({ preference, tried });
    if (now) return now;
    if (this.#queue.length >= this.#queuedMax) return { kind: 'refused', why: 'the queue is full' };
    return this.#wait(preference, tried, client);
  }

  /** Whether a server is live that was not tried. */
  hasOther(tried: ReadonlySet<ServerState>): boolean {
    return this.#usable(null, tried).length > 0;
  }

  /** A state changed or a request ended: whoever can go on, does, in order. */
  wake(): void {
    for (let index = 0; index < this.#queue.length; ) {
      const waiter = this.#queue[index];
      const lease = waiter && this.#tryNow(waiter);
      if (waiter && lease) waiter.settle(lease);
      else index += 1;
      // Nobody behind gets a server when all are full, unless it is allowed other ones.
      if (!lease && waiter?.tried.size === 0 && waiter.preference.sticky === null) return;
    }
  }

  evidence(): PoolEvidence {
    return {
      pool: this.config.name,
      ...this.counts,
      serversLive: this.live,
      serversAll: this.#regular.length,
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

  #tryNow({ preference, tried }: Pick<Waiter, 'preference' | 'tried'>): Lease | null {
    const usable = this.#usable(preference.sticky, tried);
    if (usable.length === 0) return { kind: 'none' };
    const choice: Choice = { ...preference, random: this.#random };
    const server = choosers[this.config.algorithm](usable.filter(hasRoom), choice);
    return server && this.#lease(server);
  }

  /** A client waits for its own server as long as that one is live. */
  #usable(sticky: string | null, tried: ReadonlySet<ServerState>): readonly ServerState[] {
    const may = (server: ServerState) => server.state !== 'down' && !tried.has(server);
    const own = sticky === null ? undefined : this.servers.find(({ config }) => config.name === sticky);
    if (own && may(own)) return [own];
    if (this.live > 0) return this.#regular.filter(may);
    return this.servers.filter((server) => server.config.spare && may(server)).slice(0, 1);
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

  #wait(preference: Preference, tried: ReadonlySet<ServerState>, client: Leaving): Promise<Lease> {
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
      const waiter: Waiter = { preference, tried, settle };
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
    if (server.lastCheck === '') server.lastCheck = downBefore;
    setState(pool, server, 'down');
  }
  return found.length;
}

/**
 * Errors in a row bring the next check forward, and that check alone decides: they mark nobody down by themselves,
 * because a server's restart of half a second, or a short fault of our own network, is bridged by retries. A site that
 * asks for ejection has it otherwise: its server is out until `rise` checks in a row were good.
 */
export function serverFailed(pool: PoolState, server: ServerState, errorsInARow: number): void {
  const { ejection } = pool.config;
  server.failedInARow += 1;
  if (server.failedInARow < (ejection?.errorsInARow ?? errorsInARow)) return;
  server.failedInARow = 0;
  if (ejection === null || tooManyDown(pool, server, ejection.serversShareMax ?? 1)) {
    server.suspect();
    return;
  }
  server.lastCheck = `ejected after ${ejection.errorsInARow} errors in a row`;
  setState(pool, server, 'down');
}

/** A spare server is one more, not one of those that must stay. */
function tooManyDown({ servers }: PoolState, server: ServerState, shareMax: number): boolean {
  if (server.config.spare) return false;
  const regular = servers.filter(({ config }) => !config.spare);
  const down = regular.filter((one) => one === server || one.state === 'down').length;
  return down / regular.length > shareMax;
}

/** Whether this answer counts as one of the server's errors. */
export function isError(status: number): boolean {
  return status >= 500 && status !== 501 && status !== 505;
}

/** What the checks have come to; in a worker, what whoever checks has said. */
export function setState(pool: PoolState, server: ServerState, state: ServerState['state']): void {
  const back = server.state === 'down' && state === 'up';
  server.state = state;
  server.streak = 0;
  const { slowStartMs } = pool.config;
  if (back && slowStartMs !== null) startSlowly(server, slowStartMs);
  pool.changed(server);
  pool.wake();
}

const slowSteps = 20;

/** The share grows in steps, as HAProxy's does. */
function startSlowly(server: ServerState, slowStartMs: number): void {
  const whole = server.config.weight;
  const step = (number: number) => {
    server.weight = (whole * number) / slowSteps;
    if (number === slowSteps || server.state !== 'up') server.weight = whole;
    else setTimeout(step, slowStartMs / slowSteps, number + 1).unref();
  };
  step(1);
}

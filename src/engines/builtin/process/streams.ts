import type { Socket } from 'node:net';
import { assert } from '#base';
import type { BuiltinStream } from '#dialects';
import { decideStream, mayAsk, type StreamListener } from '#routing';
import { clientOf } from './access.ts';
import type { Endpoint } from './address.ts';
import { parseClientHello } from './client-hello.ts';
import { drawnPool } from './filters.ts';
import type { Generation } from './generation.ts';
import { join } from './join.ts';
import { type PoolState, type Preference, type ServerState, serverFailed } from './pool.ts';
import { readPreface } from './preface.ts';
import { proxyHeader } from './proxy-protocol.ts';
import { type ConnectFailed, opener, type Way } from './upstream.ts';

const neighbourConnectMs = 1_000;
const hashesNothing = { hashKey: null, sticky: null } as const;

export interface StreamFacts {
  readonly side: 'public' | 'entrance';
  readonly client: Endpoint;
  /** Where the client connected to. */
  readonly local: Endpoint;
}

/** Connections of one TCP or TLS listener; by the entrance too, where its limits were held to before. */
export class Stream {
  readonly said: BuiltinStream;
  readonly #generation: Generation;
  readonly #routed: StreamListener;
  readonly #mayConnect: (address: string) => boolean;
  readonly #byClient = new Map<string, number>();
  #open = 0;

  constructor(generation: Generation, said: BuiltinStream) {
    this.#generation = generation;
    this.said = said;
    this.#mayConnect = mayAsk(said);
    const rules = said.rules.map(({ route, name, shares }) => ({
      route,
      place: null,
      name,
      shares: shares.map((share) => ({ ...share, servers: [] })),
    }));
    this.#routed = { name: said.name, host: said.host, port: said.port, byName: said.byName, rules };
  }

  /** Takes it from its first byte (behind a PROXY header) to its end. */
  take(socket: Socket, facts: StreamFacts): void {
    const { counts } = this.#generation;
    if (facts.side === 'entrance') counts.entranceRequests += 1;
    else {
      counts.requests += 1;
      if (!this.#mayConnect(facts.client.address) || !this.#hasRoom(socket, facts.client))
        return void this.#refuse(socket, facts);
    }
    if (!this.said.byName) return void this.#begin(socket, facts, null);
    readPreface(socket, {
      msMax: this.said.inspectMs,
      parse: parseClientHello,
      use: ({ name }) => void this.#begin(socket, facts, name),
      refuse: () => this.#refuse(socket, facts),
    });
  }

  #hasRoom(socket: Socket, { address }: Endpoint): boolean {
    const { connectionsMax, connectionsPerClientMax } = this.said;
    const client = clientOf(address);
    const own = this.#byClient.get(client) ?? 0;
    if (this.#open >= (connectionsMax ?? Number.POSITIVE_INFINITY)) return false;
    if (own >= (connectionsPerClientMax ?? Number.POSITIVE_INFINITY)) return false;
    this.#open += 1;
    this.#byClient.set(client, own + 1);
    socket.once('close', () => {
      this.#open -= 1;
      const left = (this.#byClient.get(client) ?? 1) - 1;
      if (left === 0) this.#byClient.delete(client);
      else this.#byClient.set(client, left);
    });
    return true;
  }

  #refuse(socket: Socket, { side }: StreamFacts): void {
    if (side === 'public') this.#generation.counts.clientErrors += 1;
    socket.destroy();
  }

  /** A mistake of ours must not end the others. */
  async #begin(socket: Socket, facts: StreamFacts, name: string | null): Promise<void> {
    await this.#serve(socket, facts, name).catch(() => socket.destroy());
  }

  async #serve(socket: Socket, facts: StreamFacts, name: string | null): Promise<void> {
    const generation = this.#generation;
    if (generation.takeBack && facts.side === 'public' && (await this.#toNeighbour(socket, facts))) return;
    const rule = decideStream(this.#routed, name);
    if (!rule) {
      this.#refuse(socket, facts);
      return;
    }
    const pool = generation.pools.get(drawnPool(rule.shares, Math.random()));
    assert(pool, `no pool of route ${rule.route}`);
    if (await this.#toPool(socket, facts, pool)) return;
    if (socket.destroyed) return;
    const mayBeLed = generation.net && facts.side === 'public';
    if (mayBeLed && (await this.#toNeighbour(socket, facts))) {
      generation.counts.netUses += 1;
      return;
    }
    if (socket.destroyed) return;
    if (facts.side === 'public') generation.counts.errors += 1;
    pool.counts.errors += 1;
    const { name: listener } = this.said;
    const entry = { status: 503, why: 'no-connection', pool: pool.config.name, server: '', retries: 0 };
    generation.errors.add({ ...entry, method: 'TCP', path: listener, host: name ?? '' });
    socket.destroy();
  }

  /** False: no server took it, and nothing was sent. */
  async #toPool(socket: Socket, facts: StreamFacts, pool: PoolState): Promise<boolean> {
    const { counts, reaches, text } = this.#generation;
    const { retries, timeouts } = pool.config;
    pool.counts.requests += 1;
    const preference: Preference = { ...hashesNothing, source: facts.client.address };
    const tried = new Set<ServerState>();
    for (let attempts = 0; attempts <= retries.max; attempts += 1) {
      const lease = await pool.acquire(preference, tried, leaving(socket));
      if (lease.kind !== 'server') return false;
      const { server, release } = lease;
      tried.add(server);
      if (attempts > 0) {
        counts.retries += 1;
        pool.counts.retries += 1;
      }
      server.requests += 1;
      const way = reaches.get(pool)?.way(server.config, facts);
      assert(way, `no way to ${server.key}`);
      const opened = socket.destroyed ? null : await open(way);
      if (socket.destroyed || opened === null) {
        if (opened?.kind === 'open') opened.socket.destroy();
        release();
        return false;
      }
      if (opened.kind === 'open') {
        server.failedInARow = 0;
        join(socket, opened.socket, {
          silenceMsMax: timeouts.tunnelMs,
          broken() {
            counts.responseErrors += 1;
            pool.counts.responseErrors += 1;
            server.errors += 1;
          },
          ended: release,
        });
        return true;
      }
      release();
      counts.connectionErrors += 1;
      pool.counts.connectionErrors += 1;
      server.errors += 1;
      if (!opened.error.ours) serverFailed(pool, server, text.limits.errorsInARow);
    }
    return false;
  }

  /** False: the neighbour could not be reached, and nothing was sent. */
  async #toNeighbour(socket: Socket, { client, local }: StreamFacts): Promise<boolean> {
    const { streamNeighbour, pools } = this.#generation.text;
    if (!streamNeighbour) return false;
    const way: Way = {
      to: { path: streamNeighbour },
      timeoutMs: neighbourConnectMs,
      first: proxyHeader(client, local),
      tls: null,
    };
    const opened = await open(way);
    if (opened.kind === 'failed') return false;
    const silenceMsMax = Math.max(1, ...pools.map(({ timeouts }) => timeouts.tunnelMs));
    join(socket, opened.socket, { silenceMsMax, broken() {}, ended() {} });
    return true;
  }
}

type Opened =
  | { readonly kind: 'open'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly error: ConnectFailed };

function open({ to, tls, ...way }: Way): Promise<Opened> {
  const halfOpen = { allowHalfOpen: true };
  const opening = opener({ ...way, to: { ...to, ...halfOpen }, tls: tls && { ...tls, ...halfOpen } });
  return new Promise((resolve) =>
    opening(
      (socket) => resolve({ kind: 'open', socket }),
      (error) => resolve({ kind: 'failed', error }),
    ),
  );
}

/** A client that is gone leaves the queue. */
function leaving(socket: Socket) {
  let tell: (() => void) | null = null;
  const gone = () => tell?.();
  socket.once('close', gone);
  return {
    get gone() {
      return socket.destroyed;
    },
    whenGone(next: (() => void) | null) {
      tell = next;
      if (next === null) socket.off('close', gone);
    },
  };
}

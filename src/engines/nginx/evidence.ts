import { nginxBadFields } from '#dialects';
import type { Evidence, PoolEvidence, ServerEvidence } from '../engine.ts';
import type { PoolFacts, TextFacts } from './facts.ts';
import { type StreamLine, streamLineOf } from './stream-line.ts';
import { type Try, triesOf } from './tries.ts';

const errorLinesMax = 1_000;

interface Counts {
  requests: number;
  errors: number;
  clientErrors: number;
  connectionErrors: number;
  retries: number;
  responseErrors: number;
  netUses: number;
}

const noCounts = (): Counts => ({
  requests: 0,
  errors: 0,
  clientErrors: 0,
  connectionErrors: 0,
  retries: 0,
  responseErrors: 0,
  netUses: 0,
});

/** Live servers of each pool, as the probes know them. */
export type Servers = readonly Pick<ServerEvidence, 'pool' | 'server' | 'state' | 'lastCheck'>[];

/**
 * Adds up what the log says: a line of side, route and status for each request that went straight, and a full line at
 * once for each that did not. Requests by the private entrance count for their pool, not for the public side.
 */
export class Tally {
  readonly #facts: TextFacts;
  readonly #all = noCounts();
  readonly #pools: readonly Counts[];
  readonly #errorsOf = new Map<string, number>();
  /** By pool's number and address; of requests that have a full line. */
  readonly #requestsOf = new Map<string, number>();
  readonly #errors: string[] = [];
  #entrance = 0;

  constructor(facts: TextFacts) {
    this.#facts = facts;
    this.#pools = facts.pools.map(noCounts);
  }

  addGood(lines: readonly string[]): void {
    const counted = new Map<string, number>();
    for (const line of lines) counted.set(line, (counted.get(line) ?? 0) + 1);
    for (const [line, count] of counted) {
      const [side = '', route = '', status = ''] = line.split(' ');
      const clientErrors = status.startsWith('4') && status !== '499' ? count : 0;
      this.#add(side, route, { requests: count, clientErrors });
    }
  }

  /** What is no line about a request is left alone. */
  addBad(line: string): void {
    const stream = this.#facts.streams ? streamLineOf(line) : null;
    if (stream) {
      this.#addStream(stream);
      return;
    }
    const fields = line.split('\t');
    if (fields.length < nginxBadFields.length) return;
    const [side = '', route = '', status = '', led = '', addresses = '', statuses = ''] = fields;
    const [connects = '', heads = '', method = '', path = '', host = ''] = fields.slice(6);
    const tries = triesOf({ addresses, statuses, connects, heads });
    const servers = tries.filter((t) => !t.isNeighbour);
    const failed = servers.filter((t) => !t.connected);
    const last = servers.at(-1);
    const code = Number(status);
    const asked = `${poolNumber(route)} ${last?.address}`;
    if (last) this.#requestsOf.set(asked, (this.#requestsOf.get(asked) ?? 0) + 1);
    this.#add(side, route, {
      requests: 1,
      errors: code >= 500 && led !== 'own' ? 1 : 0,
      clientErrors: code >= 400 && code < 499 ? 1 : 0,
      connectionErrors: led !== 'net' && last && !last.connected ? 1 : 0,
      retries: Math.max(0, tries.length - 1),
      responseErrors: servers.filter((t) => t.connected && !t.answered && t.status !== '-').length,
      netUses: led === 'net' && code !== 503 ? 1 : 0,
    });
    for (const t of servers.filter((one) => failed.includes(one) || Number(one.status) >= 500))
      this.#countError(t.address);
    if (code < 500 || led === 'own') return;
    const why =
      last === undefined
        ? 'no-live-server'
        : !last.connected
          ? 'no-connection'
          : last.answered
            ? '--'
            : 'broke-off';
    const pool = this.#poolOf(route);
    const server = pool?.servers.find((s) => s.address === last?.address)?.name ?? '-';
    this.#addError(
      `${status} ${why} ${pool?.name ?? '-'} ${server} ${Math.max(0, servers.length - 1)} ${method} ${path} ${host}`,
    );
  }

  /** Of the public side a connection counts when it begins; of its pool, and what became of it, when it has ended. */
  #addStream(line: StreamLine): void {
    switch (line.kind) {
      case 'began':
        this.#all.requests += 1;
        return;
      case 'led':
        this.#all.netUses += 1;
        return;
      case 'broke': {
        const pool = this.#facts.pools.findIndex(({ servers }) =>
          servers.some((s) => s.address === line.address),
        );
        for (const counts of [this.#all, this.#pools[pool]]) if (counts) counts.responseErrors += 1;
        this.#countError(line.address);
        return;
      }
      case 'ended':
        this.#streamEnded(line);
    }
  }

  #streamEnded({ side, listener, pool: number, status, tries }: StreamLine & { kind: 'ended' }): void {
    const servers = tries.filter((t) => !t.isNeighbour);
    const last = tries.at(-1);
    if (side === 'entrance') this.#entrance += 1;
    const counts = {
      requests: side === 'public' ? 0 : 1,
      // Its listener, or no route, refused it; or it said nothing that names a route.
      clientErrors: number === null || (status !== 200 && status < 500) || isLimit(status, tries) ? 1 : 0,
      errors: 0,
      connectionErrors: servers.length > 0 && !servers.at(-1)?.connected ? 1 : 0,
      retries: Math.max(0, tries.length - 1),
    };
    if (counts.clientErrors === 0 && status >= 500) counts.errors = 1;
    if (side === 'public') sumUp(this.#all, counts);
    const pool = number === null ? undefined : this.#pools[number];
    if (pool) sumUp(pool, { ...counts, requests: 1, clientErrors: 0 });
    for (const t of servers) if (!t.connected) this.#countError(t.address);
    if (counts.errors === 0 || number === null) return;
    const said = this.#facts.pools[number];
    const server = said?.servers.find((s) => s.address === last?.address)?.name ?? '-';
    const why = last === undefined ? 'no-live-server' : 'no-connection';
    this.#addError(`${status} ${why} ${said?.name ?? '-'} ${server} ${counts.retries} TCP ${listener} -`);
  }

  #countError(address: string): void {
    this.#errorsOf.set(address, (this.#errorsOf.get(address) ?? 0) + 1);
  }

  #addError(line: string): void {
    this.#errors.push(line);
    if (this.#errors.length > errorLinesMax) this.#errors.shift();
  }

  errors(linesMax: number): string[] {
    return linesMax <= 0 ? [] : this.#errors.slice(-linesMax);
  }

  evidence(now: Pick<Evidence, 'connections' | 'inHand'>, servers: Servers): Evidence {
    const down = new Map<string, number>();
    for (const { pool, state } of servers) if (state === 'down') down.set(pool, (down.get(pool) ?? 0) + 1);
    return {
      ...this.#all,
      entranceRequests: this.#entrance,
      ...now,
      pools: this.#facts.pools.map((pool, index): PoolEvidence => {
        const { netUses: _, clientErrors: __, ...counts } = this.#pools[index] ?? noCounts();
        return {
          pool: pool.name,
          ...counts,
          serversLive: pool.servers.length - (down.get(pool.name) ?? 0),
          serversAll: pool.servers.length,
          queued: 0,
        };
      }),
    };
  }

  servers(states: Servers): ServerEvidence[] {
    return states.map((state) => {
      const number = this.#facts.pools.findIndex(({ name }) => name === state.pool);
      const servers = this.#facts.pools[number]?.servers;
      const address = servers?.find(({ name }) => name === state.server)?.address ?? '';
      const requests = this.#requestsOf.get(`${number} ${address}`) ?? 0;
      return { ...state, requests, errors: this.#errorsOf.get(address) ?? 0 };
    });
  }

  #add(side: string, route: string, counts: Partial<Counts>): void {
    if (side === 'e') this.#entrance += counts.requests ?? 0;
    else sumUp(this.#all, counts);
    const number = poolNumber(route);
    const pool = number === null ? undefined : this.#pools[number];
    if (pool) sumUp(pool, counts);
  }

  #poolOf(route: string): PoolFacts | undefined {
    const number = poolNumber(route);
    return number === null ? undefined : this.#facts.pools[number];
  }
}

function sumUp(total: Counts, more: Partial<Counts>): void {
  for (const [name, count] of Object.entries(more) as [keyof Counts, number][]) total[name] += count;
}

/** Where it is closed for there being too many, NGINX has asked no server; where none is live, it names their pool. */
function isLimit(status: number, tries: readonly Try[]): boolean {
  return status === 503 && tries.length === 0;
}

/** `@2.p0.web`: the pool's number, 0. */
function poolNumber(route: string): number | null {
  const found = /^@\d+\.p(\d+)\./.exec(route);
  return found ? Number(found[1]) : null;
}

import { nginxBadFields } from '#dialects';
import type { Evidence, PoolEvidence, ServerEvidence } from '../engine.ts';
import type { PoolFacts, TextFacts } from './facts.ts';

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
    const fields = line.split('\t');
    if (fields.length < nginxBadFields.length) return;
    const [side = '', route = '', status = '', led = '', addresses = '', statuses = ''] = fields;
    const [connects = '', heads = '', method = '', path = '', host = ''] = fields.slice(6);
    const tries = triesOf({ addresses, statuses, connects, heads });
    const servers = tries.filter((t) => !t.isNeighbour);
    const failed = servers.filter((t) => !t.connected);
    const last = servers.at(-1);
    const code = Number(status);
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
      this.#errorsOf.set(t.address, (this.#errorsOf.get(t.address) ?? 0) + 1);
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
    this.#errors.push(
      `${status} ${why} ${pool?.name ?? '-'} ${server} ${Math.max(0, servers.length - 1)} ${method} ${path} ${host}`,
    );
    if (this.#errors.length > errorLinesMax) this.#errors.shift();
  }

  errors(linesMax: number): string[] {
    return linesMax <= 0 ? [] : this.#errors.slice(-linesMax);
  }

  evidence(connections: number, servers: Servers): Evidence {
    const down = new Map<string, number>();
    for (const { pool, state } of servers) if (state === 'down') down.set(pool, (down.get(pool) ?? 0) + 1);
    return {
      ...this.#all,
      entranceRequests: this.#entrance,
      connections,
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
      const pool = this.#facts.pools.find(({ name }) => name === state.pool);
      const address = pool?.servers.find(({ name }) => name === state.server)?.address ?? '';
      return { ...state, requests: 0, errors: this.#errorsOf.get(address) ?? 0 };
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

/** `@2.p0.web`: the pool's number, 0. */
function poolNumber(route: string): number | null {
  const found = /^@\d+\.p(\d+)\./.exec(route);
  return found ? Number(found[1]) : null;
}

interface Try {
  readonly address: string;
  readonly status: string;
  readonly connected: boolean;
  readonly answered: boolean;
  readonly isNeighbour: boolean;
}

/** NGINX's lists of what it tried: `10.0.0.1:80, 10.0.0.2:80`, and behind ` : ` where a request was led. */
function triesOf(lists: {
  readonly addresses: string;
  readonly statuses: string;
  readonly connects: string;
  readonly heads: string;
}): Try[] {
  const split = (list: string) => list.split(/, | : /);
  const [statuses, connects, heads] = [lists.statuses, lists.connects, lists.heads].map(split);
  return split(lists.addresses).flatMap((address, index) => {
    // The name of the upstream itself: it had no live server.
    if (address === '' || address === '-' || /^p\d+\./.test(address)) return [];
    const isNeighbour = address.startsWith('unix:') && address.includes('/neighbour.sock');
    return [
      {
        address: address.replace(/^unix:/, 'unix@'),
        status: statuses?.[index] ?? '-',
        connected: connects?.[index] !== '-',
        answered: heads?.[index] !== '-',
        isNeighbour,
      },
    ];
  });
}

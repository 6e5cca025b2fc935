import { resolve } from 'node:path';
import { type Clock, systemClock } from '#base';
import { type AccessLog, type AccessLogs, ownDialects } from '#dialects';
import type { Site } from '#model';
import type { Evidence, PoolEvidence, ServerEvidence } from '../engine.ts';
import type { Onlook, OnlookParts } from '../foreign.ts';
import { type Logged, lineReader, namesServers } from './access-log.ts';
import { followForeign } from './foreign-log.ts';

/** An NGINX that somebody else runs counts nothing by itself: what its access logs say of requests is added up. */
export function onlook({ site, asked, args, folder }: OnlookParts, clock: Clock = systemClock): Onlook {
  const given = args[args.indexOf('-p') + 1];
  const prefix = args.includes('-p') && given !== undefined ? resolve(folder, given) : null;
  const { logs, unseen } = logsOf(site, prefix);
  const names = logs.every(({ formats }) => formats.every(namesServers));
  const why = unseen.map(
    ({ place, why }) => `${place.file}:${place.line} ${why}: those requests are not seen`,
  );
  const formats = [...new Set(logs.flatMap((log) => log.formats.map(({ name }) => name)))].join(', ');
  const less = names
    ? []
    : [
        `which pool a request went to: the log format (${formats}) does not say it;`,
        'add `$upstream_addr $upstream_response_time` to it',
      ];
  const tally = new LogTally(site, asked);
  return {
    seen:
      logs.length === 0
        ? null
        : `requests and their errors${names ? ', by pool and server' : ''}, by ${logs.map(({ path }) => path).join(' and ')}`,
    unseen: [...why, ...(logs.length === 0 ? [] : less)],
    remedy: 'Let its access log be written to a file that can be read.',
    counters: logs.length === 0 ? null : countersOf(logs, tally, clock),
  };
}

function logsOf({ own }: Site, prefix: string | null): AccessLogs {
  return (own && ownDialects.nginx.accessLogs?.(own, prefix)) ?? { logs: [], unseen: [] };
}

function countersOf(logs: readonly AccessLog[], tally: LogTally, clock: Clock) {
  const open = logs.map(({ path, formats }) => ({
    log: followForeign(path, () => clock.monotonicMs()),
    readers: formats.map(lineReader),
  }));
  return {
    async evidence(): Promise<Evidence> {
      for (const { log, readers } of open)
        for (const line of log.read()) {
          for (const read of readers) {
            const logged = read(line);
            if (!logged) continue;
            tally.add(logged);
            break;
          }
        }
      return tally.evidence();
    },
    servers: async (): Promise<readonly ServerEvidence[]> => tally.servers(),
    close() {
      for (const { log } of open) log.close();
    },
  };
}

interface Sums {
  requests: number;
  errors: number;
  retries: number;
  timedRequests: number;
  timeMs: number;
}

const noSums = (): Sums => ({ requests: 0, errors: 0, retries: 0, timedRequests: 0, timeMs: 0 });

class LogTally {
  readonly #asked: OnlookParts['asked'];
  readonly #pools: ReadonlyMap<string, Sums>;
  /** Null: it stands in several pools, so a line does not tell which of them it was. */
  readonly #poolOf = new Map<string, string | null>();
  readonly #addresses = new Map<string, string>();
  readonly #servers = new Map<string, { requests: number; errors: number }>();
  readonly #all = { ...noSums(), clientErrors: 0 };

  constructor({ pools }: Site, asked: OnlookParts['asked']) {
    this.#asked = asked;
    this.#pools = new Map(pools.map(({ name }) => [name, noSums()]));
    for (const pool of pools) {
      // What it writes where no server of an upstream was left.
      this.#poolOf.set(pool.name, pool.name);
      for (const { name, host, port } of pool.servers) {
        const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
        const before = this.#poolOf.get(address);
        this.#poolOf.set(address, before === undefined || before === pool.name ? pool.name : null);
        this.#addresses.set(`${pool.name}/${name}`, address);
      }
    }
  }

  add({ status, upstreams, timeMs }: Logged): void {
    const last = upstreams.at(-1) ?? '';
    const pool = this.#pools.get(this.#poolOf.get(last) ?? '');
    const isError = status >= 500;
    // 499: the client went away.
    if (status >= 400 && status < 499) this.#all.clientErrors += 1;
    for (const sums of pool ? [this.#all, pool] : [this.#all]) {
      sums.requests += 1;
      if (isError) sums.errors += 1;
      sums.retries += Math.max(0, upstreams.length - 1);
      if (timeMs === null) continue;
      sums.timedRequests += 1;
      sums.timeMs += timeMs;
    }
    if (last === '') return;
    const server = this.#servers.get(last) ?? { requests: 0, errors: 0 };
    server.requests += 1;
    if (isError) server.errors += 1;
    this.#servers.set(last, server);
  }

  servers(): readonly ServerEvidence[] {
    return this.#asked().map((one) => ({
      ...one,
      ...this.#servers.get(this.#addresses.get(`${one.pool}/${one.server}`) ?? ''),
    }));
  }

  evidence(): Evidence {
    const states = this.#asked();
    const { requests, errors, clientErrors, retries } = this.#all;
    return {
      ...{ requests, errors, clientErrors, retries },
      ...{ connectionErrors: 0, responseErrors: 0, netUses: 0, entranceRequests: 0, connections: 0 },
      pools: [...this.#pools].map(([pool, sums]): PoolEvidence => {
        const servers = states.filter((one) => one.pool === pool);
        const serversLive = servers.filter(({ state }) => state !== 'down').length;
        const counts = { connectionErrors: 0, responseErrors: 0, queued: 0 };
        return { pool, ...sums, ...counts, serversLive, serversAll: servers.length };
      }),
    };
  }
}

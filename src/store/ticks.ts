import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Tick } from '#events';

/** What is kept of a second, a minute and an hour, and for how long. */
export const retention = [
  { name: 'second', stepMs: 1_000, keptMs: 6 * 3_600_000 },
  { name: 'minute', stepMs: 60_000, keptMs: 40 * 86_400_000 },
  { name: 'hour', stepMs: 3_600_000, keptMs: 400 * 86_400_000 },
] as const;
const minuteKeptMs = retention[1].keptMs;
export type Resolution = (typeof retention)[number]['name'];

/** Sums over a step, of one balancer and one of its pools (empty: the whole balancer). */
export interface KeptSum {
  readonly at: number;
  readonly balancer: string;
  readonly pool: string;
  readonly requests: number;
  readonly errors: number;
  readonly connectionErrors: number;
  readonly retries: number;
  readonly resets: number;
  readonly timedRequests: number;
  readonly timeMs: number;
  /** The most of any tick. */
  readonly connections: number;
  readonly queued: number;
}

export interface TickQuery {
  readonly resolution: Resolution;
  readonly from: number;
  readonly to: number;
  readonly balancer?: string;
  readonly pool?: string;
}

export interface Peak {
  readonly balancer: string;
  readonly pool: string;
  /** Of the minute with most. */
  readonly requestsPerSecond: number;
  readonly connections: number;
}

export interface CountedMinute {
  readonly at: number;
  readonly requests: number;
  readonly bad: number;
}

export interface OpenTicks {
  /** Kept in memory until the step is over: at a crash the last second is lost. */
  add(tick: Tick): void;
  /** Oldest first. */
  read(query: TickQuery): readonly KeptSum[];
  /** Requests and errors of every minute since then, of all balancers, oldest first; no pools: of the whole site. */
  minutes(since: number, pools: readonly string[]): readonly CountedMinute[];
  /** What is counted by a name of its own, and no engine does; of one minute, added to what is there. */
  count(name: string, minute: CountedMinute): void;
  countedBy(name: string, since: number): readonly CountedMinute[];
  /** The highest of each balancer and pool since then. */
  peaks(since: number): readonly Peak[];
  /** Removes what is older than its retention. */
  expire(now: number): void;
  close(): void;
}

const counted = [
  'requests',
  'errors',
  'connectionErrors',
  'retries',
  'resets',
  'timedRequests',
  'timeMs',
] as const;
const highest = ['connections', 'queued'] as const;
const rowsMax = 100_000;

type Sums = Record<(typeof counted)[number] | (typeof highest)[number], number>;

/** The numbers of the site over time, in a file of its own: what is lost of it is only history. */
export function openTicks(folder: string): OpenTicks {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(folder, 'ticks.db'), { timeout: 250 });
  database.exec('pragma journal_mode = wal; pragma synchronous = off');
  const columns = [...counted, ...highest];
  database.exec(`create table if not exists sums (
    step integer not null, at integer not null, balancer text not null, pool text not null,
    ${columns.map((column) => `"${column}" real not null`).join(', ')},
    primary key (step, at, balancer, pool)) strict, without rowid`);
  const insert = database.prepare(
    `insert into sums (step, at, balancer, pool, ${columns.map((c) => `"${c}"`).join(', ')})
     values (?, ?, ?, ?, ${columns.map(() => '?').join(', ')})
     on conflict do update set ${[
       ...counted.map((c) => `"${c}" = "${c}" + excluded."${c}"`),
       ...highest.map((c) => `"${c}" = max("${c}", excluded."${c}")`),
     ].join(', ')}`,
  );
  let waiting = new Map<string, { at: number; balancer: string; pool: string; sums: Sums }>();
  let second = 0;

  function flush(): void {
    const rows = [...waiting.values()];
    waiting = new Map();
    if (rows.length === 0) return;
    database.exec('begin');
    for (const { stepMs } of retention)
      for (const { at, balancer, pool, sums } of rows)
        insert.run(stepMs, Math.floor(at / stepMs) * stepMs, balancer, pool, ...columns.map((c) => sums[c]));
    database.exec('commit');
  }

  return {
    add(tick) {
      const at = Math.floor(tick.at / 1_000) * 1_000;
      if (at !== second) flush();
      second = at;
      for (const [pool, sums] of sumsOf(tick)) {
        const key = `${tick.balancer}\n${pool}`;
        const before = waiting.get(key);
        waiting.set(key, {
          at,
          balancer: tick.balancer,
          pool,
          sums: before ? joined(before.sums, sums) : sums,
        });
      }
    },
    read: (query) => rowsOf(database, query),
    ...countedMinutes(database),
    peaks(since) {
      const rows = database
        .prepare(
          `select balancer, pool, max(requests) / 60.0 as requestsPerSecond, max(connections) as connections
           from sums where step = 60000 and at >= ? group by balancer, pool`,
        )
        .all(since);
      return rows.map((row) => ({ ...row }) as unknown as Peak);
    },
    expire(now) {
      for (const { stepMs, keptMs } of retention)
        database.prepare('delete from sums where step = ? and at < ?').run(stepMs, now - keptMs);
      database.prepare('delete from counted where at < ?').run(now - minuteKeptMs);
    },
    close() {
      flush();
      database.close();
    },
  };
}

/** What is summed up by the minute, whether engines count it or only we do. */
function countedMinutes(database: DatabaseSync): Pick<OpenTicks, 'minutes' | 'count' | 'countedBy'> {
  database.exec(`create table if not exists counted (
    name text not null, at integer not null, requests real not null, bad real not null,
    primary key (name, at)) strict, without rowid`);
  const minutesOf = (rows: readonly object[]) => rows.map((row) => ({ ...row }) as CountedMinute);
  return {
    minutes(since, pools) {
      const wanted = pools.length === 0 ? [''] : pools;
      const marks = wanted.map(() => '?').join(', ');
      const select = database.prepare(
        `select at, sum(requests) as requests, sum(errors) as bad from sums
         where step = 60000 and at >= ? and pool in (${marks}) group by at order by at`,
      );
      return minutesOf(select.all(since, ...wanted));
    },
    count(name, { at, requests, bad }) {
      database
        .prepare(
          `insert into counted (name, at, requests, bad) values (?, ?, ?, ?)
           on conflict do update set requests = requests + excluded.requests, bad = bad + excluded.bad`,
        )
        .run(name, Math.floor(at / 60_000) * 60_000, requests, bad);
    },
    countedBy(name, since) {
      const select = database.prepare(
        'select at, requests, bad from counted where name = ? and at >= ? order by at',
      );
      return minutesOf(select.all(name, since));
    },
  };
}

function rowsOf(
  database: DatabaseSync,
  { resolution, from, to, balancer, pool }: TickQuery,
): readonly KeptSum[] {
  const { stepMs } = retention.find(({ name }) => name === resolution) ?? retention[1];
  const rows = database
    .prepare(
      `select * from sums where step = ? and at >= ? and at < ?
       and (? is null or balancer = ?) and (? is null or pool = ?) order by at limit ?`,
    )
    .all(stepMs, from, to, balancer ?? null, balancer ?? null, pool ?? null, pool ?? null, rowsMax);
  return rows.map(({ step: _, ...row }) => row as unknown as KeptSum);
}

function* sumsOf({ counts, connections, pools, answered }: Tick): Generator<[string, Sums]> {
  if (!answered) return;
  const queued = pools.reduce((sum, pool) => sum + pool.queued, 0);
  yield [
    '',
    {
      requests: counts.requests,
      errors: counts.errors,
      connectionErrors: counts.connectionErrors,
      retries: counts.retries,
      resets: counts.responseErrors,
      timedRequests: 0,
      timeMs: 0,
      connections,
      queued,
    },
  ];
  for (const {
    pool,
    requests,
    errors,
    connectionErrors,
    retries,
    responseErrors,
    timedRequests,
    timeMs,
    ...one
  } of pools)
    yield [
      pool,
      {
        requests,
        errors,
        connectionErrors,
        retries,
        resets: responseErrors,
        timedRequests,
        timeMs,
        connections: 0,
        queued: one.queued,
      },
    ];
}

function joined(a: Sums, b: Sums): Sums {
  const sums = { ...a };
  for (const column of counted) sums[column] += b[column];
  for (const column of highest) sums[column] = Math.max(a[column], b[column]);
  return sums;
}

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

/** Of a minute, or where it is said of a second. */
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
  /**
   * What happened at a balancer, oldest first, as ticks would tell it: each second in which something of `column` was bad by
   * itself, what was good between those at once. `knownMs`: of how long anything is known.
   */
  history(
    balancer: string,
    column: BadColumn,
    from: number,
    to: number,
  ): {
    readonly history: readonly CountedMinute[];
    readonly knownMs: number;
  };
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
const bad = ['errors', 'connectionErrors', 'retries', 'resets'] as const;
export type BadColumn = (typeof bad)[number];
/** Seconds in which something was bad are kept longer than the others: bursts are told apart by them. */
const badKeptMs = 15 * 86_400_000;
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
    history: (balancer, column, from, to) => historyOf(database, { balancer, column, from, to }),
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
        database
          .prepare(
            `delete from sums where step = ? and at < ?${stepMs === 1_000 ? ` and (at < ? or not ${anyBad})` : ''}`,
          )
          .run(stepMs, now - keptMs, ...(stepMs === 1_000 ? [now - badKeptMs] : []));
      database.prepare('delete from counted where at < ?').run(now - minuteKeptMs);
    },
    close() {
      flush();
      database.close();
    },
  };
}

const anyBad = `(${bad.map((column) => `"${column}"`).join(' + ')}) > 0`;

function historyOf(
  database: DatabaseSync,
  { balancer, column, from, to }: { balancer: string; column: BadColumn; from: number; to: number },
): ReturnType<OpenTicks['history']> {
  const rows = (step: number, where: string) =>
    database
      .prepare(
        `select at, requests, "${column}" as bad from sums
         where step = ? and balancer = ? and pool = '' and at >= ? and at < ? ${where} order by at`,
      )
      .all(step, balancer, from, to)
      .map((row) => ({ ...row }) as { at: number; requests: number; bad: number });
  const minutes = rows(60_000, '');
  const seconds = rows(1_000, `and "${column}" > 0`);
  const history: CountedMinute[] = [];
  let next = 0;
  for (const minute of minutes) {
    const mine: typeof seconds = [];
    for (; next < seconds.length; next += 1) {
      const one = seconds[next];
      if (!one || one.at >= minute.at + 60_000) break;
      if (one.at >= minute.at) mine.push(one);
    }
    const good = Math.max(0, minute.requests - mine.reduce((sum, one) => sum + one.requests, 0));
    const between = { at: minute.at, requests: good / (mine.length + 1), bad: 0 };
    for (const { at, requests, bad: bads } of mine) history.push(between, { at, requests, bad: bads });
    history.push(between);
  }
  const first = minutes[0]?.at;
  return { history, knownMs: first === undefined ? 0 : minutes.length * 60_000 };
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

import type { HostFigures, ListenerTick, PoolTick, ServerTick, Tick } from '#events';
import type { Family } from './metrics.ts';

/** What engines counted, summed up since this process began. */
export interface EngineTotals {
  add(tick: Tick): void;
  families(now: number): readonly Family[];
}

type Labels = Readonly<Record<string, string>>;

/** One row of counts: of a balancer, and of a listener, pool or server of one. `last` is the newest tick of it, of `at`. */
interface Totals<T> {
  readonly labels: Labels;
  readonly sums: Record<string, number>;
  last: T;
  at: number;
}

type Table<T> = Map<string, Totals<T>>;

/** The names are those of HAProxy's own exporter where there is one, whatever the engine. */
export function engineTotals(): EngineTotals {
  const balancers: Table<Tick> = new Map();
  const hosts: Table<HostFigures> = new Map();
  const listeners: Table<ListenerTick> = new Map();
  const pools: Table<PoolTick> = new Map();
  const servers: Table<ServerTick> = new Map();
  return {
    add(tick) {
      const { balancer, counts, host } = tick;
      const { requests, errors, clientErrors } = counts;
      sum(balancers, { balancer }, tick, tick.at, { requests, errors, clientErrors });
      if (host) sum(hosts, { balancer }, host, tick.at, {});
      for (const one of tick.listeners ?? []) {
        const { listener: proxy, requests: all, errors: bad } = one;
        sum(listeners, { proxy, balancer }, one, tick.at, { requests: all, errors: bad });
      }
      for (const one of tick.pools) {
        const { connectionErrors, retries, responseErrors, timeMs, timedRequests } = one;
        const more = { connectionErrors, retries, responseErrors, timeMs, timedRequests };
        const counted = { requests: one.requests, errors: one.errors, ...more };
        sum(pools, { proxy: one.pool, balancer }, one, tick.at, counted);
      }
      for (const one of tick.servers ?? []) {
        const { pool: proxy, server, requests: all, errors: bad, faults } = one;
        sum(servers, { proxy, server, balancer }, one, tick.at, { requests: all, errors: bad, faults });
      }
      // Quiet pools and listeners are left out of a tick; servers are all there or none.
      if (tick.servers) forget(servers, tick);
    },
    families: (now) => [
      ...ofBalancers(balancers, now),
      ...ofHosts(hosts),
      ...ofListeners(listeners),
      ...ofPools(pools),
      ...ofServers(servers),
    ],
  };
}

function sum<T>(
  table: Table<T>,
  labels: Labels,
  last: T,
  at: number,
  counted: Readonly<Record<string, number>>,
): void {
  const key = Object.values(labels).join('\n');
  const totals = table.get(key) ?? { labels, sums: {}, last, at };
  for (const [name, count] of Object.entries(counted)) totals.sums[name] = (totals.sums[name] ?? 0) + count;
  totals.last = last;
  totals.at = at;
  table.set(key, totals);
}

/** What a change took out of the site is in no list any more; shown for ever, it would be down for ever. */
function forget<T>(table: Table<T>, { balancer, at }: Tick): void {
  for (const [key, totals] of table)
    if (totals.labels.balancer === balancer && totals.at !== at) table.delete(key);
}

/** One sample for each row of the table that has one. */
function family<T>(
  table: Table<T>,
  kind: Family['kind'],
  name: string,
  help: string,
  value: (last: T) => number | null,
): Family {
  const samples = [...table.values()].flatMap(({ labels, last }) => {
    const found = value(last);
    return found === null ? [] : [[labels, found] as const];
  });
  return { name, kind, help, samples };
}

function counter<T>(table: Table<T>, name: string, help: string, of: string, unit = 1): Family {
  const samples = [...table.values()].map(({ labels, sums }) => [labels, (sums[of] ?? 0) / unit] as const);
  return { name, kind: 'counter', help, samples };
}

function answers<T>(table: Table<T>, name: string, help: string): Family {
  const samples = [...table.values()].flatMap(({ labels, sums: { requests = 0, errors = 0 } }) => [
    [{ ...labels, code: '5xx' }, errors] as const,
    [{ ...labels, code: 'other' }, Math.max(0, requests - errors)] as const,
  ]);
  return { name, kind: 'counter', help, samples };
}

function ofBalancers(balancers: Table<Tick>, now: number): Family[] {
  const age = ({ at }: Tick) => Math.max(0, now - at) / 1_000;
  return [
    counter(balancers, 'holdfast_requests_total', 'Requests that the public side finished.', 'requests'),
    counter(balancers, 'holdfast_errors_total', 'Answers of 500 and above.', 'errors'),
    counter(balancers, 'holdfast_client_errors_total', 'Answers from 400 to 499.', 'clientErrors'),
    family(
      balancers,
      'gauge',
      'holdfast_connections',
      'Open connections of clients.',
      (tick) => tick.connections,
    ),
    family(
      balancers,
      'gauge',
      'holdfast_engine_answers',
      'Whether the engine told its counters at the last look.',
      (tick) => Number(tick.answered),
    ),
    family(balancers, 'gauge', 'holdfast_tick_age_seconds', 'How old the newest counts are.', age),
  ];
}

const hostGauges: readonly (readonly [
  name: string,
  help: string,
  of: (host: HostFigures) => number | null,
])[] = [
  ['holdfast_host_cpu_ratio', 'Processors of the machine in use.', (h) => h.cpuShare],
  ['holdfast_host_memory_ratio', 'Memory of the machine in use.', (h) => h.memoryShare],
  ['holdfast_host_disk_ratio', 'Disk of the state folder in use.', (h) => h.diskShare],
  [
    'holdfast_engine_descriptors_ratio',
    'File descriptors of the engine in use, of its limit.',
    (h) => h.descriptorsShare,
  ],
  ['holdfast_engine_cpu_ratio', 'Processor time of the engine, of one core.', (h) => h.engineCpuShare],
  ['holdfast_host_conntrack_ratio', 'Table of tracked connections in use.', (h) => h.connectionTrackingShare],
];

function ofHosts(hosts: Table<HostFigures>): Family[] {
  return hostGauges.map(([name, help, value]) => family(hosts, 'gauge', name, help, value));
}

function ofListeners(listeners: Table<ListenerTick>): Family[] {
  const of = 'haproxy_frontend';
  return [
    counter(listeners, `${of}_http_requests_total`, 'Requests that the listener finished.', 'requests'),
    answers(
      listeners,
      `${of}_http_responses_total`,
      'Answers of the listener, 500 and above apart from the others.',
    ),
    family(
      listeners,
      'gauge',
      `${of}_current_sessions`,
      'Open connections of clients.',
      (one) => one.connections,
    ),
  ];
}

function ofPools(pools: Table<PoolTick>): Family[] {
  const of = 'haproxy_backend';
  return [
    counter(pools, `${of}_http_requests_total`, 'Requests that the pool finished.', 'requests'),
    answers(pools, `${of}_http_responses_total`, 'Answers of the pool, 500 and above apart from the others.'),
    counter(
      pools,
      `${of}_connection_errors_total`,
      'Connections to servers that failed.',
      'connectionErrors',
    ),
    counter(
      pools,
      `${of}_response_errors_total`,
      'Answers of servers that broke off or could not be read.',
      'responseErrors',
    ),
    counter(pools, `${of}_retry_warnings_total`, 'Requests that were tried again.', 'retries'),
    family(pools, 'gauge', `${of}_current_queue`, 'Requests that wait for a server.', (one) => one.queued),
    family(pools, 'gauge', `${of}_active_servers`, 'Servers that answer.', (one) => one.serversLive),
    counter(
      pools,
      'holdfast_pool_request_seconds_total',
      'Time of all requests whose time is known.',
      'timeMs',
      1_000,
    ),
    counter(pools, 'holdfast_pool_timed_requests_total', 'Requests whose time is known.', 'timedRequests'),
  ];
}

function ofServers(servers: Table<ServerTick>): Family[] {
  const of = 'haproxy_server';
  const states: readonly (readonly [label: string, state: ServerTick['state']])[] = [
    ['UP', 'up'],
    ['DOWN', 'down'],
    ['no check', 'unknown'],
  ];
  return [
    {
      name: `${of}_status`,
      kind: 'gauge',
      help: 'The state of the server: 1 for the one it is in.',
      samples: [...servers.values()].flatMap(({ labels, last }) =>
        states.map(([name, state]) => [{ ...labels, state: name }, Number(last.state === state)] as const),
      ),
    },
    answers(servers, `${of}_http_responses_total`, 'Answers of the server, 500 and above apart.'),
    counter(
      servers,
      'holdfast_server_faults_total',
      'Connections to the server that failed, and answers of it that broke off.',
      'faults',
    ),
  ];
}

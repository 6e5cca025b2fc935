import type { HostFigures, PoolTick, Tick } from '#events';
import type { OpenFault } from './faults.ts';
import { ofObjectives, ofProbes } from './metrics-asked.ts';
import type { ObjectiveState } from './objectives.ts';
import type { ProbeResult } from './probe-book.ts';

/** What is counted since this process began, as Prometheus and OpenMetrics want to read it. */
export interface Meter {
  add(tick: Tick): void;
  families(around: Around, now: number): readonly Family[];
  text(format: MetricsFormat, around: Around, now: number): string;
}

/** What is shown beside what is counted. */
export interface Around {
  readonly faults: readonly OpenFault[];
  readonly falseAlarms: number;
  readonly falseAlarmsPerMonth: number;
  readonly probes: readonly ProbeResult[];
  readonly objectives: readonly ObjectiveState[];
}

export type MetricsFormat = 'prometheus' | 'openmetrics';

export interface Family {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

interface PoolTotals {
  readonly balancer: string;
  readonly pool: string;
  requests: number;
  errors: number;
  connectionErrors: number;
  retries: number;
  responseErrors: number;
  timeMs: number;
  timedRequests: number;
  last: PoolTick;
}

interface BalancerTotals {
  requests: number;
  errors: number;
  clientErrors: number;
  host: HostFigures | null;
  last: Tick;
}

/** Names of HAProxy's own exporter where there is one, whatever the engine; `holdfast_` for what is ours. */
export function meter(): Meter {
  const balancers = new Map<string, BalancerTotals>();
  const pools = new Map<string, PoolTotals>();
  const familiesOf = (around: Around, now: number) => [
    ...ofBalancers(balancers, now),
    ...ofPools([...pools.values()]),
    ...ofFaults(around),
    ...ofProbes(around.probes),
    ...ofObjectives(around.objectives),
  ];
  return {
    add(tick) {
      const { balancer, counts } = tick;
      const all = balancers.get(balancer) ?? {
        requests: 0,
        errors: 0,
        clientErrors: 0,
        host: null,
        last: tick,
      };
      all.requests += counts.requests;
      all.errors += counts.errors;
      all.clientErrors += counts.clientErrors;
      all.host = tick.host ?? all.host;
      all.last = tick;
      balancers.set(balancer, all);
      for (const pool of tick.pools) {
        const key = `${balancer}\n${pool.pool}`;
        const before = pools.get(key);
        pools.set(key, before ? addedTo(before, pool) : { balancer, ...pool, last: pool });
      }
    },
    families: (around, now) => familiesOf(around, now),
    text(format, around, now) {
      const families = familiesOf(around, now);
      const lines = families.flatMap((family) => (family.samples.length > 0 ? linesOf(family, format) : []));
      return `${lines.join('\n')}\n${format === 'openmetrics' ? '# EOF\n' : ''}`;
    },
  };
}

function addedTo(totals: PoolTotals, tick: PoolTick): PoolTotals {
  totals.requests += tick.requests;
  totals.errors += tick.errors;
  totals.connectionErrors += tick.connectionErrors;
  totals.retries += tick.retries;
  totals.responseErrors += tick.responseErrors;
  totals.timeMs += tick.timeMs;
  totals.timedRequests += tick.timedRequests;
  totals.last = tick;
  return totals;
}

function ofPools(pools: readonly PoolTotals[]): Family[] {
  const of = (
    kind: Family['kind'],
    name: string,
    help: string,
    value: (pool: PoolTotals) => number,
  ): Family => ({
    name,
    kind,
    help,
    samples: pools.map((pool) => [{ proxy: pool.pool, balancer: pool.balancer }, value(pool)]),
  });
  return [
    of(
      'counter',
      'haproxy_backend_http_requests_total',
      'Requests that the pool finished.',
      (p) => p.requests,
    ),
    {
      name: 'haproxy_backend_http_responses_total',
      kind: 'counter',
      help: 'Answers of the pool, 500 and above apart from the others.',
      samples: pools.flatMap((p) => [
        [{ proxy: p.pool, balancer: p.balancer, code: '5xx' }, p.errors] as const,
        [{ proxy: p.pool, balancer: p.balancer, code: 'other' }, Math.max(0, p.requests - p.errors)] as const,
      ]),
    },
    of(
      'counter',
      'haproxy_backend_connection_errors_total',
      'Connections to servers that failed.',
      (p) => p.connectionErrors,
    ),
    of(
      'counter',
      'haproxy_backend_response_errors_total',
      'Answers of servers that broke off or could not be read.',
      (p) => p.responseErrors,
    ),
    of(
      'counter',
      'haproxy_backend_retry_warnings_total',
      'Requests that were tried again.',
      (p) => p.retries,
    ),
    of('gauge', 'haproxy_backend_current_queue', 'Requests that wait for a server.', (p) => p.last.queued),
    of('gauge', 'haproxy_backend_active_servers', 'Servers that answer.', (p) => p.last.serversLive),
    of(
      'counter',
      'holdfast_pool_request_seconds_total',
      'Time of all requests whose time is known.',
      (p) => p.timeMs / 1_000,
    ),
    of(
      'counter',
      'holdfast_pool_timed_requests_total',
      'Requests whose time is known.',
      (p) => p.timedRequests,
    ),
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

function ofBalancers(balancers: ReadonlyMap<string, BalancerTotals>, now: number): Family[] {
  const of = (
    kind: Family['kind'],
    name: string,
    help: string,
    value: (one: BalancerTotals) => number | null,
  ): Family => ({
    name,
    kind,
    help,
    samples: [...balancers].flatMap(([balancer, one]) => {
      const found = value(one);
      return found === null ? [] : [[{ balancer }, found] as const];
    }),
  });
  return [
    of('counter', 'holdfast_requests_total', 'Requests that the public side finished.', (b) => b.requests),
    of('counter', 'holdfast_errors_total', 'Answers of 500 and above.', (b) => b.errors),
    of('counter', 'holdfast_client_errors_total', 'Answers from 400 to 499.', (b) => b.clientErrors),
    of('gauge', 'holdfast_connections', 'Open connections of clients.', (b) => b.last.connections),
    of('gauge', 'holdfast_engine_answers', 'Whether the engine told its counters at the last look.', (b) =>
      Number(b.last.answered),
    ),
    of(
      'gauge',
      'holdfast_tick_age_seconds',
      'How old the newest counts are.',
      (b) => Math.max(0, now - b.last.at) / 1_000,
    ),
    ...hostGauges.map(([name, help, value]) =>
      of('gauge', name, help, ({ host }) => (host ? value(host) : null)),
    ),
  ];
}

function ofFaults({ faults, falseAlarms, falseAlarmsPerMonth }: Around): Family[] {
  const count = (severity: string) =>
    faults.filter((f) => f.seenAt !== null && f.severity === severity).length;
  return [
    {
      name: 'holdfast_faults_open',
      kind: 'gauge',
      help: 'Faults that were seen and are not over.',
      samples: ['critical', 'error', 'warning'].map((severity) => [{ severity }, count(severity)] as const),
    },
    {
      name: 'holdfast_false_alarms_total',
      kind: 'counter',
      help: 'Alarms for which nothing else was seen; each raised the threshold.',
      samples: [[{}, falseAlarms]],
    },
    {
      name: 'holdfast_false_alarms_budget_per_month',
      kind: 'gauge',
      help: 'False alarms that 30 days may have: the budget that thresholds are made of.',
      samples: [[{}, falseAlarmsPerMonth]],
    },
  ];
}

function linesOf({ name, kind, help, samples }: Family, format: MetricsFormat): string[] {
  // OpenMetrics names a counter's family without what its samples end with.
  const family = format === 'openmetrics' && kind === 'counter' ? name.replace(/_total$/, '') : name;
  return [
    `# HELP ${family} ${help}`,
    `# TYPE ${family} ${kind}`,
    ...samples.map(([labels, value]) => `${name}${labelsOf(labels)} ${value}`),
  ];
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

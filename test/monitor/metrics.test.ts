import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { type Event, type JournalEntry, noCounts, type Tick } from '#events';
import { type Around, meter } from '#monitor';

const noon = Date.UTC(2026, 0, 5, 12);
const around: Around = { faults: [], falseAlarms: 0, falseAlarmsPerMonth: 1, probes: [], objectives: [] };

function tickOf(number: number, servers: NonNullable<Tick['servers']>): Tick {
  const none = { connectionErrors: 0, retries: 1, responseErrors: 0, queued: 0 };
  return {
    number,
    at: noon + number * 1_000,
    forMs: 1_000,
    balancer: 'lb-1',
    generation: 1,
    answered: true,
    counts: { ...noCounts, requests: 10, errors: 2 },
    connections: 3,
    inHand: 0,
    listeners: [{ listener: 'http', requests: 10, errors: 2, connections: 3 }],
    pools: [
      {
        ...{ pool: 'web', requests: 10, errors: 2, ...none },
        ...{ serversLive: 1, serversAll: 2, timedRequests: 10, timeMs: 50 },
      },
    ],
    servers,
  };
}

const server = (name: string, state: 'up' | 'down') => ({
  ...{ pool: 'web', server: name, state, lastCheck: '' },
  ...{ requests: 5, errors: 1, faults: 1 },
});

function entries(...events: readonly Event[]): JournalEntry[] {
  return events.map((event, i) => ({ sequence: i + 1, at: noon + i, by: 'controller', hash: '', event }));
}

const state = (change: string, to: 'promoted' | 'rolled back' | 'superseded'): Event => ({
  kind: 'change.state',
  change,
  state: to,
  why: '',
});

const gate: Event = {
  kind: 'change.gate',
  change: '1',
  report: {
    ...{ gate: 'rehearsal', verdict: 'refused', forced: false, tookMs: 1_500 },
    ...{ summary: '', evidence: [], diagnostics: [] },
  },
};

const tookBack: Event = {
  kind: 'guard.acted',
  record: {
    ...{ number: 1, at: noon, balancer: 'lb-1' },
    what: {
      kind: 'tookBack',
      takeBack: {
        ...{ change: '2', from: 2, to: 1, reason: 'errors', decidedAt: noon, doneAt: noon + 4 },
        ...{ rung: 1, steps: [] },
        evidence: {
          ...{ cause: 'errors', exposedAt: null, firstBadAt: null, candidate: noCounts },
          ...{ incumbent: noCounts, serversDown: [], errorLines: [] },
        },
      },
    },
  },
};

function lines(metrics: ReturnType<typeof meter>): string[] {
  return metrics.text('prometheus', around, noon).split('\n');
}

test('listeners, pools and servers are counted by the names of the exporter that people have', () => {
  const metrics = meter();
  metrics.add(tickOf(1, [server('one', 'up'), server('two', 'down')]));
  metrics.add(tickOf(2, [server('one', 'up'), server('two', 'down')]));
  const told = lines(metrics);
  for (const line of [
    'haproxy_frontend_http_requests_total{proxy="http",balancer="lb-1"} 20',
    'haproxy_frontend_http_responses_total{proxy="http",balancer="lb-1",code="5xx"} 4',
    'haproxy_frontend_current_sessions{proxy="http",balancer="lb-1"} 3',
    'haproxy_backend_http_responses_total{proxy="web",balancer="lb-1",code="other"} 16',
    'haproxy_backend_retry_warnings_total{proxy="web",balancer="lb-1"} 2',
    'haproxy_server_status{proxy="web",server="two",balancer="lb-1",state="DOWN"} 1',
    'haproxy_server_status{proxy="web",server="two",balancer="lb-1",state="UP"} 0',
    'haproxy_server_http_responses_total{proxy="web",server="one",balancer="lb-1",code="5xx"} 2',
    'holdfast_server_faults_total{proxy="web",server="one",balancer="lb-1"} 2',
    'holdfast_pool_request_seconds_total{proxy="web",balancer="lb-1"} 0.1',
  ])
    assert.ok(told.includes(line), `${line}\nis not in\n${told.join('\n')}`);
});

test('a server that a change took out is shown no more, and a tick that lists none takes nothing out', () => {
  const metrics = meter();
  metrics.add(tickOf(1, [server('one', 'up'), server('two', 'down')]));
  const { servers: _, ...quiet } = tickOf(2, []);
  metrics.add(quiet);
  assert.ok(lines(metrics).some((line) => line.includes('server="two"')));
  metrics.add(tickOf(3, [server('one', 'up')]));
  assert.ok(!lines(metrics).some((line) => line.includes('server="two"')));
});

test('changes are counted over the journal, and a journal that is read again counts once', () => {
  const metrics = meter();
  const journal = entries(
    gate,
    state('1', 'promoted'),
    tookBack,
    state('2', 'rolled back'),
    state('3', 'superseded'),
  );
  for (const entry of [...journal, ...journal]) metrics.journalled(entry);
  const told = lines(metrics);
  for (const line of [
    'holdfast_gate_total{gate="rehearsal",verdict="refused"} 1',
    'holdfast_gate_duration_seconds{gate="rehearsal"} 1.5',
    'holdfast_changes_total{outcome="promoted"} 1',
    'holdfast_changes_total{outcome="rolled back"} 1',
    'holdfast_changes_total{outcome="refused"} 0',
    'holdfast_rollback_total{balancer="lb-1",cause="errors"} 1',
    'holdfast_rollback_duration_seconds{balancer="lb-1"} 0.004',
    'holdfast_config_last_apply_successful 0',
    `holdfast_config_last_apply_timestamp_seconds ${(noon + 3) / 1_000}`,
  ])
    assert.ok(told.includes(line), `${line}\nis not in\n${told.join('\n')}`);
});

test('Prometheus itself finds nothing to mend in the text', () => {
  const metrics = meter();
  metrics.add(tickOf(1, [server('one', 'up')]));
  for (const entry of entries(gate, state('1', 'promoted'), tookBack)) metrics.journalled(entry);
  const input = metrics.text('prometheus', around, noon);
  const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input });
  assert.equal(error, undefined);
  assert.equal(status, 0, `${stdout}${stderr}`);
});

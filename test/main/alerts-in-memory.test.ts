import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { alertOffice, type OnCall, readOnCall } from '#alerting';
import { formatDiagnostic, silentLog, systemClock } from '#base';
import type { FaultEvent, JournalEntry } from '#events';
import { type AlertsInMemory, alertsInMemory } from '../../src/main/alerts-in-memory.ts';
import { memoryJournal } from '../world/journal.ts';
import { type Receiver, startReceiver } from '../world/receiver.ts';
import { until } from '../world/stack.ts';

/** A real receiver is told, by the whole of alerting, while there is no journal. */
let receiver: Receiver;
let alerts: AlertsInMemory | null = null;
const waitMs = 60_000;

beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await alerts?.stop();
  await receiver.close();
});

function onCall(): OnCall {
  const text = `
notifiers: [{ name: hook, webhook: { url: "${receiver.url}" } }]
allowedHosts: ["127.0.0.1:${receiver.port}"]
people: [{ name: sue, contacts: [{ notifier: hook }] }]
policies: [{ name: standard, groupBy: [site, alertname], steps: [{ page: [person: sue], ackWithin: 10m }] }]
`;
  const { onCall: settings, diagnostics } = readOnCall(text, 'oncall.yaml', Date.now());
  assert.ok(settings, diagnostics.map(formatDiagnostic).join('\n'));
  return settings;
}

function parts(settings: OnCall) {
  const quiet = { log: silentLog, env: {}, trouble: () => [] };
  return { site: 'shop', clock: systemClock, random: Math.random, settings: () => settings, ...quiet };
}

function begin(before: readonly JournalEntry[] = []): AlertsInMemory {
  return alertsInMemory({ ...parts(onCall()), why: () => 'HF203 no space left on device', before });
}

const came = (what: string, words: string) =>
  receiver.got.filter(({ body, text }) => body.what === what && text.includes(words)).length;

function seen(): FaultEvent {
  return {
    kind: 'fault.seen',
    fault: 'fault-7',
    series: 'errors',
    scope: { kind: 'pool', pool: 'web' },
    severity: 'critical',
    startedAt: Date.now(),
    evidence: ['pool web: errors: 40 with 44 requests'],
    usersSee: '40 of 44 requests were answered with an error so far',
    falseAlarmsPerMonth: 1,
  };
}

test('the journal cannot be opened, and a fault is seen meanwhile: both ring; when it is open again, both are told to be over', async () => {
  alerts = begin();
  await until('the page of the journal', async () => came('page', 'HF203 no space left') > 0, waitMs);
  alerts.tell(seen());
  await until('the page of the fault', async () => came('page', '40 of 44 requests') > 0, waitMs);
  await alerts.handOver();
  assert.deepEqual(
    alerts.office.escalations().filter(({ ended }) => ended === null),
    [],
  );
  assert.ok(came('resolved', '') > 0, JSON.stringify(receiver.got.map(({ body }) => body)));
  const keys = receiver.got.map(({ headers }) => headers['idempotency-key']);
  assert.equal(new Set(keys).size, keys.length, 'nothing came twice');
});

test('an escalation that was under way when the journal was found damaged goes on, and pages nobody anew', async () => {
  const settings = onCall();
  const journal = memoryJournal(systemClock);
  const office = alertOffice({ ...parts(settings), journal });
  await journal.append('monitor', seen());
  await until('the page is sent', async () => journal.kinds().includes('page.sent'), waitMs);
  await office.stop();
  alerts = begin(journal.entries());
  await until('the page of the journal', async () => came('page', 'HF203 no space left') > 0, waitMs);
  assert.equal(came('page', '40 of 44 requests'), 1);
  const open = alerts.office.escalations().filter(({ ended }) => ended === null);
  assert.deepEqual(
    open.map(({ id }) => id),
    ['e-1', 'e-2'],
  );
});

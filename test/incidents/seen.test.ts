import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CustomerReport, Event, FaultFacts } from '#events';
import { incidentKeeper, incidentsOf, postmortem, timelineOf } from '#incidents';
import { simulatedClock } from '../world/clock.ts';
import { memoryJournal } from '../world/journal.ts';
import { acted, noon, tookBack } from './journal.ts';

const quietMs = 10_000;
const silentMs = 1_800_000;
const minute = 60_000;

function world(t: { after(f: () => unknown): void }) {
  const clock = simulatedClock(noon);
  const journal = memoryJournal(clock, []);
  const keeper = incidentKeeper({ journal, clock, quietMs, silentMs });
  t.after(() => keeper.stop());
  const incidents = () =>
    journal
      .entries()
      .map(({ event }) => event)
      .filter((event) => event.kind === 'incident.opened' || event.kind === 'incident.resolved');
  let reports = 0;
  return {
    clock,
    journal,
    incidents,
    async report(some: Partial<CustomerReport> = {}) {
      reports += 1;
      const report: CustomerReport = {
        report: `rep-${reports}`,
        sees: 'error',
        status: 503,
        url: 'https://shop.example/cart',
        since: null,
        said: 'nothing *works*',
        ticket: '',
        via: 'form',
        client: `c${reports}`,
        ...some,
      };
      await journal.append('customer', { kind: 'report.received', report });
    },
  };
}

const facts: FaultFacts = {
  fault: 'fault-1',
  series: 'errors',
  severity: 'critical',
  scope: { kind: 'pool', pool: 'web' },
  startedAt: noon,
  evidence: ['9 of 10 answers of lb-2 were 503'],
};
const seen: Event = {
  kind: 'fault.seen',
  ...facts,
  usersSee: '9 of 10 requests to shop.example are answered 503',
  falseAlarmsPerMonth: 1,
};
const located = (change: string | null): Event => ({
  kind: 'fault.located',
  ...facts,
  verdict: {
    sentence: 'servers web-7 to web-9 of pool web have never answered; change chg-9 added them',
    culprits: [{ kind: 'pool', pool: 'web' }],
    certain: true,
    change,
    place: null,
    advice: '',
  },
});
const ended = (at: number): Event => ({
  kind: 'fault.ended',
  ...facts,
  endedAt: at,
  how: 'pool web answers as it used to',
  wasFalse: false,
});

test('a fault that the monitor saw opens an incident, which ends some time after the fault', async (t) => {
  const { clock, journal, incidents } = world(t);
  await clock.pass(300);
  await journal.append('controller', seen);
  await clock.pass(1);
  await journal.append('controller', located(null));
  await clock.pass(60 * minute);
  assert.deepEqual(incidents(), [
    {
      kind: 'incident.opened',
      incident: 'inc-1',
      title: '9 of 10 requests to shop.example are answered 503',
      change: null,
      balancers: [],
    },
  ]);
  await journal.append('controller', ended(clock.now() - 1_000));
  await clock.pass(quietMs - 1_500);
  assert.equal(incidents().length, 1);
  await clock.pass(600);
  const [, end] = incidents();
  assert.equal(
    end?.kind === 'incident.resolved' && end.how,
    'pool web answers as it used to, and nothing bad was seen for 10.0 s since',
  );
  const [view] = incidentsOf(journal.entries());
  assert.equal(view?.seenAt, noon + 300);
  assert.equal(view?.beganAt, noon);
  assert.equal(view?.customersAheadMs, null);
  assert.match(view?.cause ?? '', /never answered/);
});

test('what the guard did and what the monitor saw of it are one incident, with the change that was found', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('controller', seen);
  await clock.pass(200);
  await journal.append('controller', located('chg-9'));
  await journal.append('agent:lb-2', acted(1, 400, 'lb-2', tookBack(400, { change: 'chg-9' })));
  await clock.pass(1);
  assert.equal(incidents().length, 1);
  assert.equal(incidentsOf(journal.entries())[0]?.change, 'chg-9');
  await journal.append('controller', ended(noon + 900));
  await clock.pass(quietMs + 2_000);
  assert.equal(incidents().length, 2);
});

test('reports of three customers within minutes open an incident, those of one customer do not', async (t) => {
  const { clock, incidents, report, journal } = world(t);
  for (let i = 0; i < 5; i += 1) {
    await report({ client: 'the same' });
    await clock.pass(minute / 2);
  }
  assert.deepEqual(incidents(), []);
  await clock.pass(180 * minute);
  for (let i = 0; i < 3; i += 1) {
    await report();
    await clock.pass(minute);
  }
  const [opened] = incidents();
  assert.equal(
    opened?.kind === 'incident.opened' && opened.title,
    '3 customers reported trouble, and nothing else has seen any',
  );
  const [view] = incidentsOf(journal.entries());
  assert.equal(view?.reports, 3);
  assert.equal(view?.customersAheadMs, 2 * minute);
  await clock.pass(silentMs - 2 * minute);
  assert.equal(incidents().length, 1);
  await clock.pass(2 * minute);
  assert.equal(incidents().length, 2);
  assert.match(
    postmortem(journal.entries(), 'inc-1'),
    /Nothing but customers saw it: their reports were enough/,
  );
});

test('customers who wrote first are told to have been ahead; who wrote later, behind', async (t) => {
  const { clock, journal, report } = world(t);
  await report({ said: 'it is *down*', ticket: 'T-77', via: 'person' });
  await clock.pass(4 * minute);
  await journal.append('controller', { ...seen, startedAt: noon - minute });
  await clock.pass(10_000);
  await report();
  await clock.pass(1);
  const [view] = incidentsOf(journal.entries());
  assert.equal(view?.customersAheadMs, 4 * minute);
  assert.equal(view?.reports, 2);
  const text = postmortem(journal.entries(), 'inc-1');
  assert.match(text, /The first customer had reported it 4 min 0 s before that\./);
  assert.match(
    text,
    /Support wrote down a report of a customer: an error \(503\) .*it is \\\*down\\\*", ticket T-77/,
  );
  const lines = timelineOf(journal.entries(), 'inc-1').map(({ text: line }) => line);
  assert.ok(lines.some((line) => line.startsWith('The monitor raised an alarm, 5 min 0 s after')));
});

test('an incident that customers opened takes in what is seen of it later', async (t) => {
  const { clock, journal, incidents, report } = world(t);
  for (let i = 0; i < 3; i += 1) await report();
  await clock.pass(10 * minute);
  await journal.append('controller', { ...seen, startedAt: noon + 9 * minute });
  await clock.pass(1);
  assert.equal(incidents().length, 1);
  assert.equal(incidentsOf(journal.entries())[0]?.customersAheadMs, 10 * minute);
});

test('whom it woke and who took it is in the timeline', async (t) => {
  const { clock, journal } = world(t);
  await journal.append('controller', seen);
  await clock.pass(10);
  await journal.append('controller', {
    kind: 'page.planned',
    escalation: 'esc-1',
    turn: 0,
    what: 'page',
    step: 0,
    round: 0,
    reason: 'first',
    pages: [{ id: 'p1', person: 'maria', notifier: 'phone', to: '' }],
    missing: [],
  });
  await clock.pass(minute);
  await journal.append('person:maria', {
    kind: 'alert.acknowledged',
    escalation: 'esc-1',
    until: noon + 30 * minute,
    comment: 'on it',
  });
  const lines = timelineOf(journal.entries(), 'inc-1').map(({ text }) => text);
  assert.ok(lines.includes('maria was paged.'));
  assert.ok(lines.some((line) => line.startsWith('maria has taken it, until')));
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event, JournalEntry } from '#events';
import { incidentKeeper, incidentsOf } from '#incidents';
import { simulatedClock } from '../world/clock.ts';
import { memoryJournal } from '../world/journal.ts';
import { acted, counts, noon, tookBack } from './journal.ts';

const quietMs = 10_000;

/** A world in which the time is noon and a keeper watches the journal. */
function world(t: { after(f: () => unknown): void }, before: readonly JournalEntry[] = []) {
  const clock = simulatedClock(noon);
  const journal = memoryJournal(clock, before);
  const keeper = incidentKeeper({ journal, clock, quietMs });
  t.after(() => keeper.stop());
  const incidents = () =>
    journal
      .entries()
      .map(({ event }) => event)
      .filter((event) => event.kind === 'incident.opened' || event.kind === 'incident.resolved');
  return { clock, journal, keeper, incidents };
}

const bad = counts({ requests: 20, errors: 5 });
const back = (
  number: number,
  ms: number,
  balancer: string,
  change: string | null = 'chg-1',
  cause = 'errors',
): Event =>
  acted(
    number,
    ms,
    balancer,
    tookBack(ms, { change, evidence: { cause, candidate: bad, firstBadAt: noon + ms - 50 } }),
  );
const alarm = (number: number, ms: number): Event =>
  acted(number, ms, 'lb-1', { kind: 'alarm', series: 'errors', requests: 100, bad: 9, score: 20 });
const recovered = (number: number, ms: number): Event =>
  acted(number, ms, 'lb-1', { kind: 'recovered', series: 'errors' });
const died = (number: number, ms: number, takenOverBy: number | null): Event =>
  acted(number, ms, 'lb-1', {
    kind: 'engineDied',
    generation: 3,
    role: 'active',
    how: 'SIGKILL',
    takenOverBy,
    tookOverMs: takenOverBy === null ? null : 5,
  });

test('a take-back opens an incident, and quiet resolves it', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  await clock.pass(quietMs - 100);
  assert.deepEqual(incidents(), [
    {
      kind: 'incident.opened',
      incident: 'inc-1',
      title: 'Change chg-1 was taken back from lb-1: requests found no server',
      change: 'chg-1',
      balancers: ['lb-1'],
    },
  ]);
  await clock.pass(200);
  assert.deepEqual(incidents()[1], {
    kind: 'incident.resolved',
    incident: 'inc-1',
    how: 'lb-1 served what was last good for 10.0 s without a bad sign',
  });
});

test('several balancers that take back the same change are one incident', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  await clock.pass(1);
  await journal.append('agent:lb-2', back(1, 300, 'lb-2'));
  await clock.pass(60_000);
  assert.deepEqual(
    incidents().map((event) => event.kind),
    ['incident.opened', 'incident.resolved'],
  );
  assert.equal(incidentsOf(journal.entries())[0]?.requests, 40);
});

test('what happens within a minute is one incident, what happens later is another', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  await journal.append('agent:lb-1', died(2, 5_000, 2));
  await clock.pass(120_000);
  await journal.append('agent:lb-1', back(3, 120_000, 'lb-1', 'chg-2'));
  await clock.pass(60_000);
  assert.deepEqual(
    incidents().map((event) => `${event.kind} ${event.incident}`),
    ['incident.opened inc-1', 'incident.resolved inc-1', 'incident.opened inc-2', 'incident.resolved inc-2'],
  );
});

test('bad signs after the take-back keep it open until they have ended and it was quiet', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  await clock.pass(4_000);
  await journal.append('agent:lb-1', alarm(2, 4_000));
  await clock.pass(300_000);
  assert.equal(incidents().length, 1);
  await journal.append('agent:lb-1', recovered(3, 304_000));
  await clock.pass(quietMs - 100);
  assert.equal(incidents().length, 1);
  await clock.pass(200);
  assert.equal(incidents()[1]?.kind, 'incident.resolved');
});

test('an engine that died is resolved as soon as another took over', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', died(1, 0, 2));
  await clock.pass(10);
  assert.deepEqual(
    incidents().map((event) => (event.kind === 'incident.resolved' ? event.how : event.title)),
    ['The active engine of lb-1 died', 'generation 2 took over on lb-1 after 5 ms'],
  );
});

test('when none took over it stays open until the cold start', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', died(1, 0, null));
  await clock.pass(3_600_000);
  assert.equal(incidents().length, 1);
  const restored = acted(2, 3_600_000, 'lb-1', {
    kind: 'restored',
    generation: 4,
    how: 'cold start',
    tookMs: 900,
  });
  await journal.append('agent:lb-1', restored);
  await clock.pass(1);
  assert.equal(incidents().length, 2);
});

test('while another engine carries the site it stays open; a change that brings it back ends it', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', died(1, 0, null));
  const carried = {
    kind: 'carried',
    generation: 4,
    by: 'builtin',
    instead: 'haproxy',
    because: 'haproxy: the engine ended while it started',
    tookMs: 300,
  } as const;
  await journal.append('agent:lb-1', acted(2, 400, 'lb-1', carried));
  await clock.pass(3_600_000);
  assert.equal(incidents().length, 1);
  const back = { kind: 'carriedNoMore', change: 'c1', by: 'haproxy' } as const;
  await journal.append('agent:lb-1', acted(3, 3_600_000, 'lb-1', back));
  await clock.pass(1);
  const [, ended] = incidents();
  assert.equal(ended?.kind === 'incident.resolved' && ended.how, 'lb-1 is back on haproxy');
});

test('a person who goes back although nothing is wrong opens none', async (t) => {
  const { clock, journal, incidents } = world(t);
  const calm = tookBack(0, { evidence: { cause: 'person' } });
  await journal.append('agent:lb-1', acted(1, 0, 'lb-1', calm));
  await clock.pass(60_000);
  assert.deepEqual(incidents(), []);
  await journal.append('agent:lb-1', alarm(2, 60_000));
  await journal.append(
    'agent:lb-1',
    acted(3, 61_000, 'lb-1', tookBack(61_000, { evidence: { cause: 'person' } })),
  );
  await clock.pass(1);
  assert.equal(incidents().length, 1);
});

test('a keeper that begins again at any moment opens nothing twice, and misses nothing', async (t) => {
  const first = world(t);
  await first.journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  await first.journal.append('agent:lb-2', back(1, 100, 'lb-2'));
  await first.clock.pass(quietMs + 1_000);
  await first.keeper.stop();
  const whole = first.journal.entries();
  assert.equal(first.incidents().length, 2);
  for (let cut = 1; cut <= whole.length; cut += 1) {
    const again = world(t, whole.slice(0, cut));
    await again.clock.pass(quietMs + 1_000);
    const kinds = again.incidents().map((event) => `${event.kind} ${event.incident}`);
    assert.deepEqual(kinds, ['incident.opened inc-1', 'incident.resolved inc-1'], `after ${cut} entries`);
  }
});

test('a journal that cannot be written is tried again', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  journal.full = true;
  await clock.pass(5_000);
  assert.equal(incidents().length, 0);
  journal.full = false;
  await clock.pass(1_500);
  assert.equal(incidents().length, 1);
});

test('a keeper that was stopped writes no more', async (t) => {
  const { clock, journal, keeper, incidents } = world(t);
  await keeper.stop();
  await journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  await clock.pass(60_000);
  assert.deepEqual(incidents(), []);
});

test('a person resolves one that cannot end by itself: once, and it is told in the list', async (t) => {
  const { clock, journal, incidents } = world(t);
  await journal.append('agent:lb-1', back(1, 0, 'lb-1'));
  await journal.append('agent:lb-1', alarm(2, 50));
  await clock.pass(quietMs * 3);
  assert.equal(incidents().length, 1, 'a bad sign keeps it open');
  const how = 'person:anna says that it is over: a mistyped address';
  await journal.append('person:anna', { kind: 'incident.resolved', incident: 'inc-1', how });
  await journal.append('agent:lb-1', recovered(3, 60));
  await clock.pass(quietMs * 3);
  assert.deepEqual(
    incidents().map(({ kind }) => kind),
    ['incident.opened', 'incident.resolved'],
  );
  const [incident] = incidentsOf(journal.entries());
  assert.ok(incident && incident.resolvedAt !== null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure, silentLog } from '#base';
import type { Finding } from '#events';
import { type BalancerFacts, type ReviewFacts, readSchedule, reviewer, reviewOf } from '#practice';
import { simulatedClock } from '../world/clock.ts';
import { memoryJournal } from '../world/journal.ts';
import { parsedSite } from './site.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 10, 23, 12);

const well: BalancerFacts = {
  engine: 'haproxy',
  carriedInstead: null,
  certificates: [],
  wayBack: { ok: true, tried: [], knownFaults: [] },
};

function facts(some: Partial<ReviewFacts> = {}): ReviewFacts {
  return {
    now,
    site: parsedSite({ balancers: ['192.0.2.1', '192.0.2.2'], servers: ['192.0.2.11', '192.0.2.12'] }),
    balancers: new Map([
      ['lb-1', well],
      ['lb-2', well],
    ]),
    peaks: new Map(),
    frozen: null,
    reviewsOwed: [],
    openIncidents: [],
    machines: new Map([
      ['a', ['lb-1']],
      ['b', ['lb-2']],
    ]),
    ...some,
  };
}

const found = (some: Partial<ReviewFacts>) =>
  reviewOf(facts(some)).findings.map(({ id, severity }) => `${severity} ${id}`);
const the = (findings: readonly Finding[], id: string) => findings.find((one) => one.id === id);

test('a site in which everything is there twice has no finding', () => {
  assert.deepEqual(reviewOf(facts()), { findings: [], notSeen: [] });
});

test('whatever stands alone is found: a balancer, a machine, a server, a host', () => {
  const alone = parsedSite({ balancers: ['192.0.2.1'], servers: ['192.0.2.11'] });
  assert.deepEqual(found({ site: alone }), ['high single-balancer', 'high single-server:web']);
  assert.deepEqual(found({ machines: new Map([['a', ['lb-1', 'lb-2']]]) }), ['high one-machine']);
  const oneHost = parsedSite({
    balancers: ['192.0.2.1', '192.0.2.2'],
    servers: ['192.0.2.11', '192.0.2.11:81'],
  });
  assert.deepEqual(found({ site: oneHost }), ['medium one-host:web']);
});

test('a pool that is full without its largest server is found, and one that nobody measured is told', () => {
  const limited = parsedSite({
    balancers: ['192.0.2.1', '192.0.2.2'],
    servers: ['192.0.2.11', '192.0.2.12', '192.0.2.13'],
    connectionsMax: 100,
  });
  const peak = (connections: number) => new Map([['web', connections]]);
  assert.deepEqual(found({ site: limited, peaks: peak(200) }), []);
  assert.deepEqual(found({ site: limited, peaks: peak(201) }), ['medium capacity:web']);
  assert.deepEqual(found({ site: limited, peaks: peak(301) }), ['high capacity:web']);
  assert.match(reviewOf(facts({ site: limited, peaks: null })).notSeen.join(), /not measured/);
});

test('certificates are told three weeks before they end, once, however many balancers show them', () => {
  const ending = (days: number) => {
    const one = {
      ...well,
      certificates: [{ file: '/c.pem', names: ['shop.example'], validTo: now + days * day }],
    };
    return new Map([
      ['lb-1', one],
      ['lb-2', one],
    ]);
  };
  assert.deepEqual(found({ balancers: ending(22) }), []);
  assert.deepEqual(found({ balancers: ending(20) }), ['medium certificate:/c.pem']);
  assert.deepEqual(found({ balancers: ending(6) }), ['high certificate:/c.pem']);
  const past = reviewOf(facts({ balancers: ending(-1) })).findings;
  assert.match(the(past, 'certificate:/c.pem')?.what ?? '', /ended on 2026-11-22/);
});

test('a way back that is closed, an engine that stands in, and a balancer that is silent', () => {
  const closed = { ...well, wayBack: { ok: false, tried: ['generation 2: no answer'], knownFaults: [] } };
  const carried = { ...well, engine: 'builtin', carriedInstead: 'haproxy' };
  assert.deepEqual(
    found({
      balancers: new Map<string, BalancerFacts>([
        ['lb-1', closed],
        ['lb-2', carried],
      ]),
    }),
    ['high way-back:lb-1', 'high carried:lb-2'],
  );
  const silent = reviewOf(facts({ balancers: new Map([['lb-1', null]]) }));
  assert.deepEqual(silent, { findings: [], notSeen: ['lb-1 did not answer: nothing can be said of it'] });
});

test('what people left lying is found too', () => {
  assert.deepEqual(
    found({ frozen: 'chg-3 was taken back', reviewsOwed: ['chg-9'], openIncidents: ['inc-1'] }),
    ['medium review-owed:chg-9', 'medium frozen', 'medium open-incident:inc-1'],
  );
});

test('reviews come on their schedule, one that was missed is made up for once, and one that fails is tried again', async () => {
  const clock = simulatedClock(now);
  const journal = memoryJournal(clock, []);
  let broken = false;
  const open = () =>
    reviewer({
      journal,
      clock,
      log: silentLog,
      schedule: '0 9 * * 1',
      gather: async () => {
        if (broken) throw new Error('not now');
        return facts();
      },
    });
  const times = () => journal.entries().map(({ at }) => new Date(at).toISOString().slice(0, 16));
  const first = open();
  await clock.pass(8 * day);
  assert.deepEqual(times(), ['2026-11-30T09:00']);
  await first.stop();
  await clock.pass(21 * day);
  broken = true;
  const second = open();
  await clock.pass(5 * 60_000);
  assert.equal(times().length, 1);
  broken = false;
  await clock.pass(20 * 60_000);
  assert.deepEqual(times(), ['2026-11-30T09:00', '2026-12-22T12:10']);
  await clock.pass(7 * day);
  assert.equal(times().at(-1), '2026-12-28T09:00');
  await second.stop();
});

test('a schedule that is none is refused before anything starts', () => {
  for (const wrong of ['every monday', '61 9 * * 1', '0 9 * *', '* * * * * *'])
    assert.throws(
      () => readSchedule(wrong),
      (error) => error instanceof Failure && error.code === 'HF013',
      wrong,
    );
});

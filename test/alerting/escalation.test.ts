import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { type FaultEvent, type FaultFacts, fingerprintOf } from '#events';
import { quietness } from '../../src/alerting/core/decide.ts';
import { type AlertWorld, alert, alertWorld, founding, minute } from './world.ts';

/** Timelines of minutes, on a simulated clock: what is paged, when, and to whom. */
describe('escalation', () => {
  let world: AlertWorld;
  afterEach(() => world.stop());

  /** A fact of the site itself: it does not end by time. */
  const freeze = () => world.journal.append('guard', { kind: 'pipeline.frozen', why: 'c1: errors' });
  const release = () => world.journal.append('person:eve', { kind: 'pipeline.released', reason: 'seen' });
  const acknowledge = (escalation = 'e-1', forMs = 30 * minute) =>
    world.journal.append('person:eve', {
      kind: 'alert.acknowledged',
      escalation,
      until: world.clock.now() + forMs,
      comment: '',
    });

  it('goes from support to engineering to the vendor, round by round, and then says that nobody answers', async () => {
    world = alertWorld();
    await freeze();
    await world.clock.pass(90 * minute);
    assert.deepEqual(world.lines(), [
      '0:00 phone 1 page',
      '0:00 channel page',
      '5:00 phone 2 page',
      '15:00 phone 3 page',
      '30:00 phone 1 page',
      '30:00 channel page',
      '35:00 phone 2 page',
      '45:00 phone 3 page',
    ]);
    const firing = [...world.keeper().ledger.book.firing.values()].map((one) => one.alert.labels.alertname);
    assert.deepEqual(firing, ['PipelineFrozen', 'NobodyAnswers']);
  });

  it('keeps the guard quiet about what the monitor has seen nearer, and nothing else', async () => {
    world = alertWorld();
    const alarm = (balancer: string) =>
      world.journal.append('guard', {
        kind: 'guard.acted',
        record: {
          number: 1,
          at: world.clock.now(),
          balancer,
          what: { kind: 'alarm', series: 'errors', requests: 10, bad: 9, score: 20 },
        },
      });
    const quiet = () => {
      const { book } = world.keeper().ledger;
      const quietOf = quietness(book, world.settings, { wall: world.clock.now(), steady: 0 });
      return [...book.firing.values()].map(({ alert: one }) => [
        one.labels.fault ?? one.labels.guard,
        quietOf(one).causes.length,
      ]);
    };
    await alarm('lb-1');
    await world.clock.pass(1_000);
    assert.deepEqual(quiet(), [['lb-1', 0]]);
    await world.journal.append('monitor', {
      kind: 'fault.seen',
      fault: 'fault-1',
      series: 'hung',
      severity: 'critical',
      scope: { kind: 'pool', pool: 'web' },
      startedAt: world.clock.now(),
      evidence: [],
      usersSee: 'requests get no answer',
      falseAlarmsPerMonth: 1,
    });
    await world.clock.pass(1_000);
    assert.deepEqual(quiet(), [
      ['lb-1', 1],
      ['fault-1', 0],
    ]);
    await world.clock.pass(5 * minute);
    await alarm('lb-2');
    await world.clock.pass(1_000);
    assert.deepEqual(quiet().at(-1), ['lb-2', 0], 'a trouble of its own');
  });

  it('stops where somebody takes it, tells the others, and comes back when that has run out', async () => {
    world = alertWorld();
    await freeze();
    await world.clock.pass(6 * minute);
    await acknowledge();
    await world.clock.pass(minute);
    assert.deepEqual(world.lines().slice(3), [
      '6:00 phone 1 acknowledged',
      '6:00 channel acknowledged',
      '6:00 phone 2 acknowledged',
    ]);
    await world.clock.pass(28 * minute);
    assert.equal(world.told.length, 6);
    await world.clock.pass(2 * minute);
    assert.deepEqual(world.lines().slice(6), ['36:00 phone 2 page']);
    assert.match(world.told.at(-1)?.message.notes[0] ?? '', /acknowledgement has run out/);
  });

  it('ends with its alerts, and tells who was paged', async () => {
    world = alertWorld();
    await freeze();
    await world.clock.pass(minute);
    await release();
    await world.clock.pass(20 * minute);
    assert.deepEqual(world.lines().slice(2), ['1:00 phone 1 resolved', '1:00 channel resolved']);
    assert.equal(world.keeper().ledger.book.past.length, 1);
  });

  it('is handed over to a person by name', async () => {
    world = alertWorld();
    await freeze();
    await world.clock.pass(minute);
    await world.journal.append('person:sue', { kind: 'escalation.handedOver', escalation: 'e-1', to: 'vic' });
    await world.clock.pass(minute);
    assert.deepEqual(world.lines().slice(2), ['1:00 phone 3 page']);
  });

  it('goes on at once where nobody can be reached, and goes on trying too', async () => {
    world = alertWorld();
    world.answer = (_, { to }) =>
      to === '2'
        ? { kind: 'sent', said: 'ok' }
        : { kind: 'failed', why: 'busy', final: false, retryAfterMs: null };
    await freeze();
    await world.clock.pass(minute);
    const reached = world.told.find(({ message }) => message.to === '2');
    assert.ok(reached && reached.atMs < 30_000, world.lines().join('\n'));
    const tries = world.told.filter(({ message }) => message.to === '1');
    assert.ok(tries.length > 3);
    assert.equal(new Set(tries.map(({ message }) => message.page)).size, 1);
  });

  it('keeps what can never be delivered as a dead letter', async () => {
    world = alertWorld();
    world.answer = () => ({ kind: 'failed', why: 'it answered 400', final: true, retryAfterMs: null });
    await freeze();
    await world.clock.pass(1_000);
    const [first] = world.keeper().ledger.book.deadLetters;
    assert.equal(first?.said, 'it answered 400');
    assert.equal(first?.attempts, 1);
  });

  it('pages nobody twice for one step when the keeper is begun again, and forgets nobody', async () => {
    world = alertWorld();
    await freeze();
    await world.clock.pass(minute);
    await world.restart();
    await world.clock.pass(5 * minute);
    await world.restart();
    await world.clock.pass(4 * minute);
    assert.deepEqual(world.lines(), ['0:00 phone 1 page', '0:00 channel page', '5:00 phone 2 page']);
  });

  it('neither forgets nor hurries when the clock is put back or forward by an hour', async () => {
    for (const jumpMs of [-60 * minute, 60 * minute]) {
      world = alertWorld();
      await freeze();
      await world.clock.pass(minute);
      const { now } = world.clock;
      Object.assign(world.clock, { now: () => now() + jumpMs });
      await world.clock.pass(5 * minute);
      assert.ok(
        world.lines().some((line) => line.includes('phone 2 page')),
        `${jumpMs}`,
      );
      assert.ok(!world.lines().some((line) => line.includes('phone 3 page')), `${jumpMs}`);
      await world.stop();
    }
  });

  it('pages though the disk is full, and writes it down as soon as it takes it', async () => {
    world = alertWorld();
    await freeze();
    world.journal.full = true;
    await world.clock.pass(6 * minute);
    assert.deepEqual(world.lines(), ['0:00 phone 1 page', '0:00 channel page', '5:00 phone 2 page']);
    assert.deepEqual(world.journal.kinds(), ['pipeline.frozen']);
    world.journal.full = false;
    await world.clock.pass(minute);
    assert.equal(world.journal.kinds().filter((kind) => kind === 'page.sent').length, 3);
    await world.restart();
    await world.clock.pass(minute);
    assert.equal(world.told.length, 3);
  });

  it('what comes while somebody has it is worth another page only where it is worse', async () => {
    world = alertWorld();
    await freeze();
    await world.clock.pass(minute);
    await acknowledge();
    const mild = alert('Slow', { severity: 'error' });
    await world.journal.append('api', {
      kind: 'alert.fired',
      fingerprint: fingerprintOf(mild.labels),
      alert: mild,
    });
    await world.clock.pass(minute);
    assert.equal(world.told.filter(({ message }) => message.what === 'page').length, 2);
    const bad = alert('Down');
    await world.journal.append('api', {
      kind: 'alert.fired',
      fingerprint: fingerprintOf(bad.labels),
      alert: bad,
    });
    await world.clock.pass(minute);
    assert.equal(world.told.at(-1)?.message.title, 'shop: Down it is (and 2 more)');
  });

  it('what is critical and joins lesser things that nobody has taken is a page of its own, once, and gives nobody more time', async () => {
    world = alertWorld();
    await freeze();
    await world.clock.pass(minute);
    const bad = alert('Down');
    const fired = { kind: 'alert.fired', fingerprint: fingerprintOf(bad.labels), alert: bad } as const;
    await world.journal.append('api', fired);
    await world.clock.pass(5 * minute);
    assert.deepEqual(
      world.lines().filter((line) => line.includes('phone')),
      ['0:00 phone 1 page', '1:00 phone 1 page', '5:00 phone 2 page'],
    );
  });

  it('a silence pages nobody until it ends; a cause silences its symptoms', async () => {
    world = alertWorld();
    const silence = {
      id: 's-1',
      matchers: [{ name: 'alertname', value: 'Pipeline.*', isEqual: true, isRegex: true }],
      startsAt: world.clock.now(),
      endsAt: world.clock.now() + 10 * minute,
      createdBy: 'person:eve',
      comment: 'planned',
    };
    await world.journal.append('person:eve', { kind: 'silence.made', silence });
    await freeze();
    await world.clock.pass(9 * minute);
    assert.deepEqual(world.lines(), []);
    await world.clock.pass(2 * minute);
    assert.deepEqual(world.lines(), ['10:00 phone 1 page', '10:00 channel page']);
  });

  it('skips a step that nobody is there for', async () => {
    const text = founding.replace(
      'rotations: [{ people: [sue], starts: 2025-12-01 }]',
      'rotations: [{ people: [sue], starts: 2026-12-01 }]\n    gaps: allowed',
    );
    world = alertWorld(text.replace('schedule: support, notifier: channel', 'schedule: support'));
    await freeze();
    await world.clock.pass(minute);
    assert.deepEqual(world.lines(), ['0:00 phone 2 page']);
    const [turn] = world.keeper().ledger.book.escalations.get('e-1')?.turns ?? [];
    assert.deepEqual(turn?.missing, ['nobody is on call in "support"']);
  });

  it('takes a flood of alerts from outside: bounded, told, and one page', async () => {
    world = alertWorld();
    const flood = Array.from({ length: 10_000 }, (_, i) => ({
      alert: alert('Flood', { number: String(i) }),
      resolved: false,
    }));
    await world.clock.run(Promise.resolve());
    const { taken, dropped } = await world.clock.run(world.keeper().intake.take(flood, 'api'));
    assert.equal(taken + dropped, 10_000);
    assert.ok(taken <= 700, `${taken}`);
    await world.clock.pass(minute);
    assert.equal(world.told.filter(({ message }) => message.what === 'page').length, 2);
    assert.equal(world.told[0]?.message.alerts.length, 20);
    assert.ok(world.journal.kinds().includes('alert.dropped'));
    // What is known already costs no entry.
    const before = world.journal.kinds().length;
    const again = flood.slice(0, taken);
    for (let i = 0; i < 5; i += 1) await world.clock.run(world.keeper().intake.take(again, 'api'));
    assert.equal(world.journal.kinds().length, before);
    await world.clock.pass(7 * minute);
    assert.ok(!world.journal.kinds().includes('escalation.exhausted'));
    assert.equal([...world.keeper().ledger.book.firing].length, 0);
  });
});

describe('a cause that is found after the page', () => {
  const scope = { kind: 'pool', pool: 'web' } as const;
  const facts = {
    fault: 'fault-1',
    series: 'errors',
    scope,
    severity: 'critical',
    startedAt: 0,
    evidence: ['web: 40 errors'],
  } as const satisfies FaultFacts;
  const seen = { kind: 'fault.seen', ...facts, usersSee: 'errors', falseAlarmsPerMonth: 1 } as const;
  const located = (sentence: string): FaultEvent => {
    const verdict = { sentence, culprits: [scope], certain: true, change: null, place: null, advice: 'look' };
    return { kind: 'fault.located', ...facts, verdict };
  };

  let world: AlertWorld;
  afterEach(() => world.stop());

  it('is told once to whoever was paged, and pages nobody anew', async () => {
    world = alertWorld();
    await world.journal.append('monitor', seen);
    await world.clock.pass(1_000);
    await world.journal.append('monitor', located('server two of pool web is dead'));
    await world.clock.pass(1_000);
    await world.journal.append('monitor', located('server two of pool web is dead'));
    await world.restart();
    await world.clock.pass(minute);
    assert.deepEqual(
      world.lines().map((line) => line.replace(/^\S+ /, '')),
      ['phone 1 page', 'channel page', 'phone 1 updated', 'channel updated'],
    );
    const [page, , update] = world.told.map(({ message }) => message);
    assert.equal(update?.key, page?.key, 'one incident at the receiver');
    assert.match(update?.cause ?? '', /server two of pool web is dead/);
    assert.match(page?.cause ?? '', /^Not located yet/);
  });

  it('that swings between two is told twice at most, and the next step comes in its time', async () => {
    world = alertWorld();
    await world.journal.append('monitor', seen);
    for (let time = 0; time < 6; time += 1) {
      await world.clock.pass(10_000);
      await world.journal.append('monitor', located(`it is ${['one', 'two'][time % 2]}`));
    }
    await world.clock.pass(4.5 * minute);
    const phone = world.lines().filter((line) => line.includes('phone'));
    assert.deepEqual(
      phone.map((line) => line.replace(/^\S+ /, '')),
      ['phone 1 page', 'phone 1 updated', 'phone 1 updated', 'phone 2 page'],
    );
  });

  it('while the disk is full it is told all the same, and said to be in memory alone; then written down once', async () => {
    world = alertWorld();
    await world.journal.append('monitor', seen);
    await world.clock.pass(1_000);
    world.journal.full = true;
    await world.clock.pass(6 * minute);
    const late = world.told.filter(({ message }) => message.to === '2');
    assert.equal(late.length, 1);
    assert.match(late[0]?.message.notes.join('\n') ?? '', /The journal takes nothing now/);
    world.journal.full = false;
    await world.clock.pass(minute);
    await world.restart();
    await world.clock.pass(minute);
    assert.equal(world.told.filter(({ message }) => message.to === '2').length, 1, 'not a second time');
    const sent = world.journal.entries().filter(({ event }) => event.kind === 'page.sent');
    assert.equal(sent.length, world.told.length, 'each is in the journal, once');
  });
});

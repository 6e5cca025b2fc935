import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '#base';
import { type ReportInput, reportDesk } from '#incidents';
import { simulatedClock } from '../world/clock.ts';
import { memoryJournal } from '../world/journal.ts';
import { noon } from './journal.ts';

const input: ReportInput = {
  sees: 'error',
  status: 503,
  url: 'https://shop.example/',
  since: null,
  said: 'it is down',
  ticket: '',
  via: 'form',
};
const refused = (error: unknown) => error instanceof Failure && error.code === 'HF406';

test('reports are numbered on, also by the next controller, and a sender is told apart without being kept', async () => {
  const clock = simulatedClock(noon);
  const journal = memoryJournal(clock, []);
  const first = reportDesk({ journal, clock });
  assert.equal(await first.take('customer', '192.0.2.7', input), 'rep-1');
  assert.equal(await first.take('customer', '192.0.2.7', input), 'rep-2');
  assert.equal(await first.take('customer', '192.0.2.8', input), 'rep-3');
  assert.equal(await reportDesk({ journal, clock }).take('person:root', '', input), 'rep-4');
  const clients = journal
    .entries()
    .map(({ event }) => (event.kind === 'report.received' ? event.report.client : '?'));
  assert.equal(clients[0], clients[1]);
  assert.notEqual(clients[0], clients[2]);
  assert.equal(clients[3], '');
  assert.ok(!JSON.stringify(journal.entries()).includes('192.0.2'));
});

test('one sender who floods is refused, and others are heard; support is never limited by sender', async () => {
  const clock = simulatedClock(noon);
  const journal = memoryJournal(clock, []);
  const desk = reportDesk({ journal, clock });
  for (let i = 0; i < 3; i += 1) await desk.take('customer', 'a', input);
  for (let i = 0; i < 100; i += 1) await assert.rejects(desk.take('customer', 'a', input), refused);
  await desk.take('customer', 'b', input);
  for (let i = 0; i < 10; i += 1) await desk.take('person:root', '', input);
  assert.equal(journal.entries().length, 14);
  await clock.pass(600_001);
  await desk.take('customer', 'a', input);
});

test('a flood from everywhere leaves counts, not entries, and the journal bounded', async () => {
  const clock = simulatedClock(noon);
  const journal = memoryJournal(clock, []);
  const desk = reportDesk({ journal, clock });
  let refusals = 0;
  for (let i = 0; i < 20_000; i += 1) {
    await desk.take('customer', `sender ${i}`, input).catch(() => {
      refusals += 1;
    });
    if (i % 100 === 0) await clock.pass(1_000);
  }
  const left = journal.entries().flatMap(({ event }) => (event.kind === 'report.more' ? [event.count] : []));
  assert.ok(journal.entries().length < 320, `${journal.entries().length} entries`);
  assert.ok(left.reduce((sum, count) => sum + count, 0) > refusals * 0.6, 'they are counted');
});

import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Failure, type Log, silentLog, systemClock } from '#base';
import type { Event, JournalEntry } from '#events';
import { openJournal } from '#store';
import { journalIn, stopped, tamper, temporaryFolder } from './folders.ts';

test('what is appended can be read back, also after closing and opening', async (t) => {
  const folder = temporaryFolder(t);
  const clock = { ...systemClock, now: () => 1_700_000_000_123.4 };
  const first = await openJournal({ folder, clock });
  const event: Event = {
    kind: 'quarantine.added',
    siteHash: 'ab',
    change: 'chg-1',
    why: 'naïve "bad"\n\u0000',
  };
  const entry = await first.append('person:root', event);
  assert.deepEqual(
    { ...entry, hash: '' },
    { sequence: 1, at: 1_700_000_000_123, by: 'person:root', event, hash: '' },
  );
  await first.close();

  const second = await journalIn(t, folder);
  assert.deepEqual(second.entries(), [entry]);
  assert.equal((await second.append('controller', stopped)).sequence, 2);
  assert.deepEqual(
    second.entries(1).map((e) => e.sequence),
    [2],
  );
  assert.deepEqual(
    second.entries(0, 1).map((e) => e.sequence),
    [1],
  );
  assert.equal((await second.verify()).ok, true);
  assert.deepEqual(second.status(), { ok: true, why: '', code: '', entries: 2, transactions: 1 });
});

test('appends that come together are one transaction, acknowledged in order', async (t) => {
  const journal = await journalIn(t, temporaryFolder(t));
  const order: number[] = [];
  await Promise.all(
    Array.from({ length: 500 }, async () => order.push((await journal.append('a', stopped)).sequence)),
  );
  assert.deepEqual(
    order,
    Array.from({ length: 500 }, (_, i) => i + 1),
  );
  assert.equal(journal.status().transactions, 1);
});

test('followers hear of every entry after it is on disk, and one that throws disturbs nobody', async (t) => {
  const errors: string[] = [];
  const log: Log = { ...silentLog, error: (message) => errors.push(message) };
  const journal = await openJournal({ folder: temporaryFolder(t), clock: systemClock, log });
  t.after(() => journal.close());
  const heard: JournalEntry[] = [];
  journal.follow(() => {
    throw new Error('no');
  });
  const end = journal.follow((entry) => {
    assert.equal(journal.entries(entry.sequence - 1)[0]?.hash, entry.hash);
    heard.push(entry);
  });
  await Promise.all([journal.append('a', stopped), journal.append('b', stopped)]);
  end();
  await journal.append('c', stopped);
  assert.deepEqual(
    heard.map((entry) => entry.by),
    ['a', 'b'],
  );
  assert.equal(errors.length, 3);
});

test('closing writes what waits; after it nothing is taken', async (t) => {
  const folder = temporaryFolder(t);
  const journal = await openJournal({ folder, clock: systemClock });
  const pending = journal.append('a', stopped);
  await journal.close();
  assert.equal((await pending).sequence, 1);
  await assert.rejects(journal.append('a', stopped), { code: 'HF203' });
  assert.equal((await journalIn(t, folder)).entries().length, 1);
});

test('an event that cannot be written as JSON is refused alone', async (t) => {
  const journal = await journalIn(t, temporaryFolder(t));
  const circular: { kind: 'site.stopped'; site: string; self?: unknown } = {
    kind: 'site.stopped',
    site: 'x',
  };
  circular.self = circular;
  const [bad, good] = await Promise.allSettled([journal.append('a', circular), journal.append('a', stopped)]);
  assert.equal(bad.status, 'rejected');
  assert.equal(good.status, 'fulfilled');
});

test('the second opener is told who holds it, and may have it afterwards', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openJournal({ folder, clock: systemClock });
  await assert.rejects(openJournal({ folder, clock: systemClock }), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, 'HF201');
    assert.match(error.message, new RegExp(`held by process ${process.pid}$`));
    return true;
  });
  await first.append('a', stopped);
  await first.close();
  assert.equal((await journalIn(t, folder)).entries().length, 1);
});

test('the head lies outside of the database', async (t) => {
  const folder = temporaryFolder(t);
  const journal = await journalIn(t, folder);
  const { hash } = await journal.append('a', stopped);
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'journal.head'), 'utf8')), { sequence: 1, hash });
});

test('a head that cannot be written is said, and does not lose the entry', async (t) => {
  const folder = temporaryFolder(t);
  const journal = await journalIn(t, folder);
  mkdirSync(join(folder, 'journal.head.new'));
  assert.equal((await journal.append('a', stopped)).sequence, 1);
  assert.match(journal.status().why, /journal\.head cannot be written/);
  assert.equal((await journal.verify()).ok, true);
});

test('a journal that somebody else wrote to, or took away, is not added to', async (t) => {
  const folder = temporaryFolder(t);
  const journal = await journalIn(t, folder);
  await journal.append('a', stopped);
  tamper(folder, 'delete from entries');
  await assert.rejects(journal.append('a', stopped), { code: 'HF202' });
  assert.equal(journal.status().ok, false);

  const other = temporaryFolder(t);
  const moved = await journalIn(t, other);
  await moved.append('a', stopped);
  renameSync(join(other, 'journal.db'), join(other, 'elsewhere.db'));
  await assert.rejects(moved.append('a', stopped), { code: 'HF202', message: /removed or replaced/ });
});

test('a folder that cannot be made is HF203', async () => {
  await assert.rejects(openJournal({ folder: '/dev/null/journal', clock: systemClock }), { code: 'HF203' });
});

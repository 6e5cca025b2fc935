import assert from 'node:assert/strict';
import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '#base';
import { openJournal, verifyJournal } from '#store';
import { journalIn, stopped, tamper, temporaryFolder, writtenJournal } from './folders.ts';

test('an untouched journal is in order', async (t) => {
  const folder = temporaryFolder(t);
  const entries = await writtenJournal(folder, 1_200);
  const check = await verifyJournal(folder);
  assert.deepEqual(check, {
    ok: true,
    entries: 1_200,
    firstBad: null,
    why: '',
    head: entries.at(-1)?.hash,
    problems: [],
  });
});

test('it can be verified while a controller holds it and writes', async (t) => {
  const folder = temporaryFolder(t);
  const journal = await journalIn(t, folder);
  for (let i = 0; i < 20; i += 1) {
    const [check] = await Promise.all([
      verifyJournal(folder),
      ...Array.from({ length: 100 }, () => journal.append('a', stopped)),
    ]);
    assert.equal(check.why, '');
  }
  assert.equal((await verifyJournal(folder)).entries, 2_000);
});

const swap = (a: number, b: number) => `
  update entries set sequence = -1 where sequence = ${a};
  update entries set sequence = ${a} where sequence = ${b};
  update entries set sequence = ${b} where sequence = -1`;

const cases: readonly (readonly [
  what: string,
  sql: string,
  kinds: readonly string[],
  sequences: readonly number[],
])[] = [
  [
    'a changed event',
    `update entries set event = replace(event, 'reason 5', 'nothing') where sequence = 5`,
    ['changed'],
    [5],
  ],
  ['a changed author', `update entries set "by" = 'person:else' where sequence = 1`, ['changed'], [1]],
  ['a changed time', 'update entries set at = at + 1 where sequence = 20', ['changed'], [20]],
  [
    'an event that is no JSON any more',
    `update entries set event = '{' where sequence = 7`,
    ['changed'],
    [7],
  ],
  ['a missing entry', 'delete from entries where sequence = 6', ['missing'], [6]],
  ['several missing entries', 'delete from entries where sequence between 3 and 9', ['missing'], [3]],
  ['a missing first entry', 'delete from entries where sequence = 1', ['missing'], [1]],
  ['two neighbours swapped', swap(8, 9), ['reordered', 'reordered'], [8, 9]],
  ['two distant entries swapped', swap(4, 15), ['reordered', 'reordered'], [4, 15]],
  ['the end cut off', 'delete from entries where sequence > 17', ['truncated'], [18]],
  ['everything gone', 'delete from entries', ['truncated'], [1]],
  [
    'a gap closed by renumbering',
    'delete from entries where sequence = 19; update entries set sequence = 19 where sequence = 20',
    ['changed', 'truncated'],
    [19, 20],
  ],
  [
    'two things at once',
    `update entries set at = 1 where sequence = 3; delete from entries where sequence = 12`,
    ['changed', 'missing'],
    [3, 12],
  ],
];

for (const [what, sql, kinds, sequences] of cases) {
  test(`${what} is found, and named`, async (t) => {
    const folder = temporaryFolder(t);
    await writtenJournal(folder, 20);
    tamper(folder, sql);
    const check = await verifyJournal(folder);
    assert.deepEqual(
      check.problems.map((problem) => [problem.kind, problem.sequence]),
      kinds.map((kind, i) => [kind, sequences[i]]),
    );
    assert.equal(check.ok, false);
    assert.equal(check.firstBad, sequences[0]);
    await assert.rejects(openJournal({ folder, clock: systemClock }), { code: 'HF202' });
  });
}

test('a rewritten end, with hashes that fit, shows by the head', async (t) => {
  const folder = temporaryFolder(t);
  await writtenJournal(folder, 5);
  const other = temporaryFolder(t);
  await writtenJournal(other, 5);
  tamper(
    folder,
    `attach '${join(other, 'journal.db')}' as other;
     delete from main.entries;
     insert into main.entries select * from other.entries`,
  );
  const check = await verifyJournal(folder);
  assert.equal(check.firstBad, 5);
  assert.match(check.why, /another hash than journal\.head says/);
});

test('a head that was taken away, is damaged, or lags', async (t) => {
  const folder = temporaryFolder(t);
  const entries = await writtenJournal(folder, 5);
  const head = join(folder, 'journal.head');
  writeFileSync(head, JSON.stringify({ sequence: 3, hash: entries[2]?.hash }));
  assert.equal((await verifyJournal(folder)).ok, true);
  rmSync(head);
  assert.match((await verifyJournal(folder)).why, /journal\.head is gone/);
  await assert.rejects(openJournal({ folder, clock: systemClock }), { code: 'HF202' });
  writeFileSync(head, '');
  assert.equal((await verifyJournal(folder)).ok, false);
  await assert.rejects(openJournal({ folder, clock: systemClock }), { code: 'HF202' });
});

test('a file that is no database, or only part of one', async (t) => {
  const garbage = temporaryFolder(t);
  writeFileSync(join(garbage, 'journal.db'), 'This is not a database. '.repeat(500));
  await assert.rejects(openJournal({ folder: garbage, clock: systemClock }), { code: 'HF202' });
  assert.equal((await verifyJournal(garbage)).ok, false);

  const cut = temporaryFolder(t);
  await writtenJournal(cut, 200);
  truncateSync(join(cut, 'journal.db'), 8_192);
  await assert.rejects(openJournal({ folder: cut, clock: systemClock }), { code: 'HF202' });
  assert.equal((await verifyJournal(cut)).ok, false);
});

test('an empty file is a new journal, unless the head says otherwise', async (t) => {
  const fresh = temporaryFolder(t);
  writeFileSync(join(fresh, 'journal.db'), '');
  assert.equal((await verifyJournal(fresh)).ok, true);
  const journal = await journalIn(t, fresh);
  assert.equal((await journal.append('a', stopped)).sequence, 1);

  for (const remove of [rmSync, (path: string) => truncateSync(path, 0)]) {
    const emptied = temporaryFolder(t);
    await writtenJournal(emptied, 3);
    remove(join(emptied, 'journal.db'));
    await assert.rejects(openJournal({ folder: emptied, clock: systemClock }), {
      code: 'HF202',
      message: /empty, but journal\.head says that there were 3 entries/,
    });
    const check = await verifyJournal(emptied);
    assert.equal(check.firstBad, 1);
    assert.equal(check.problems[0]?.kind, 'truncated');
  }
});

test('a schema from a newer version is not touched', async (t) => {
  const folder = temporaryFolder(t);
  await writtenJournal(folder, 2);
  tamper(folder, 'insert into migrations (version, at) values (99, 0)');
  await assert.rejects(openJournal({ folder, clock: systemClock }), {
    code: 'HF202',
    message: /schema version 99/,
    remedy: /newer Holdfast/,
  });
  assert.match((await verifyJournal(folder)).why, /schema version 99/);
});

test('a folder without a journal', async (t) => {
  const check = await verifyJournal(temporaryFolder(t));
  assert.equal(check.ok, true);
  assert.equal(check.entries, 0);
});

test('damage on the disk is found before a change begins, though all of it is in memory; nothing is added from then on', async (t) => {
  const folder = temporaryFolder(t);
  const journal = await journalIn(t, folder);
  for (let i = 0; i < 50; i += 1) await journal.append('a', stopped);
  await journal.requireWhole();
  for (const name of ['journal.db', 'journal.db-wal']) {
    const path = join(folder, name);
    writeFileSync(path, Buffer.alloc(statSync(path).size, 'damaged '), { flag: 'r+' });
  }
  const isDamaged = { name: 'Failure', code: 'HF202' };
  await assert.rejects(journal.requireWhole(), isDamaged);
  const { ok, code } = journal.status();
  assert.deepEqual([ok, code], [false, 'HF202']);
  await assert.rejects(journal.append('a', stopped), isDamaged);
});

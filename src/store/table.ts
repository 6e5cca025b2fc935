import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { Clock } from '#base';
import type { Event, JournalEntry } from '#events';
import { chainHash } from './chain.ts';
import { damaged, journalFailure } from './faults.ts';
import type { Head } from './head.ts';
import { entryOf, type Row } from './rows.ts';
import { newest } from './verify.ts';

export interface NewEntry {
  readonly by: string;
  /** Canonical JSON. */
  readonly event: string;
}

export interface EntriesTable {
  readonly path: string;
  /** All in one transaction, on disk when it returns; none when it throws. */
  add(batch: readonly NewEntry[]): readonly JournalEntry[];
  read(after: number, max: number): readonly JournalEntry[];
  head(): Head;
}

export function entriesTable(parts: {
  readonly database: DatabaseSync;
  readonly path: string;
  readonly clock: Clock;
}): EntriesTable {
  const { database, path, clock } = parts;
  const file = statSync(path).ino;
  let last = newest(database);
  const insert = database.prepare(
    'insert into entries (sequence, at, "by", event, hash) values (?, ?, ?, ?, ?)',
  );
  const select = database.prepare(
    'select sequence, at, "by", event, hash from entries where sequence > ? order by sequence limit ?',
  );

  /** What was removed, replaced or written to by somebody else must not be added to. */
  function requireUntouched(): void {
    const there = statSync(path, { throwIfNoEntry: false });
    if (there?.ino !== file) throw damaged(path, 'it was removed or replaced while it was in use');
    const now = newest(database);
    if (now.sequence === last.sequence && now.hash === last.hash) return;
    throw damaged(path, `its newest entry is ${now.sequence}, not ${last.sequence} as it was written`);
  }

  function insertAll(batch: readonly NewEntry[]): JournalEntry[] {
    let { sequence, hash } = last;
    return batch.map(({ by, event }) => {
      sequence += 1;
      const entry = { sequence, at: Math.round(clock.now()), by, event: JSON.parse(event) as Event };
      hash = chainHash(hash, entry);
      insert.run(sequence, entry.at, by, event, hash);
      return { ...entry, hash };
    });
  }

  return {
    path,
    head: () => last,
    add(batch) {
      database.exec('begin immediate');
      try {
        requireUntouched();
        const entries = insertAll(batch);
        database.exec('commit');
        const { sequence, hash } = entries.at(-1) ?? last;
        last = { sequence, hash };
        return entries;
      } catch (error) {
        rollBack(database);
        throw error;
      }
    },
    read(after, max) {
      try {
        return select.all(after, max).map((row) => entryOf(row as Row));
      } catch (error) {
        if (error instanceof SyntaxError) throw damaged(path, 'an entry is not what was written');
        throw journalFailure(error, path);
      }
    },
  };
}

/** After some errors SQLite has already done it; what it says about that must not hide the first error. */
function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('rollback');
  } catch {
    // The next transaction finds out whether the database can be used.
  }
}

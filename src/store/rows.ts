import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Event, JournalEntry } from '#events';

export type Row = Record<string, SQLOutputValue>;

const columns = 'sequence, at, "by", event, hash';

/** One by one, so that a journal of any length fits into memory. */
export function eachRow(database: DatabaseSync, after: number): IterableIterator<Row> {
  return database
    .prepare(`select ${columns} from entries where sequence > ? order by sequence`)
    .iterate(after) as IterableIterator<Row>;
}

export function lastEntry(database: DatabaseSync): JournalEntry | null {
  const row = database.prepare(`select ${columns} from entries order by sequence desc limit 1`).get();
  return row === undefined ? null : entryOf(row);
}

export function entryAt(database: DatabaseSync, sequence: number): JournalEntry | null {
  const row = database.prepare(`select ${columns} from entries where sequence = ?`).get(sequence);
  return row === undefined ? null : entryOf(row);
}

/** Throws when the event is not JSON: somebody changed it. */
export function entryOf(row: Row): JournalEntry {
  return {
    sequence: Number(row.sequence),
    at: Number(row.at),
    by: String(row.by),
    event: JSON.parse(String(row.event)) as Event,
    hash: String(row.hash),
  };
}

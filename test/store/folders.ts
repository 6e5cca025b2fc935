import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '#base';
import type { Event, JournalEntry } from '#events';
import { type OpenJournal, openJournal } from '#store';

export const stopped: Event = { kind: 'site.stopped', site: 'shop' };

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-store-'));
  chmodSync(folder, 0o755);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function journalIn(
  t: TestContext,
  folder: string,
  clock: Clock = systemClock,
): Promise<OpenJournal> {
  const journal = await openJournal({ folder, clock });
  t.after(() => journal.close());
  return journal;
}

/** A closed journal with `count` entries. */
export async function writtenJournal(folder: string, count: number): Promise<readonly JournalEntry[]> {
  const journal = await openJournal({ folder, clock: systemClock });
  for (let i = 1; i <= count; i += 1) {
    await journal.append('controller', { kind: 'pipeline.frozen', why: `reason ${i}` });
  }
  const entries = journal.entries();
  await journal.close();
  return entries;
}

/** What somebody with the sqlite3 command could do. */
export function tamper(folder: string, sql: string): void {
  const database = new DatabaseSync(join(folder, 'journal.db'));
  try {
    database.exec(sql);
  } finally {
    database.close();
  }
}

import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, Failure, type Log, messageOf, silentLog } from '#base';
import type { Event, Journal, JournalEntry } from '#events';
import { canonicalJson } from './chain.ts';
import { damaged, journalFailure } from './faults.ts';
import { readHead, writeHead } from './head.ts';
import { acquireLock } from './lock.ts';
import { migrate, schemaVersion } from './schema.ts';
import { type EntriesTable, entriesTable, type NewEntry } from './table.ts';
import { againstHead, type JournalCheck, newest, verifyJournal, walk } from './verify.ts';

export interface OpenJournal extends Journal {
  /** As in `Journal`; with `max`, at most so many. Read from disk each time: nothing is kept in memory. */
  entries(after?: number, max?: number): readonly JournalEntry[];
  /** Whether the last append was kept, and if not, why: what `status` shows. */
  status(): JournalStatus;
  verify(): Promise<JournalCheck>;
  /** Reads the newest entries back from the disk, not from memory. Rejects with HF202 when they are not what was written. */
  requireWhole(): Promise<void>;
  /** Writes what waits, then lets the lock go. */
  close(): Promise<void>;
}

export interface JournalStatus {
  readonly ok: boolean;
  readonly why: string;
  /** HF202 or HF203; empty when it is in order. */
  readonly code: string;
  readonly entries: number;
  /** Transactions since it was opened: fewer than appends, when many come at once. */
  readonly transactions: number;
}

export interface JournalOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly log?: Log;
}

const appendsWaitingMax = 10_000;
const entryBytesMax = 32 * 1024 * 1024;
/** The newest entries whose chain is checked at the opening, and before a change begins; `verify` checks all. */
const entriesCheckedMax = 10_000;
const busyTimeoutMs = 250;

interface Waiting extends NewEntry {
  resolve(entry: JournalEntry): void;
  reject(error: Failure): void;
}

/** Rejects with HF201 (held by another process), HF202 (damaged), HF203 (cannot be written). */
export async function openJournal(options: JournalOptions): Promise<OpenJournal> {
  const { folder, clock } = options;
  const path = join(folder, 'journal.db');
  let lock: { release(): void } | null = null;
  let database: DatabaseSync | null = null;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    lock = acquireLock(folder);
    database = openDatabase(folder, path, clock);
    await checkNewest(database, folder, path);
    syncFolder(folder);
    return journalOn(options, entriesTable({ database, path, clock }), () => {
      database?.close();
      lock?.release();
    });
  } catch (error) {
    database?.close();
    lock?.release();
    throw journalFailure(error, path);
  }
}

function openDatabase(folder: string, path: string, clock: Clock): DatabaseSync {
  const head = readHead(folder);
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    database.exec('pragma journal_mode = wal; pragma synchronous = full');
    if (schemaVersion(database) === 0 && head && head.sequence > 0) {
      throw damaged(path, `it is empty, but journal.head says that there were ${head.sequence} entries`);
    }
    migrate(database, clock.now(), path);
    if (head === null && newest(database).sequence === 0) writeHead(folder, newest(database));
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

async function checkNewest(database: DatabaseSync, folder: string, path: string): Promise<void> {
  const after = Math.max(0, newest(database).sequence - entriesCheckedMax);
  const chain = await walk(database, after);
  const [suspect] = chain.suspects;
  const [problem] = [...chain.problems, ...againstHead(database, readHead(folder), chain.last)];
  if (problem) throw damaged(path, problem.message);
  if (suspect !== undefined) throw damaged(path, `entry ${suspect} is not what was written`);
}

/** So that the names of new files survive a power cut. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function journalOn(options: JournalOptions, table: EntriesTable, end: () => void): OpenJournal {
  const { folder, log = silentLog } = options;
  const followers = followersOf(log);
  const queue = groupCommit(table, folder, followers.tell, log);
  return {
    append: queue.append,
    entries: (after = 0, max = -1) => table.read(after, max),
    follow: followers.follow,
    status: queue.status,
    verify: () => verifyJournal(folder),
    async requireWhole() {
      const { ok, why } = await verifyJournal(folder, entriesCheckedMax);
      if (ok) return;
      const failure = damaged(table.path, why);
      queue.spoil(failure);
      throw failure;
    },
    async close() {
      if (queue.close()) end();
    },
  };
}

/** Everything that comes in one turn of the event loop is one transaction: while it is synced, the next one gathers. */
function groupCommit(table: EntriesTable, folder: string, tell: (entry: JournalEntry) => void, log: Log) {
  const waiting: Waiting[] = [];
  let transactions = 0;
  let fault: Failure | null = null;
  let headFault = '';
  let scheduled = false;
  let closed = false;
  /** What is damaged stays so until it is opened anew: nothing is added to it. */
  let spoilt: Failure | null = null;

  function flush(): void {
    scheduled = false;
    const batch = waiting.splice(0);
    if (batch.length === 0) return;
    if (spoilt) {
      for (const { reject } of batch) reject(spoilt);
      return;
    }
    let entries: readonly JournalEntry[];
    try {
      entries = table.add(batch);
    } catch (error) {
      fault = journalFailure(error, table.path);
      if (fault.code === 'HF202') spoilt = fault;
      for (const { reject } of batch) reject(fault);
      return;
    }
    fault = null;
    transactions += 1;
    headFault = noteHead(folder, table, log);
    entries.forEach(tell);
    for (const [i, { resolve }] of batch.entries()) {
      const entry = entries[i];
      if (entry) resolve(entry);
    }
  }

  return {
    async append(by: string, event: Event): Promise<JournalEntry> {
      if (closed) throw new Failure('HF203', 'the journal was closed');
      if (waiting.length >= appendsWaitingMax) {
        throw new Failure('HF203', `${appendsWaitingMax} entries wait to be written already`);
      }
      const text = canonicalJson(event);
      if (text.length > entryBytesMax) {
        throw new Failure('HF203', `an entry of ${text.length} characters is larger than is kept`);
      }
      return new Promise((resolve, reject) => {
        waiting.push({ by: by.toWellFormed(), event: text, resolve, reject });
        if (!scheduled) setImmediate(flush);
        scheduled = true;
      });
    },
    spoil(failure: Failure): void {
      spoilt = failure;
    },
    status: () => ({
      ok: spoilt === null && fault === null && headFault === '',
      why: (spoilt ?? fault)?.message ?? headFault,
      code: (spoilt ?? fault)?.code ?? (headFault === '' ? '' : 'HF203'),
      entries: table.head().sequence,
      transactions,
    }),
    /** False when it was closed before. */
    close(): boolean {
      if (closed) return false;
      flush();
      closed = true;
      return true;
    },
  };
}

/** The entries are on disk by now. A head that lags is allowed, and is written again with the next ones. */
function noteHead(folder: string, table: EntriesTable, log: Log): string {
  try {
    writeHead(folder, table.head());
    return '';
  } catch (error) {
    const why = `journal.head cannot be written: ${messageOf(error)}`;
    log.warn(why);
    return why;
  }
}

function followersOf(log: Log) {
  const followers = new Set<(entry: JournalEntry) => void>();
  return {
    follow(use: (entry: JournalEntry) => void): () => void {
      followers.add(use);
      return () => followers.delete(use);
    },
    tell(entry: JournalEntry): void {
      for (const use of followers) {
        try {
          use(entry);
        } catch (error) {
          log.error('a follower of the journal failed', { sequence: entry.sequence, why: messageOf(error) });
        }
      }
    },
  };
}

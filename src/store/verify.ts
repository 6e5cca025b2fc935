import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { messageOf } from '#base';
import type { JournalEntry } from '#events';
import { chainHash, genesisHash } from './chain.ts';
import { emptyHead, type Head, readHead } from './head.ts';
import { eachRow, entryAt, entryOf, lastEntry, type Row } from './rows.ts';
import { requireKnownVersion, schemaVersion } from './schema.ts';

export interface JournalProblem {
  readonly kind: 'changed' | 'missing' | 'reordered' | 'truncated' | 'damaged';
  /** The first entry that it concerns. */
  readonly sequence: number;
  readonly message: string;
}

export interface JournalCheck {
  readonly ok: boolean;
  readonly entries: number;
  /** Sequence of the first entry that is not as it was written; null when all are. */
  readonly firstBad: number | null;
  readonly why: string;
  /** Hash of the newest entry: what to keep outside. */
  readonly head: string;
  /** Oldest first, at most `problemsMax`. */
  readonly problems: readonly JournalProblem[];
}

const problemsMax = 100;
/** Entries among which a reordered one is looked for. */
const suspectsMax = 60;
const entriesPerTurn = 500;

/**
 * Reads the whole chain, or its `newestMax` newest entries, and changes nothing; works beside a controller that writes.
 * Whoever can rewrite every entry, every hash and `journal.head` is not found out: keep the head elsewhere to notice that too.
 */
export async function verifyJournal(
  folder: string,
  newestMax = Number.POSITIVE_INFINITY,
): Promise<JournalCheck> {
  const path = join(folder, 'journal.db');
  let database: DatabaseSync | null = null;
  try {
    // Before the entries: those that are appended meanwhile only make the journal longer than the head says.
    const head = readHead(folder);
    if (!existsSync(path)) {
      return report(missingDatabase(head, path), 0, genesisHash);
    }
    database = new DatabaseSync(path, { readOnly: true, timeout: 1_000 });
    const version = schemaVersion(database);
    requireKnownVersion(version, path);
    if (version === 0) return report(missingDatabase(head, path), 0, genesisHash);
    return await verifyDatabase(database, head, newestMax);
  } catch (error) {
    return report([{ kind: 'damaged', sequence: 1, message: messageOf(error) }], 0, genesisHash);
  } finally {
    database?.close();
  }
}

function missingDatabase(head: Head | null, path: string): JournalProblem[] {
  if (head === null || head.sequence === 0) return [];
  const message = `${path} has no entries, but journal.head says that there were ${head.sequence}`;
  return [{ kind: 'truncated', sequence: 1, message }];
}

async function verifyDatabase(
  database: DatabaseSync,
  head: Head | null,
  newestMax: number,
): Promise<JournalCheck> {
  const chain = await walk(database, Math.max(0, newest(database).sequence - newestMax));
  const problems = [...chain.problems, ...explain(database, chain.suspects)];
  const last = chain.last;
  problems.push(...againstHead(database, head, last));
  return report(problems, chain.entries, last.hash);
}

interface Walk {
  readonly entries: number;
  readonly last: Head;
  readonly problems: JournalProblem[];
  /** Sequences of entries that do not follow from the one before. */
  readonly suspects: number[];
}

/** Follows the chain from after the entry `after`, whose own hash is trusted. */
export async function walk(database: DatabaseSync, after: number): Promise<Walk> {
  const problems: JournalProblem[] = [];
  const suspects: number[] = [];
  let entries = 0;
  let last: Head = after === 0 ? emptyHead : { sequence: after, hash: entryAt(database, after)?.hash ?? '' };
  try {
    for (const row of eachRow(database, after)) {
      const sequence = Number(row.sequence);
      if (sequence > last.sequence + 1) problems.push(missing(last.sequence + 1, sequence - 1));
      else if (!follows(last.hash, row)) suspects.push(sequence);
      last = { sequence, hash: String(row.hash) };
      entries += 1;
      if (entries % entriesPerTurn === 0) await nextTurn();
    }
  } catch (error) {
    const sequence = last.sequence + 1;
    problems.push({
      kind: 'damaged',
      sequence,
      message: `entry ${sequence} cannot be read: ${messageOf(error)}`,
    });
  }
  return { entries, last, problems, suspects };
}

function missing(from: number, to: number): JournalProblem {
  const which = from === to ? `entry ${from} is` : `entries ${from} to ${to} are`;
  return { kind: 'missing', sequence: from, message: `${which} missing` };
}

function follows(previousHash: string, row: Row): boolean {
  try {
    return chainHash(previousHash, entryOf(row)) === row.hash;
  } catch {
    return false;
  }
}

/** Tells an entry that was moved from one that was changed: a moved one still fits its hash, in its own place. */
function explain(database: DatabaseSync, suspects: readonly number[]): JournalProblem[] {
  const problems: JournalProblem[] = [];
  const rightHashes = new Map<number, string>();
  const rows = suspects.slice(0, suspectsMax).map((sequence) => readable(database, sequence));
  const moved = rows.filter((row) => row !== null);
  for (const sequence of suspects.slice(0, problemsMax)) {
    const before = sequence - 1;
    const previous = rightHashes.get(before) ?? readable(database, before)?.hash ?? genesisHash;
    const fits = (entry: JournalEntry) => chainHash(previous, { ...entry, sequence }) === entry.hash;
    const found = moved.find(fits);
    if (found) rightHashes.set(sequence, found.hash);
    if (found?.sequence === sequence) continue;
    problems.push(found ? reordered(sequence, found.sequence) : changed(sequence));
  }
  return problems;
}

function readable(database: DatabaseSync, sequence: number): JournalEntry | null {
  try {
    return entryAt(database, sequence);
  } catch {
    return null;
  }
}

function reordered(sequence: number, liesAt: number): JournalProblem {
  return {
    kind: 'reordered',
    sequence,
    message: `entry ${sequence} was moved: it lies at ${liesAt}`,
  };
}

function changed(sequence: number): JournalProblem {
  const other = sequence > 1 ? `, or entry ${sequence - 1} was rewritten with a new hash` : '';
  return {
    kind: 'changed',
    sequence,
    message: `entry ${sequence} is not what was written${other}`,
  };
}

/** `journal.head` may lag behind (a crash between the two), but never be ahead or say something else. */
export function againstHead(database: DatabaseSync, head: Head | null, last: Head): JournalProblem[] {
  if (head === null) {
    if (last.sequence === 0) return [];
    const message = 'journal.head is gone: entries at the end may be missing';
    return [{ kind: 'truncated', sequence: last.sequence + 1, message }];
  }
  if (head.sequence > last.sequence) {
    const sequence = last.sequence + 1;
    const message = `the journal ends at entry ${last.sequence}, but journal.head says that there were ${head.sequence}`;
    return [{ kind: 'truncated', sequence, message }];
  }
  if (head.sequence === 0) return [];
  const there = readable(database, head.sequence)?.hash;
  if (there === head.hash) return [];
  const message = `entry ${head.sequence} has another hash than journal.head says`;
  return [{ kind: 'changed', sequence: head.sequence, message }];
}

export function newest(database: DatabaseSync): Head {
  const entry = lastEntry(database);
  return entry ? { sequence: entry.sequence, hash: entry.hash } : emptyHead;
}

function report(found: readonly JournalProblem[], entries: number, head: string): JournalCheck {
  const problems = found.toSorted((a, b) => a.sequence - b.sequence).slice(0, problemsMax);
  const firstBad = problems[0]?.sequence ?? null;
  return { ok: firstBad === null, entries, firstBad, why: problems[0]?.message ?? '', head, problems };
}

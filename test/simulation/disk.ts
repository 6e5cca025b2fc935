import { Failure, type Files } from '#base';
import type { Event, Journal, JournalEntry } from '#events';
import type { Random } from '../world/random.ts';
import type { Scheduler, SimulatedProcess } from './scheduler.ts';

/** One machine's disk, under the processes that come and go on it. */
export class SimulatedDisk {
  readonly #contents = new Map<string, string>();
  readonly folders = new Set<string>();
  full = false;
  syncMs = 1;
  /** The journal's rows that are synced. */
  readonly entries: JournalEntry[] = [];
  /** Those that somebody was told are on disk. */
  readonly acknowledged: JournalEntry[] = [];
  /** Planted: what becomes of an entry; null: it is acknowledged and not written. */
  alter: (event: Event) => Event | null = (event) => event;
  /** Planted: files that are never written, though it says so. */
  drops: RegExp | null = null;
  /** Planted, to see that the invariants find it: an entry is acknowledged before it is synced. */
  liesAboutSync = false;

  /** What a process does with it is nothing once the process is dead. */
  filesFor(process: SimulatedProcess): Files {
    const contents = this.#contents;
    const { folders } = this;
    const isUnder = (folder: string) => (path: string) => path.startsWith(`${folder}/`);
    const isDropped = (path: string) => this.drops?.test(path) ?? false;
    const mustHaveRoom = () => {
      if (this.full) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    };
    return {
      read(path) {
        const content = contents.get(path);
        if (content === undefined) throw notFound(path);
        return content;
      },
      exists: (path) => contents.has(path) || folders.has(path),
      list(folder) {
        if (!folders.has(folder)) throw notFound(folder);
        const below = [...contents.keys(), ...folders].filter(isUnder(folder));
        return [...new Set(below.map((path) => path.slice(folder.length + 1).split('/')[0] ?? ''))];
      },
      makeFolder(path) {
        if (process.isDead || folders.has(path)) return;
        mustHaveRoom();
        const parts = path.split('/');
        for (let deep = 2; deep <= parts.length; deep += 1) folders.add(parts.slice(0, deep).join('/'));
      },
      writeDurably(path, content) {
        if (process.isDead) return;
        mustHaveRoom();
        if (!isDropped(path)) contents.set(path, content);
      },
      append(path, content) {
        if (process.isDead) return;
        mustHaveRoom();
        contents.set(path, (contents.get(path) ?? '') + content);
      },
      remove(path) {
        if (process.isDead) return;
        contents.delete(path);
        folders.delete(path);
        for (const below of [...contents.keys()].filter(isUnder(path))) contents.delete(below);
        for (const below of [...folders].filter(isUnder(path))) folders.delete(below);
      },
    };
  }
}

function notFound(path: string): Error {
  return Object.assign(new Error(`${path}: no such file or folder`), { code: 'ENOENT' });
}

const forgotten: Event = { kind: 'site.stopped', site: 'shop' };

interface Waiting {
  readonly by: string;
  readonly event: string;
  readonly resolve: (entry: JournalEntry) => void;
  readonly reject: (error: Failure) => void;
}

/**
 * The journal as one process has it open: what is appended while it syncs is the next transaction, entries are in the
 * order of the calls, and each is acknowledged when it is synced. Of a transaction under way when the process dies, all
 * is there or nothing, as with SQLite.
 */
export function journalOn(
  disk: SimulatedDisk,
  process: SimulatedProcess,
  { scheduler, random }: { readonly scheduler: Scheduler; readonly random: Random },
): Journal {
  const waiting: Waiting[] = [];
  let writing = false;
  const followers = new Set<(entry: JournalEntry) => void>();

  function flush(): void {
    const batch = waiting.splice(0);
    if (disk.full) {
      writing = false;
      for (const { reject } of batch) reject(new Failure('HF203', 'no space left on device'));
      return;
    }
    const first = disk.entries.length + 1;
    const at = process.clock.now();
    const events = batch.map(({ event }) => disk.alter(JSON.parse(event) as Event));
    const entries = batch.map(({ by }, index) => ({
      sequence: first + index,
      at,
      by,
      event: events[index] ?? forgotten,
      hash: '',
    }));
    if (disk.liesAboutSync) {
      disk.entries.push(...entries);
      acknowledge(batch, entries);
    }
    scheduler.after(disk.syncMs, () => {
      if (disk.liesAboutSync) {
        if (process.isDead) disk.entries.splice(first - 1, entries.length);
      } else if (!process.isDead || random.next() < 0.5) disk.entries.push(...entries);
      process.hears(() => {
        if (!disk.liesAboutSync) acknowledge(batch, entries);
        if (waiting.length > 0) flush();
        else writing = false;
      });
    });
  }

  function acknowledge(batch: readonly Waiting[], entries: readonly JournalEntry[]): void {
    for (const entry of entries) for (const use of followers) use(entry);
    for (const [index, { resolve }] of batch.entries()) {
      const entry = entries[index];
      if (!entry) continue;
      disk.acknowledged.push(entry);
      resolve(entry);
    }
  }

  return {
    append: (by, event) =>
      new Promise((resolve, reject) => {
        if (process.isDead) return;
        waiting.push({ by, event: JSON.stringify(event), resolve, reject });
        if (writing) return;
        writing = true;
        scheduler.after(0, () => process.hears(flush));
      }),
    entries: (after = 0, max) => disk.entries.slice(after, max === undefined ? undefined : after + max),
    follow(use) {
      followers.add(use);
      return () => followers.delete(use);
    },
  };
}

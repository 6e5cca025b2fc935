import { Failure } from '#base';
import type { SiteKeeper } from '#change';
import type { SiteText } from '#contract';
import type { Event, Journal, JournalEntry } from '#events';
import type { Scheduler, SimulatedProcess } from './scheduler.ts';

/** The controller's disk: what a process wrote lies in the page cache until it was synced, and a power cut loses that. */
export class ControllerDisk {
  /** Synced. */
  readonly entries: JournalEntry[] = [];
  /** Sequence numbers that somebody was told of. */
  acknowledged = 0;
  site: { readonly now: SiteText; readonly before: SiteText | null; readonly next: SiteText | null };
  full = false;
  syncMs = 1;
  /** Planted for a test of the invariants: entries are acknowledged before they are synced. */
  lies = false;

  constructor(first: SiteText) {
    this.site = { now: first, before: null, next: null };
  }
}

/**
 * The journal as one process has it: appends of one moment are one transaction, in the order of the calls, and resolve
 * when it is synced. A process that dies before leaves the whole transaction or none of it, as SQLite does.
 */
export function journalOn(
  disk: ControllerDisk,
  process: SimulatedProcess,
  scheduler: Scheduler,
): Journal & { readonly unsynced: () => number } {
  interface Waiting {
    readonly by: string;
    readonly event: string;
    readonly resolve: (entry: JournalEntry) => void;
    readonly reject: (error: Failure) => void;
  }
  let waiting: Waiting[] = [];
  let writing = false;
  const followers = new Set<(entry: JournalEntry) => void>();

  function flush(): void {
    const batch = waiting;
    waiting = [];
    if (disk.full) {
      writing = false;
      for (const { reject } of batch) reject(new Failure('HF203', 'no space left on device'));
      return;
    }
    const at = process.clock.now();
    const entries = batch.map(({ by, event }, index) => ({
      sequence: disk.entries.length + index + 1,
      at,
      by,
      event: JSON.parse(event) as Event,
      hash: '',
    }));
    if (disk.lies) tell(batch, entries);
    scheduler.after(disk.syncMs, () => {
      // The transaction is whole on disk, whoever has died meanwhile was not told.
      if (process.isDead && disk.lies) return;
      if (process.isDead) return;
      process.hears(() => {
        disk.entries.push(...entries);
        if (!disk.lies) tell(batch, entries);
        if (waiting.length > 0) flush();
        else writing = false;
      });
    });
  }

  function tell(batch: readonly Waiting[], entries: readonly JournalEntry[]): void {
    for (const entry of entries) for (const use of followers) use(entry);
    for (const [index, { resolve }] of batch.entries()) {
      const entry = entries[index];
      if (!entry) continue;
      disk.acknowledged = Math.max(disk.acknowledged, entry.sequence);
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
    entries: (after = 0, max = Number.POSITIVE_INFINITY) => disk.entries.slice(after, after + max),
    follow(use) {
      followers.add(use);
      return () => followers.delete(use);
    },
    unsynced: () => waiting.length,
  };
}

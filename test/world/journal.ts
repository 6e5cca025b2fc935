import { createHash } from 'node:crypto';
import { type Clock, Failure } from '#base';
import type { Event, Journal, JournalEntry } from '#events';

/** A journal in memory whose disk a test can fill, and which can be cut off after any entry. */
export interface MemoryJournal extends Journal {
  /** Every append rejects with HF203 while set. */
  full: boolean;
  /** Called after each entry: where a test ends the controller. */
  afterEntry: (entry: JournalEntry) => void;
  kinds(): readonly string[];
}

export function memoryJournal(clock: Clock, before: readonly JournalEntry[] = []): MemoryJournal {
  const entries = [...before];
  const followers = new Set<(entry: JournalEntry) => void>();
  const journal: MemoryJournal = {
    full: false,
    afterEntry: () => {},
    async append(by: string, event: Event) {
      // As with a disk: not in the same turn, in the order of the calls.
      await null;
      if (journal.full) throw new Failure('HF203', 'no space left on device');
      const sequence = entries.length + 1;
      const hash = createHash('sha256')
        .update(`${sequence}${JSON.stringify(event)}`)
        .digest('hex');
      const entry = { sequence, at: clock.now(), by, event, hash };
      entries.push(entry);
      for (const use of followers) use(entry);
      journal.afterEntry(entry);
      return entry;
    },
    entries: (after = 0, max = entries.length) => entries.slice(after, after + max),
    follow(use) {
      followers.add(use);
      return () => followers.delete(use);
    },
    kinds: () =>
      entries.map(({ event }) => (event.kind === 'change.state' ? `state ${event.state}` : event.kind)),
  };
  return journal;
}

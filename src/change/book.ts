import type { Event, Journal, JournalEntry } from '#events';
import { growingLedger, type Ledger } from './ledger.ts';

/** The journal together with what it says so far. */
export interface Book {
  /** Up to date with every entry that is on disk. */
  ledger(): Ledger;
  /** Resolves when it is on disk; rejects with Failure HF203 when it cannot be. */
  append(by: string, event: Event): Promise<JournalEntry>;
}

export function openBook(journal: Journal): Book {
  const growing = growingLedger();
  let last = 0;
  return {
    ledger() {
      for (const entry of journal.entries(last)) {
        growing.add(entry);
        last = entry.sequence;
      }
      return growing.now;
    },
    append: (by, event) => journal.append(by, event),
  };
}

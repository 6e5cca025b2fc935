import { type Clock, Failure, type Log, messageOf } from '#base';
import type { Event, Journal } from '#events';
import { type Book, createBook } from './core/book.ts';
import type { Now } from './core/decide.ts';

/** The book and the journal that it is read from. A journal that takes nothing keeps nobody from being paged. */
export interface AlertLedger {
  readonly book: Book;
  /** Reads what has come. */
  catchUp(): void;
  /** On disk, or, where the disk takes nothing, in memory until it does: what is decided is done all the same. */
  append(by: string, event: Event): Promise<void>;
  /** Writes what the disk did not take, as far as it takes it now. */
  save(): Promise<void>;
  /** How many entries are in memory alone. */
  unsaved(): number;
}

const entriesAtOnceMax = 1_000;
const unsavedMax = 10_000;

export function alertLedger(parts: {
  readonly site: string;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly time: () => Now;
  readonly log: Log;
}): AlertLedger {
  const { site, journal, clock, time, log } = parts;
  const book = createBook(site);
  const startedAt = time().steady;
  const unsaved: { readonly by: string; readonly event: Event }[] = [];
  /** Entries that are in the book already, from before the disk took them. */
  const known = new Set<number>();
  let read = 0;
  let live = false;

  function catchUp(): void {
    for (;;) {
      const entries = journal.entries(read, entriesAtOnceMax);
      for (const entry of entries) {
        // What was written before this process has its own time, but never one that is still to come.
        const seenAt = live ? time().steady : Math.min(entry.at, startedAt);
        if (!known.delete(entry.sequence)) book.add(entry, seenAt);
      }
      read = entries.at(-1)?.sequence ?? read;
      if (entries.length < entriesAtOnceMax) break;
    }
    live = true;
  }

  function remember(by: string, event: Event): void {
    if (unsaved.length >= unsavedMax)
      throw new Failure('HF203', 'the journal takes nothing, and memory is full');
    unsaved.push({ by, event });
    book.add({ at: clock.now(), by, event }, time().steady);
  }

  return {
    book,
    catchUp,
    async append(by, event) {
      if (unsaved.length > 0) return remember(by, event);
      try {
        await journal.append(by, event);
      } catch (error) {
        log.warn('an alert goes on without the journal', { why: messageOf(error), kind: event.kind });
        remember(by, event);
      }
    },
    async save() {
      for (let [first] = unsaved; first; [first] = unsaved) {
        try {
          const { sequence } = await journal.append(first.by, first.event);
          if (sequence > read) known.add(sequence);
        } catch {
          return;
        }
        unsaved.shift();
      }
    },
    unsaved: () => unsaved.length,
  };
}

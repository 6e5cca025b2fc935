import { type Log, silentLog } from '#base';
import type { ChangeView } from '#contract';
import { type Book, openBook } from './book.ts';
import { createHubs, type Hubs } from './hubs.ts';
import { createMissed, type Missed } from './missed.ts';
import { createOwed, type Owed } from './owed.ts';
import type { PipelineParts } from './pipeline.ts';
import { createRecordCollector, type RecordCollector } from './records.ts';

/** What all that a pipeline does has in common: what it was given, what the journal says, and what is still to be told. */
export interface Desk extends PipelineParts {
  readonly log: Log;
  readonly book: Book;
  readonly hubs: Hubs;
  readonly records: RecordCollector;
  /** Take-backs that a balancer missed. */
  readonly missed: Missed;
  /** What the disk did not take. */
  readonly owed: Owed;
}

export function openDesk(parts: PipelineParts): Desk {
  const log = parts.log ?? silentLog;
  const book = openBook(parts.journal);
  return {
    ...parts,
    log,
    book,
    hubs: createHubs(),
    records: createRecordCollector(book, parts.balancers),
    missed: createMissed(parts.balancers),
    owed: createOwed(log),
  };
}

export function viewOf({ book }: Pick<Desk, 'book'>, change: string | null): ChangeView | null {
  return change === null ? null : (book.ledger().changes.get(change) ?? null);
}

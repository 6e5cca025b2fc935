import { assert, type Clock } from '#base';
import type { ChangeView, RollbackView } from '#contract';
import type { Book } from './book.ts';
import { decide, type Stop, whyStopped } from './machine.ts';
import type { Missed } from './missed.ts';
import type { Owed } from './owed.ts';
import type { BalancerPort, SiteKeeper } from './ports.ts';
import type { RecordCollector } from './records.ts';
import { journalBeforeTakeBackMs } from './running.ts';
import { settleByBalancers } from './settle.ts';
import { tellEvery } from './take-back.ts';

export interface GoBackParts {
  readonly book: Book;
  readonly balancers: readonly BalancerPort[];
  readonly sites: SiteKeeper;
  readonly records: RecordCollector;
  readonly missed: Missed;
  readonly owed: Owed;
  readonly clock: Clock;
}

type ByPerson = Extract<Stop, { kind: 'person' }>;

/** Takes back what was promoted last. Works without the journal. */
export async function goBack(parts: GoBackParts, stop: ByPerson): Promise<RollbackView> {
  const { balancers, sites, book, missed, records, owed } = parts;
  const { changes, wayBack } = book.ledger();
  const promoted = wayBack === null ? undefined : changes.get(wayBack);
  const last = promoted?.siteHash === sites.current().hash ? promoted : undefined;
  const change = last?.id ?? null;
  const why = whyStopped(stop);
  if (last) await journalRollback(parts, last, stop);
  const told = await tellEvery(balancers, change, why);
  if (change) missed.remember(told, change, why);
  if (told.some(({ takeBack }) => takeBack))
    await owed.write('the text that was gone back to', () => settleByBalancers(sites, missed.heard()));
  await records.poll().catch(() => {});
  return { change: change === null ? null : (book.ledger().changes.get(change) ?? null), balancers: told };
}

/** Journalled before, but a disk that hangs or is full holds nobody up. */
async function journalRollback(
  { book, clock, owed }: GoBackParts,
  { id: change, siteHash }: ChangeView,
  stop: ByPerson,
): Promise<void> {
  const step = decide('promoted', { kind: 'stopped', stop });
  assert(step, 'a person may go back from what is promoted');
  const { state, why } = step;
  const journalled = owed.write(`the end of ${change}`, async () => {
    if (book.ledger().changes.get(change)?.state === state) return;
    await Promise.all([
      book.append(stop.by, { kind: 'quarantine.added', siteHash, change, why }),
      book.append(stop.by, { kind: 'change.state', change, state, why }),
    ]);
  });
  await Promise.race([journalled, clock.sleep(journalBeforeTakeBackMs)]);
}

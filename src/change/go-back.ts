import { assert, type Clock, type Log, messageOf } from '#base';
import type { ChangeView, RollbackView } from '#contract';
import type { Book } from './book.ts';
import { decide, type Stop, whyStopped } from './machine.ts';
import type { Missed } from './missed.ts';
import type { BalancerPort, SiteKeeper } from './ports.ts';
import type { RecordCollector } from './records.ts';
import { journalBeforeTakeBackMs } from './running.ts';
import { tellEvery } from './take-back.ts';

export interface GoBackParts {
  readonly book: Book;
  readonly balancers: readonly BalancerPort[];
  readonly sites: SiteKeeper;
  readonly records: RecordCollector;
  readonly missed: Missed;
  readonly clock: Clock;
  readonly log: Log;
}

type ByPerson = Extract<Stop, { kind: 'person' }>;

/** Takes back what was promoted last. Works without the journal. */
export async function goBack(parts: GoBackParts, stop: ByPerson): Promise<RollbackView> {
  const { balancers, sites, book, missed, records } = parts;
  const last = [...book.ledger().changes.values()].findLast(
    ({ state, siteHash }) => state === 'promoted' && siteHash === sites.current().hash,
  );
  const change = last?.id ?? null;
  const why = whyStopped(stop);
  if (last) await journalRollback(parts, last, stop);
  const told = await tellEvery(balancers, change, why);
  if (change) missed.remember(told, change, why);
  if (told.some(({ takeBack }) => takeBack)) await settleByBalancers(parts);
  await records.poll().catch(() => {});
  return { change: change === null ? null : (book.ledger().changes.get(change) ?? null), balancers: told };
}

/** Journalled before, but a disk that hangs or is full holds nobody up. */
async function journalRollback(
  { book, clock, log }: GoBackParts,
  { id: change, siteHash }: ChangeView,
  stop: ByPerson,
): Promise<void> {
  const step = decide('promoted', { kind: 'stopped', stop });
  assert(step, 'a person may go back from what is promoted');
  const { state, why } = step;
  const journalled = Promise.all([
    book.append(stop.by, { kind: 'quarantine.added', siteHash, change, why }),
    book.append(stop.by, { kind: 'change.state', change, state, why }),
  ]).catch((error: unknown) => log.error('the journal does not take it', { why: messageOf(error) }));
  await Promise.race([journalled, clock.sleep(journalBeforeTakeBackMs)]);
}

async function settleByBalancers({ balancers, sites }: GoBackParts): Promise<void> {
  for (const balancer of balancers) {
    const status = await balancer.call('status', {}).catch(() => null);
    if (status && (await sites.settle(status.lastGoodHash))) return;
  }
}

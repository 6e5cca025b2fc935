import type { GuardRecord } from '#events';
import type { Book } from './book.ts';
import { recordKey, whyRefused } from './ledger.ts';
import type { BalancerPort } from './ports.ts';

const recordsTimeoutMs = 2_000;

/** Brings what guards did into the journal, each record exactly once, however often it is asked for and whoever dies in between. */
export interface RecordCollector {
  /** Asks every balancer; those that do not answer are asked again next time. Resolves when what came is on disk. */
  poll(): Promise<void>;
}

export function createRecordCollector(book: Book, balancers: readonly BalancerPort[]): RecordCollector {
  /** Balancers whose numbering may have begun anew since the last answer: all of their records are looked at. */
  const unsure = new Set(balancers.map(({ name }) => name));
  let polling: Promise<void> | null = null;
  let again = false;

  async function pollOne(balancer: BalancerPort): Promise<void> {
    const { name } = balancer;
    const after = unsure.has(name) ? 0 : (book.ledger().lastRecord.get(name) ?? 0);
    let records: readonly GuardRecord[];
    try {
      records = await balancer.call('records', { after }, recordsTimeoutMs);
    } catch {
      unsure.add(name);
      return;
    }
    for (const record of records) {
      const ledger = book.ledger();
      if (ledger.records.has(recordKey(record.balancer, record.number, record.at))) continue;
      const why = whyRefused(ledger, record);
      const event =
        why === null
          ? { kind: 'guard.acted' as const, record }
          : { kind: 'guard.refused' as const, record, why };
      await book.append(`agent:${record.balancer}`, event);
    }
    unsure.delete(name);
  }

  async function pollAll(): Promise<void> {
    do {
      again = false;
      await Promise.all(balancers.map(pollOne));
    } while (again);
  }

  return {
    poll() {
      // One round at a time: two would both find a record unknown and journal it twice.
      if (polling) {
        again = true;
        return polling;
      }
      polling = pollAll().finally(() => {
        polling = null;
      });
      return polling;
    },
  };
}

import { createHmac, randomBytes } from 'node:crypto';
import { type Clock, Failure } from '#base';
import type { CustomerReport, Journal } from '#events';

/** What somebody tells; the desk adds number, sender and time. */
export type ReportInput = Omit<CustomerReport, 'report' | 'client'>;

export interface ReportDesk {
  /**
   * Takes a report in; resolves with its number when it is on disk. `sender` tells clients apart (an address) and is
   * never kept; empty: not told apart, and not limited.
   * @throws Failure HF406 when this sender, or everybody together, sends more than is taken.
   */
  take(by: string, sender: string, input: ReportInput): Promise<string>;
}

const minuteMs = 60_000;
/** Of one sender within `windowMs`. */
const perSenderMax = 3;
/** Of everybody within `windowMs`; more of them would tell nothing new. */
const altogetherMax = 300;
const windowMs = 10 * minuteMs;
const sendersMax = 10_000;

/** Takes customers' reports into the journal, never more than it can bear: who floods it is counted, not written down. */
export function reportDesk({
  journal,
  clock,
}: {
  readonly journal: Journal;
  readonly clock: Clock;
}): ReportDesk {
  const secret = randomBytes(32);
  const senders = new Map<string, number[]>();
  let taken: number[] = [];
  let leftOut = 0;
  let toldAt = clock.now();
  let number = lastNumber(journal);

  function admit(client: string): void {
    const now = clock.now();
    taken = recent(taken, now);
    const own = recent(senders.get(client) ?? [], now);
    if (taken.length >= altogetherMax || (client !== '' && own.length >= perSenderMax)) {
      leftOut += 1;
      throw new Failure(
        'HF406',
        taken.length >= altogetherMax
          ? 'many have reported this just now'
          : 'you have reported this just now',
        'We know of it. Try again in ten minutes if it goes on.',
      );
    }
    taken.push(now);
    if (client === '') return;
    senders.delete(client);
    senders.set(client, [...own, now]);
    for (const oldest of senders.keys()) {
      if (senders.size <= sendersMax) break;
      senders.delete(oldest);
    }
  }

  /** At most once a minute, so that a flood is two entries a minute and not a thousand. */
  async function tellLeftOut(): Promise<void> {
    if (leftOut === 0 || clock.now() - toldAt < minuteMs) return;
    const count = leftOut;
    leftOut = 0;
    toldAt = clock.now();
    await journal.append('controller', { kind: 'report.more', count });
  }

  return {
    async take(by, sender, input) {
      const client =
        sender === '' ? '' : createHmac('sha256', secret).update(sender).digest('hex').slice(0, 12);
      try {
        admit(client);
      } catch (error) {
        await tellLeftOut();
        throw error;
      }
      number += 1;
      const report = `rep-${number}`;
      await journal.append(by, { kind: 'report.received', report: { ...input, report, client } });
      return report;
    },
  };
}

function recent(times: readonly number[], now: number): number[] {
  return times.filter((at) => now - at <= windowMs);
}

function lastNumber(journal: Journal): number {
  const numbers = journal
    .entries()
    .flatMap(({ event }) => (event.kind === 'report.received' ? [Number(event.report.report.slice(4))] : []));
  return numbers.reduce((most, one) => Math.max(most, one), 0);
}

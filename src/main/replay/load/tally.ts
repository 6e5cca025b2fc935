import { type LoadCounts, type Outcome, outcomes, type RequestRecord } from './plan.ts';

const recordsMax = 2_000_000;

export interface Tally {
  sent(): void;
  ended(record: RequestRecord): void;
  counts(): LoadCounts;
  readonly records: readonly RequestRecord[];
}

/** Counts every request; keeps the records of the first `recordsMax`. */
export function newTally(): Tally {
  const records: RequestRecord[] = [];
  const byOutcome = Object.fromEntries(outcomes.map((o) => [o, 0])) as Record<Outcome, number>;
  const byStatus: Record<number, number> = {};
  let sent = 0;
  let ended = 0;
  let brokenFresh = 0;
  let brokenReused = 0;
  return {
    records,
    sent() {
      sent += 1;
    },
    ended(record) {
      ended += 1;
      if (records.length < recordsMax) records.push(record);
      byOutcome[record.outcome] += 1;
      if (record.status !== null) byStatus[record.status] = (byStatus[record.status] ?? 0) + 1;
      if (record.outcome !== 'reset' && record.outcome !== 'closed') return;
      if (record.reused) brokenReused += 1;
      else brokenFresh += 1;
    },
    counts: () => ({
      sent,
      ended,
      ok: byOutcome.ok,
      byOutcome: { ...byOutcome },
      byStatus: { ...byStatus },
      brokenFresh,
      brokenReused,
    }),
  };
}

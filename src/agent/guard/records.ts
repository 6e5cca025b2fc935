import { appendFileSync, readFileSync } from 'node:fs';
import type { Clock, Log } from '#base';
import type { GuardRecord } from '#events';

/** Kept in memory until delivered and beyond; older ones only in the file. */
const recordsMax = 1_000;

export interface Records {
  readonly last: number;
  add(what: GuardRecord['what']): GuardRecord;
  after(number: number): readonly GuardRecord[];
}

/** What the guard did, numbered. In memory first, since it must work with a full disk; in a file when the disk takes it. */
export function openRecords(options: { file: string; balancer: string; clock: Clock; log: Log }): Records {
  const { file, balancer, clock, log } = options;
  const records: GuardRecord[] = load(file);
  let last = records.at(-1)?.number ?? 0;
  return {
    get last() {
      return last;
    },
    add(what) {
      last += 1;
      const record: GuardRecord = { number: last, at: clock.now(), balancer, what };
      records.push(record);
      if (records.length > recordsMax) records.shift();
      try {
        // The line before may be torn: a record starts a line of its own.
        appendFileSync(file, `\n${JSON.stringify(record)}`, { mode: 0o600 });
      } catch (error) {
        log.warn('a guard record is only in memory', { number: last, error: String(error) });
      }
      return record;
    },
    after: (number) => records.filter((r) => r.number > number),
  };
}

function load(file: string): GuardRecord[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  const records: GuardRecord[] = [];
  for (const line of text.split('\n').slice(-recordsMax - 1)) {
    try {
      if (line !== '') records.push(JSON.parse(line) as GuardRecord);
    } catch {
      // The last line of a process that was killed while it wrote.
    }
  }
  return records;
}

/** Series whose alarm stands: told, and not yet told to be over. */
export function openAlarms(records: readonly GuardRecord[]): readonly string[] {
  const open = new Set<string>();
  for (const { what } of records) {
    if (what.kind === 'alarm') open.add(what.series);
    if (what.kind === 'recovered') open.delete(what.series);
  }
  return [...open];
}

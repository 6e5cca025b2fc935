import { type AlertOffice, alertOffice } from '#alerting';
import { Failure } from '#base';
import type { Alert, Event, FaultEvent, Journal, JournalEntry } from '#events';

/**
 * Alerting while the journal cannot be opened, from memory alone: whoever is on call is told all the same. Who is killed in
 * that time knows nothing of it afterwards, and pages anew.
 */
export interface AlertsInMemory {
  readonly office: AlertOffice;
  /** A fault of the running site. */
  tell(event: FaultEvent): void;
  /** The journal is open: what was paged from here is told to be over, and what goes on is told anew from there. Never rejects. */
  handOver(): Promise<void>;
  /** At once. */
  stop(): Promise<void>;
}

type Parts = Omit<Parameters<typeof alertOffice>[0], 'journal'> & {
  /** Why the journal is not open. */
  readonly why: () => string;
  /** What stood in it, as far as that can still be read: escalations that are under way go on. */
  readonly before: readonly JournalEntry[];
};

const entriesMax = 20_000;
/** So long whoever was paged may be told that it is over. */
const handOverMsMax = 30_000;
const lookEveryMs = 200;

export function alertsInMemory({ why, before, ...parts }: Parts): AlertsInMemory {
  const { clock, site, trouble } = parts;
  const journal = memoryJournal(before, clock.now);
  const since = clock.now();
  const ending = new AbortController();
  const closed = () => [closedAlert(site, since, why())];
  let isOpen = false;
  const office = alertOffice({
    ...parts,
    journal,
    trouble: () => (isOpen ? [] : [...trouble(), ...closed()]),
  });
  const append = (event: Event) => journal.append('monitor', event).catch(() => {});
  const isBusy = () =>
    office
      .escalations()
      .some(
        ({ ended, turns }) =>
          !ended || turns.some(({ pages }) => pages.some(({ state }) => state === 'planned')),
      );
  let stopping: Promise<void> | null = null;
  const stop = () => {
    ending.abort();
    stopping ??= office.stop();
    return stopping;
  };

  return {
    office,
    tell: (event) => void append(event),
    async handOver() {
      isOpen = true;
      const how = 'the journal is open again: what goes on is told anew from there';
      for (const { fault, series, scope, severity, startedAt, evidence } of openFaults(journal.entries())) {
        const facts = { fault, series, scope, severity, startedAt, evidence };
        await append({ kind: 'fault.ended', ...facts, endedAt: clock.now(), how, wasFalse: false });
      }
      const giveUpAt = clock.monotonicMs() + handOverMsMax;
      while (isBusy() && clock.monotonicMs() < giveUpAt && !ending.signal.aborted)
        await clock.sleep(lookEveryMs, ending.signal).catch(() => {});
      await stop();
    },
    stop,
  };
}

function openFaults(entries: readonly JournalEntry[]): readonly FaultEvent[] {
  const open = new Map<string, FaultEvent>();
  for (const { event } of entries) {
    if (event.kind === 'fault.seen') open.set(event.fault, event);
    if (event.kind === 'fault.ended') open.delete(event.fault);
  }
  return [...open.values()];
}

function memoryJournal(before: readonly JournalEntry[], now: () => number): Journal {
  const entries = [...before];
  const followers = new Set<(entry: JournalEntry) => void>();
  return {
    async append(by, event) {
      if (entries.length - before.length >= entriesMax)
        throw new Failure('HF203', 'the journal is not open, and memory is full');
      const entry = { sequence: (entries.at(-1)?.sequence ?? 0) + 1, at: now(), by, event, hash: '' };
      entries.push(entry);
      for (const use of followers) use(entry);
      return entry;
    },
    // Without a gap: the entry after number n is at n from where they begin.
    entries(after = 0, max = entries.length) {
      const from = Math.max(0, after + 1 - (entries[0]?.sequence ?? 1));
      return entries.slice(from, from + max);
    },
    follow(use) {
      followers.add(use);
      return () => followers.delete(use);
    },
  };
}

function closedAlert(site: string, startsAt: number, why: string): Alert {
  return {
    labels: { alertname: 'JournalNotOpen', severity: 'error', site },
    annotations: {
      summary: 'The journal cannot be opened: changes are refused',
      users: 'Nothing.',
      cause: why,
      action:
        '`holdfast journal verify`; free the disk, restore the journal, or move it aside. It is opened by itself.',
    },
    startsAt,
    endsAt: null,
    generatorURL: '',
  };
}

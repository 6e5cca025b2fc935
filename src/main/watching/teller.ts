import { messageOf } from '#base';
import type { FaultEvent, FaultFacts, JournalEntry } from '#events';
import type { OpenJournal } from '#store';
import type { AlertsInMemory } from '../alerts-in-memory.ts';
import type { WatchingParts } from './watching.ts';

const pendingMax = 200;
/** Faults of before this process: what is left of them has been seen anew by then. */
const orphansAfterMs = 15_000;

/** Facts go into the journal in their order, and wait for it when it is not open. */
export function tellerOf({ door, clock, log }: Pick<WatchingParts, 'door' | 'clock' | 'log'>) {
  const pending: FaultEvent[] = [];
  const orphans = new Map<string, FaultFacts>();
  const startedAt = clock.now();
  let followed: OpenJournal | null = null;
  let unfollow = () => {};
  let last = 0;
  let writing = false;
  let toldInMemory: { readonly to: AlertsInMemory; readonly events: Set<FaultEvent> } | null = null;

  /** While the journal is not open they wait for it; whoever is on call does not. */
  function tellInMemory(): void {
    const to = door.inMemory();
    if (!to) return;
    if (toldInMemory?.to !== to) toldInMemory = { to, events: new Set() };
    for (const event of pending) {
      if (toldInMemory.events.has(event)) continue;
      toldInMemory.events.add(event);
      to.tell(event);
    }
  }

  async function write(): Promise<void> {
    if (writing) return;
    writing = true;
    try {
      for (let event = pending[0]; event !== undefined; event = pending[0]) {
        const room = door.open();
        if (!room) return tellInMemory();
        await room.journal.append('monitor', event);
        pending.shift();
      }
    } catch (error) {
      log.warn('a fault waits for the journal', { why: messageOf(error) });
    } finally {
      writing = false;
    }
  }
  function note({ event }: JournalEntry): void {
    if (!('fault' in event)) return;
    last = Math.max(last, Number(/^fault-(\d+)$/.exec(event.fault)?.[1] ?? 0));
    if (event.kind === 'fault.seen') orphans.set(event.fault, event);
    if (event.kind === 'fault.ended') orphans.delete(event.fault);
  }

  return {
    tell(event: FaultEvent): void {
      const where = { fault: event.fault, series: event.series };
      if (event.kind === 'fault.located')
        log.warn('fault located', { ...where, verdict: event.verdict.sentence });
      else log.warn(event.kind, where);
      if (pending.length < pendingMax) pending.push(event);
      else door.inMemory()?.tell(event);
      void write();
    },
    /** Reads the journal that is open, once, and follows it. */
    follow(use: (entry: JournalEntry) => void): void {
      void write();
      const journal = door.open()?.journal ?? null;
      if (journal === followed) return;
      unfollow();
      unfollow = () => {};
      followed = journal;
      if (!journal) return;
      const isFirst = last === 0;
      const entries = journal.entries();
      for (const entry of entries) {
        if (isFirst) note(entry);
        use(entry);
      }
      unfollow = journal.follow(use);
    },
    lastFault: () => last,
    endOrphans(now: number): void {
      if (now - startedAt < orphansAfterMs) return;
      for (const [fault, { series, scope, severity, startedAt: began, evidence }] of orphans) {
        const facts = { fault, series, scope, severity, startedAt: began, evidence };
        const how = 'the controller was started anew; what is left of it was seen as a new fault';
        this.tell({ kind: 'fault.ended', ...facts, endedAt: now, how, wasFalse: false });
      }
      orphans.clear();
    },
    close: () => unfollow(),
  };
}

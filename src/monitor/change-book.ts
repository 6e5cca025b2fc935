import type { JournalEntry } from '#events';
import type { ChangePicture } from './picture.ts';

const keptMs = 3_600_000;
const keptMax = 20;

export interface ChangeBook {
  add(entry: JournalEntry): void;
  /** Newest first. */
  recent(now: number): readonly ChangePicture[];
  /** When a change last got traffic; null: not lately. */
  sinceMs(now: number): number | null;
}

/** The changes that the journal tells of, as localisation needs them: those that got traffic. */
export function changeBook(): ChangeBook {
  const proposed = new Map<string, Omit<ChangePicture, 'at' | 'inFlight'>>();
  let changes: ChangePicture[] = [];

  function began(change: string, at: number, inFlight: boolean): void {
    const known = changes.find((one) => one.change === change);
    const facts = proposed.get(change);
    if (known) changes = changes.map((one) => (one === known ? { ...one, inFlight } : one));
    else if (facts) changes = [{ ...facts, at, inFlight }, ...changes].slice(0, keptMax);
  }

  return {
    add({ at, by, event }) {
      if (event.kind === 'change.proposed') {
        const { change, difference } = event;
        proposed.set(change, { change, by, difference, added: difference.serversAdded });
        if (proposed.size > 10 * keptMax) proposed.delete([...proposed.keys()][0] ?? '');
      }
      if (event.kind === 'change.exposed') began(event.change, at, true);
      if (event.kind === 'change.promoted') began(event.change, at, false);
      // What was taken back does nothing any more, and what it did is over with it.
      if (event.kind === 'change.state' && event.state === 'rolled back')
        changes = changes.filter(({ change }) => change !== event.change);
    },
    recent: (now) => changes.filter(({ at }) => now - at <= keptMs),
    sinceMs(now) {
      const newest = changes[0];
      return newest ? Math.max(0, now - newest.at) : null;
    },
  };
}

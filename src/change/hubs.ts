import type { ChangeView, Progress } from '#contract';
import { finalStates } from '#events';
import { createProgressHub, type ProgressHub } from './progress.ts';

/** Progress of so many changes is kept for those who come late; older ones are told from the journal. */
const hubsMax = 20;

/** What changes show to those who watch them. */
export interface Hubs {
  open(change: string): ProgressHub;
  of(change: string): ProgressHub | null;
}

export function createHubs(): Hubs {
  const hubs = new Map<string, ProgressHub>();
  return {
    open(change) {
      // One that waited goes on under the eyes of those who watch it.
      const known = hubs.get(change);
      if (known) return known;
      const hub = createProgressHub();
      hubs.set(change, hub);
      for (const old of [...hubs.keys()].slice(0, -hubsMax)) hubs.delete(old);
      return hub;
    },
    of: (change) => hubs.get(change) ?? null,
  };
}

/** What the journal still says of a change that nobody shows any more. */
export function tellOld(view: ChangeView, use: (line: Progress) => void): void {
  for (const report of view.gates) use({ kind: 'gate', report });
  use({ kind: 'state', state: view.state, why: view.why });
  if (finalStates.includes(view.state)) use({ kind: 'end', change: view });
}

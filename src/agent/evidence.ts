import type { Evidence, PoolEvidence } from '#engines';
import { type Counts, noCounts, type TakeBack } from '#events';

/** What happened between two readings of the same generation. */
export function since(now: Evidence, before: Evidence): Counts {
  const delta = (name: keyof Counts) => Math.max(0, now[name] - before[name]);
  return {
    requests: delta('requests'),
    errors: delta('errors'),
    clientErrors: delta('clientErrors'),
    connectionErrors: delta('connectionErrors'),
    retries: delta('retries'),
    responseErrors: delta('responseErrors'),
    netUses: delta('netUses'),
  };
}

/** Everything that shows trouble with servers, seen by users or not. */
export function serverTrouble(counts: Counts): number {
  return counts.connectionErrors + counts.retries + counts.responseErrors;
}

export function liveShare(pool: PoolEvidence): number {
  return pool.serversAll === 0 ? 1 : pool.serversLive / pool.serversAll;
}

/** A taking back that nothing but a person's word asked for. */
export function personsTakeBack(facts: Omit<TakeBack, 'evidence'>): TakeBack {
  const nothing = { exposedAt: null, firstBadAt: null, serversDown: [], errorLines: [] };
  return { ...facts, evidence: { cause: 'person', candidate: noCounts, incumbent: noCounts, ...nothing } };
}

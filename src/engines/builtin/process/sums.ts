import type { Evidence, PoolEvidence, ServerEvidence } from '../../engine.ts';

/** What is so now and belongs to no worker that has ended; everything else is counted, and a count never goes back. */
const momentary: ReadonlySet<string> = new Set([
  'connections',
  'inHand',
  'queued',
  'serversLive',
  'serversAll',
]);

/** A sum over several workers' counters. `living`: those of workers that run; the others have ended. */
export function sumEvidence(living: readonly Evidence[], ended: readonly Evidence[]): Evidence | null {
  const [first] = [...living, ...ended];
  if (!first) return null;
  const pools = first.pools.map(({ pool }): PoolEvidence => {
    const of = (all: readonly Evidence[]) => all.flatMap((e) => e.pools.filter((p) => p.pool === pool));
    const here = of(living);
    const summed = { ...addUp(here, of(ended)), pool };
    // Each worker knows all servers; one of them may have put a server aside by itself.
    const serversLive = here.length === 0 ? 0 : Math.min(...here.map((p) => p.serversLive));
    return { ...summed, serversLive, serversAll: here[0]?.serversAll ?? 0 };
  });
  return { ...addUp(living, ended), pools };
}

/** The counts of several lists, by pool and server; what else is known of a server comes from the first list that has it. */
export function addServers(all: readonly ServerEvidence[]): ServerEvidence[] {
  const sums = new Map<string, ServerEvidence>();
  for (const one of all) {
    const key = `${one.pool}/${one.server}`;
    const known = sums.get(key);
    if (!known) sums.set(key, one);
    else
      sums.set(key, { ...known, requests: known.requests + one.requests, errors: known.errors + one.errors });
  }
  return [...sums.values()];
}

/** The first one's shape, each of its numbers summed. */
function addUp<T extends object>(living: readonly T[], ended: readonly T[]): T {
  const [shape] = [...living, ...ended];
  const sums: [string, unknown][] = Object.entries(shape ?? {}).map(([name, value]) => {
    if (typeof value !== 'number') return [name, value];
    const from = momentary.has(name) ? living : [...living, ...ended];
    return [name, from.reduce((sum, one) => sum + numberAt(one, name), 0)];
  });
  return Object.fromEntries(sums) as T;
}

function numberAt(of: object, name: string): number {
  const value: unknown = Object.entries(of).find(([key]) => key === name)?.[1];
  return typeof value === 'number' ? value : 0;
}

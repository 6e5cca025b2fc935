import type { Evidence, PoolEvidence, ServerEvidence } from '../engine.ts';

/** The process answers with our own types; what comes over a socket is looked at all the same. */
export function asEvidence(answer: unknown): Evidence {
  const evidence = asObject(answer);
  return { ...numbersOf(evidence, counterNames), pools: asList(evidence.pools).map(asPoolEvidence) };
}

const counterNames = [
  'requests',
  'errors',
  'clientErrors',
  'connectionErrors',
  'retries',
  'responseErrors',
  'netUses',
  'entranceRequests',
  'connections',
  'inHand',
] as const;

const poolNumberNames = [
  'requests',
  'errors',
  'connectionErrors',
  'retries',
  'responseErrors',
  'serversLive',
  'serversAll',
  'queued',
  'timedRequests',
  'timeMs',
] as const;

function asPoolEvidence(answer: unknown): PoolEvidence {
  const pool = asObject(answer);
  return { pool: String(pool.pool), ...numbersOf(pool, poolNumberNames) };
}

export function asServers(answer: unknown): ServerEvidence[] {
  return asList(answer).map((entry) => {
    const server = asObject(entry);
    const state = server.state === 'up' || server.state === 'down' ? server.state : 'unknown';
    return {
      pool: String(server.pool),
      server: String(server.server),
      state,
      lastCheck: String(server.lastCheck),
      ...numbersOf(server, ['requests', 'errors']),
    };
  });
}

export function asLines(answer: unknown): string[] {
  return asList(answer).map(String);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('the engine answered no object');
  return { ...value };
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error('the engine answered no list');
  return value;
}

function numbersOf<N extends string>(
  from: Readonly<Record<string, unknown>>,
  names: readonly N[],
): Record<N, number> {
  const entries = names.map((name): [N, number] => {
    const value = from[name];
    if (typeof value !== 'number') throw new Error(`the engine answered no number for ${name}`);
    return [name, value];
  });
  return Object.fromEntries(entries) as Record<N, number>;
}

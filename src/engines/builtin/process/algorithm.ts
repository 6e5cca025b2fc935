import { createHash } from 'node:crypto';
import type { Algorithm } from '#model';

/** What choosing looks at. `turn` belongs to round robin, which keeps its place in it. */
export interface Choosable {
  readonly key: string;
  readonly weight: number;
  /** Requests it is answering now. */
  readonly active: number;
  turn: number;
}

export interface Choice {
  /** The client's address, for `source`. */
  readonly source: string;
  /** What the request has of it, for `hash`. Null: nothing. */
  readonly hashKey: string | null;
  /** In [0, 1). */
  random(): number;
}

type Choose = <S extends Choosable>(servers: readonly S[], choice: Choice) => S | null;

/** Each takes one of the servers that may be used now, or null when there is none. */
export const choosers: Readonly<Record<Algorithm, Choose>> = {
  roundrobin: smoothRoundRobin,
  leastconn: leastConnections,
  random: bestOfTwo,
  source: (servers, { source }) => byHash(servers, source),
  hash: (servers, { hashKey }) => (hashKey === null ? smoothRoundRobin(servers) : byHash(servers, hashKey)),
};

/** NGINX's smooth weighted round robin: 5,1,1 gives a a b a c a a, never five at once. */
function smoothRoundRobin<S extends Choosable>(servers: readonly S[]): S | null {
  let best: S | null = null;
  let total = 0;
  for (const server of servers) {
    server.turn += server.weight;
    total += server.weight;
    if (best === null || server.turn > best.turn) best = server;
  }
  if (best) best.turn -= total;
  return best;
}

/** Fewest requests for its weight; among equals, round robin. */
function leastConnections<S extends Choosable>(servers: readonly S[]): S | null {
  let least = Number.POSITIVE_INFINITY;
  for (const server of servers) least = Math.min(least, server.active / server.weight);
  return smoothRoundRobin(servers.filter((server) => server.active / server.weight === least));
}

/** Two drawn by weight, the less loaded one of them: as HAProxy's `random` does. */
function bestOfTwo<S extends Choosable>(servers: readonly S[], choice: Choice): S | null {
  const first = drawn(servers, choice.random());
  const second = drawn(servers, choice.random());
  if (!first || !second) return first;
  return second.active / second.weight < first.active / first.weight ? second : first;
}

function drawn<S extends Choosable>(servers: readonly S[], at: number): S | null {
  let left = at * servers.reduce((sum, server) => sum + server.weight, 0);
  for (const server of servers) {
    left -= server.weight;
    if (left < 0) return server;
  }
  return servers.at(-1) ?? null;
}

/** Weighted rendezvous hashing: when a server goes, only its own clients move. */
function byHash<S extends Choosable>(servers: readonly S[], key: string): S | null {
  let best: S | null = null;
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const server of servers) {
    const score = server.weight / -Math.log(unitHash(`${key} ${server.key}`));
    if (score > bestScore) {
      best = server;
      bestScore = score;
    }
  }
  return best;
}

/** In (0, 1), the same in every process. */
function unitHash(value: string): number {
  return (createHash('md5').update(value).digest().readUInt32BE(0) + 1) / (2 ** 32 + 1);
}

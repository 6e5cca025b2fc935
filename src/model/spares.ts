import { meaningOf } from './hash.ts';
import type { Pool, Server } from './pool.ts';
import type { Site } from './site.ts';

/** What a spare server is called while it serves beside the others. */
export const mark = '-joined';

/** Spare servers that could come in. */
export function waitingSpares({ servers }: Pool): readonly Server[] {
  return servers.filter(({ spare, maintenance }) => spare && !maintenance);
}

/** Spare servers that came in. */
export function joinedSpares({ servers }: Pool): readonly Server[] {
  return servers.filter(isJoined);
}

function isJoined({ name, spare }: Pick<Server, 'name' | 'spare'>): boolean {
  return !spare && name.endsWith(mark);
}

/** The name that it has in the file that people wrote. */
export function spareName(server: string): string {
  return server.endsWith(mark) ? server.slice(0, -mark.length) : server;
}

/** The site as people wrote it: without spare servers that came in. */
export function withoutJoined(site: Site): Site {
  const written = (server: Server) =>
    isJoined(server) ? { ...server, name: spareName(server.name), spare: true } : server;
  return { ...site, pools: site.pools.map((pool) => ({ ...pool, servers: pool.servers.map(written) })) };
}

/** Spare servers come or go, as the site's own `guard.spares` lets them, and nothing else changes. */
export function isSpareTurn(before: Site, after: Site): boolean {
  if (!before.guard.spares || before.own || after.own) return false;
  return (
    meaningOf(before) !== meaningOf(after) &&
    meaningOf(withoutJoined(before)) === meaningOf(withoutJoined(after))
  );
}

import type { Clock } from '#base';
import { inMaintenance, type ServerEvidence } from '#engines';
import type { ServerRef } from '#events';
import type { Pool, Site } from '#model';

/** What was seen longer ago says nothing of now. */
const rememberedMs = 60_000;

/**
 * Servers that the active generation knows to be down: a new one begins with that, not with its first failed requests.
 * Its own checks have the last word.
 */
export class Known {
  readonly #clock: Clock;
  #seen: { readonly site: Site; readonly servers: readonly ServerEvidence[]; readonly atMs: number } | null =
    null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `servers`: as the active generation of `site` sees them now. */
  remember(site: Site, servers: readonly ServerEvidence[]): void {
    this.#seen = { site, servers, atMs: this.#clock.monotonicMs() };
  }

  /** Whether there is anything to carry over at all. */
  get isAny(): boolean {
    return this.#seen?.servers.some(({ state }) => state === 'down') ?? false;
  }

  /**
   * Only what would be asked the same question at the same address: a change that puts a health check right must not
   * begin with what the wrong one said. Nor is a pool carried over without a live server: there is nothing to lose.
   */
  downFor(site: Site): readonly ServerRef[] {
    const seen = this.#seen;
    if (!seen || this.#clock.monotonicMs() - seen.atMs > rememberedMs) return [];
    return site.pools.flatMap((pool) => {
      const before = seen.site.pools.find(({ name }) => name === pool.name);
      if (!before || question(before) !== question(pool)) return [];
      const down = pool.servers.filter((server) => isDown(seen.servers, before, server));
      const isAnyLeft = pool.servers.some((server) => !server.maintenance && !down.includes(server));
      return isAnyLeft ? down.map(({ name }) => ({ pool: pool.name, server: name })) : [];
    });
  }
}

function question({ healthCheck }: Pool): string {
  return JSON.stringify(healthCheck);
}

function isDown(
  seen: readonly ServerEvidence[],
  before: Pool,
  { name, host, port }: Pool['servers'][number],
): boolean {
  const same = before.servers.some((s) => s.name === name && s.host === host && s.port === port);
  // One in maintenance is down because somebody said so, and may be well.
  const isDownItself = (s: ServerEvidence) => s.state === 'down' && s.lastCheck !== inMaintenance;
  return same && seen.some((s) => s.pool === before.name && s.server === name && isDownItself(s));
}

import type { Diagnostic, Place } from '#base';
import type { ProbeResult } from '#contract';
import type { ServerRef } from '#events';
import type { Pool, Site, SiteDifference } from '#model';
import { type Asked, count } from './gate.ts';
import { percent } from './limits.ts';

/** What balancers said of servers. Pure. */
export interface DeadServer extends ServerRef {
  readonly place: Place | null;
  readonly address: string;
  /** One line a balancer that it did not answer. */
  readonly evidence: readonly string[];
  readonly tried: string;
  readonly answered: string;
  readonly from: readonly string[];
}

export function deadServers(site: Site, { answers }: Asked<readonly ProbeResult[]>): readonly DeadServer[] {
  const found = new Map<string, DeadServer>();
  for (const { balancer, output } of answers)
    for (const result of output) {
      if (result.ok) continue;
      const key = `${result.pool}/${result.server}`;
      const place = placeOf(site, result);
      const before = found.get(key);
      const where = place ? `${place.file}:${place.line} ` : '';
      const line = `${where}pool "${result.pool}" server "${result.server}" ${result.address}, asked from ${balancer}: ${result.tried}: ${result.answered}`;
      found.set(key, {
        pool: result.pool,
        server: result.server,
        address: result.address,
        place,
        tried: result.tried,
        answered: result.answered,
        from: [...(before?.from ?? []), balancer],
        evidence: [...(before?.evidence ?? []), line],
      });
    }
  return [...found.values()];
}

export interface Wanted {
  /** Pools that requests come to which did not before. */
  readonly reached: ReadonlySet<string>;
  /** Servers that the change takes away, of those that were asked: does it answer? */
  readonly removed: readonly (ServerRef & { readonly live: boolean })[];
  readonly liveShareMin: number;
}

export interface Short {
  readonly against: readonly Diagnostic[];
  /** Pools with too few live servers that the change leaves with no fewer than they had. */
  readonly notWorse: readonly string[];
}

/** Pools that the change touches, or brings requests to, and that would have too few live servers. */
export function poolsBelowMinimum(
  site: Site,
  { serversAdded, serversRemoved }: SiteDifference,
  dead: readonly ServerRef[],
  { reached, removed, liveShareMin }: Wanted,
): Short {
  const touched = new Set([...reached, ...[...serversAdded, ...serversRemoved].map(({ pool }) => pool)]);
  const against: Diagnostic[] = [];
  const notWorse: string[] = [];
  for (const pool of site.pools) {
    const live = liveOf(pool, dead);
    const all = pool.servers.length;
    if (!touched.has(pool.name) || live / Math.max(1, all) >= liveShareMin) continue;
    const isNew = (name: string) =>
      serversAdded.some(({ pool: of, server }) => of === pool.name && server === name);
    const kept = pool.servers.filter(({ name }) => !isNew(name));
    const gone = removed.filter(({ pool: of, live: was }) => of === pool.name && was).length;
    const before = liveOf({ ...pool, servers: kept }, dead) + gone;
    const said = `${live} of ${count(all, 'server')} live`;
    if (!reached.has(pool.name) && live >= before) {
      notWorse.push(`pool "${pool.name}" would have ${said}, and has ${before} now: it blocks nothing`);
      continue;
    }
    against.push({
      code: 'HF103',
      severity: 'error',
      place: pool.place,
      path: `pool "${pool.name}"`,
      message: `would have ${said}, and at least ${percent(liveShareMin)} must be`,
      remedy: 'Start servers first, or change guard.limits.liveServersShareMin first',
    });
  }
  return { against, notWorse };
}

function liveOf({ name, servers }: Pick<Pool, 'name' | 'servers'>, dead: readonly ServerRef[]): number {
  return servers.filter((one) => !dead.some(({ pool, server }) => pool === name && server === one.name))
    .length;
}

function placeOf(site: Site, ref: ServerRef): Place | null {
  const pool = site.pools.find(({ name }) => name === ref.pool);
  return pool?.servers.find(({ name }) => name === ref.server)?.place ?? null;
}

export function isSame(a: ServerRef, b: ServerRef): boolean {
  return a.pool === b.pool && a.server === b.server;
}

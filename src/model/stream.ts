import type { StreamListener, StreamRule } from '#routing';
import type { Pool } from './pool.ts';
import { compareRanks, hostnameRank, sharesOf } from './route.ts';
import { isStream, poolsOf, type Route, type Site, writtenName } from './site.ts';

/** What a site does to every connection of its TCP and TLS listeners. Exact name before wildcard before none, longer first. */
export function streamsOf(site: Site): StreamListener[] {
  const pools = new Map(site.pools.map((pool) => [pool.name, pool]));
  return site.listeners.filter(isStream).map((listener) => {
    const ranked = site.routes
      .filter((route) => route.listeners.includes(writtenName(listener)))
      .flatMap((route) => streamRules(route, pools));
    ranked.sort((a, b) => compareRanks(a.rank, b.rank));
    const { name, host, port, protocol } = listener;
    return { name, host, port, byName: protocol === 'TLS', rules: ranked.map(({ rule }) => rule) };
  });
}

function streamRules({ name, place, hostnames, action }: Route, pools: ReadonlyMap<string, Pool>) {
  const shares = action.kind === 'pools' ? sharesOf(action.pools, pools) : [];
  return (hostnames.length > 0 ? hostnames : [null]).map((hostname) => ({
    rank: hostnameRank(hostname),
    rule: {
      route: name,
      place,
      name: hostname === null ? null : nameOf(hostname),
      shares,
    },
  }));
}

function nameOf(hostname: string): StreamRule['name'] {
  const value = hostname.toLowerCase();
  return value.startsWith('*.') ? { match: 'suffix', value: value.slice(1) } : { match: 'exact', value };
}

/** The pools that connections of TCP and TLS listeners go to: they are asked nothing of HTTP but their health. */
export function streamPools(site: Pick<Site, 'listeners' | 'routes'>): ReadonlySet<string> {
  const streams = new Set(site.listeners.filter(isStream).map(writtenName));
  return new Set(
    site.routes.filter(({ listeners }) => listeners.some((name) => streams.has(name))).flatMap(poolsOf),
  );
}

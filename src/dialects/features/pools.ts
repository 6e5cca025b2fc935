import type { Algorithm, Pool, Site } from '#model';
import type { Features } from './feature.ts';

/** What a site can say of its servers and of how requests are spread over them. */
export const poolFeatures = {
  roundrobin: {
    written: 'pools[].algorithm: roundrobin',
    meaning: 'each server in turn, by weight',
    uses: (site) => balancedBy(site, 'roundrobin'),
  },
  leastconn: {
    written: 'pools[].algorithm: leastconn',
    meaning: 'the server with the fewest requests under way, by weight',
    uses: (site) => balancedBy(site, 'leastconn'),
  },
  random: {
    written: 'pools[].algorithm: random',
    meaning: 'two servers are drawn, the less loaded one is taken',
    uses: (site) => balancedBy(site, 'random'),
  },
  source: {
    written: 'pools[].algorithm: source',
    meaning: "the client's address decides, and few clients move when a server comes or goes",
    uses: (site) => balancedBy(site, 'source'),
  },
  connectionsMax: {
    written: 'pools[].servers[].connectionsMax',
    meaning: "requests that a server answers at once; more wait in the pool's queue",
    uses: (site) =>
      site.pools.flatMap(({ servers }) =>
        servers.filter(({ connectionsMax }) => connectionsMax !== null).map(({ place }) => place),
      ),
  },
  healthCheckTcp: {
    written: 'pools[].healthCheck without path',
    meaning: 'a server that takes a connection is alive',
    uses: (site) => pools(site, ({ healthCheck }) => healthCheck.http === null),
  },
  healthCheckHttp: {
    written: 'pools[].healthCheck.path',
    meaning: 'a server that answers this path with the expected status is alive',
    uses: (site) => pools(site, ({ healthCheck }) => healthCheck.http !== null),
  },
} as const satisfies Features;

function pools(site: Site, uses: (pool: Pool) => boolean) {
  return site.pools.filter(uses).map(({ place }) => place);
}

function balancedBy(site: Site, algorithm: Algorithm) {
  return pools(site, (pool) => pool.algorithm === algorithm);
}

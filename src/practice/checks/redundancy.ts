import type { Finding } from '#events';
import { hostPort, type Pool, poolsOf, type Server, type Site } from '#model';
import type { Check } from '../facts.ts';

/** Whatever stands alone: one balancer, one machine, one server, one host. */
export const redundancy: Check = ({ site, machines }) => ({
  findings: [
    ...balancers(site, machines),
    ...site.pools.filter((pool) => isReached(site, pool)).flatMap(servers),
  ],
});

function balancers(site: Site, machines: ReadonlyMap<string, readonly string[]>): Finding[] {
  const [first, second] = site.balancers;
  if (first && !second)
    return [
      {
        id: 'single-balancer',
        severity: 'high',
        what: `${first.name} is the only balancer: when it fails, nobody reaches the site`,
        evidence: [],
        remedy:
          'Add a second balancer on another machine, and an address that moves between them (VRRP, DNS).',
        place: first.place,
      },
    ];
  const [only] = [...machines.entries()];
  if (machines.size !== 1 || !only) return [];
  const [machine, names] = only;
  return [
    {
      id: 'one-machine',
      severity: 'high',
      what: `all balancers run on one machine (${machine}): they fail together`,
      evidence: [names.join(', ')],
      remedy: 'Run at least one of them on another machine.',
      place: first?.place ?? null,
    },
  ];
}

function servers(pool: Pool): Finding[] {
  const used = pool.servers.filter(({ maintenance }) => !maintenance);
  const [first, second] = used;
  if (!first) return [];
  if (!second)
    return [
      {
        id: `single-server:${pool.name}`,
        severity: 'high',
        what: `pool ${pool.name} has one server: when ${first.name} fails, nothing answers its requests`,
        evidence: [`${first.name} ${hostPort(first.host, first.port)}`],
        remedy: 'Add a second server, or a spare one (`spare: true`).',
        place: first.place,
      },
    ];
  return sameHost(pool, used);
}

function sameHost(pool: Pool, used: readonly Server[]): Finding[] {
  const hosts = new Set(used.map(({ host }) => host));
  const [host] = hosts;
  if (hosts.size > 1 || host === undefined) return [];
  return [
    {
      id: `one-host:${pool.name}`,
      severity: 'medium',
      what: `all ${used.length} servers of pool ${pool.name} are on ${host}: they fail together`,
      evidence: used.map(({ name, port }) => `${name} ${hostPort(host, port)}`),
      remedy: 'Move some of them to another machine.',
      place: pool.place,
    },
  ];
}

/** Of a team's own text nobody says which pools requests reach: all of them count. */
function isReached(site: Site, pool: Pool): boolean {
  return site.own !== null || site.routes.some((route) => poolsOf(route).includes(pool.name));
}

import type { Finding } from '#events';
import type { Pool } from '#model';
import type { Check } from '../facts.ts';

/** Whether what is left can carry the busiest moment when any one server, or any one balancer, is gone. */
export const capacity: Check = ({ site, peaks }) => {
  const limited = site.pools.filter(({ servers }) =>
    servers.some(({ connectionsMax }) => connectionsMax !== null),
  );
  if (limited.length === 0) return { findings: [] };
  if (!peaks)
    return {
      findings: [],
      notSeen: [
        'how busy the pools were lately is not measured yet, so nothing can be said of their capacity',
      ],
    };
  return { findings: limited.flatMap((pool) => withoutOne(pool, peaks.get(pool.name))) };
};

function withoutOne(pool: Pool, peak = 0): Finding[] {
  const limits = pool.servers
    .filter(({ maintenance, spare }) => !maintenance && !spare)
    .map(({ connectionsMax }) => connectionsMax ?? Number.POSITIVE_INFINITY);
  const all = limits.reduce((sum, limit) => sum + limit, 0);
  const left = all - Math.max(0, ...limits.filter(Number.isFinite));
  if (!Number.isFinite(all) || peak <= left) return [];
  return [
    {
      id: `capacity:${pool.name}`,
      severity: peak > all ? 'high' : 'medium',
      what: `pool ${pool.name} cannot lose a server at its busiest: ${peak} connections at once, and ${left} are left without the largest`,
      evidence: [`${all} connections with all ${limits.length} servers`],
      remedy: 'Add a server, or a spare one, or raise `connectionsMax` where the servers can bear it.',
      place: pool.place,
    },
  ];
}

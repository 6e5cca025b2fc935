import type { FaultScope } from '#events';
import type { DirectProbe, Picture } from '../picture.ts';
import { type Finding, namesOf, type Rule, unique, verb } from './finding.ts';

export interface Asked {
  readonly pool: string;
  readonly server: string;
  readonly host: string;
  readonly good: readonly DirectProbe[];
  readonly bad: readonly DirectProbe[];
}

/** Every server with what it answered to each balancer. */
export function asked({ site, direct }: Picture): Asked[] {
  return site.pools.flatMap((pool) =>
    pool.servers.flatMap((server) => {
      const probes = direct.filter((one) => one.pool === pool.name && one.server === server.name);
      if (probes.length === 0 || server.maintenance) return [];
      const named = { pool: pool.name, server: server.name, host: server.host };
      return [{ ...named, good: probes.filter(({ ok }) => ok), bad: probes.filter(({ ok }) => !ok) }];
    }),
  );
}

/** Whether somebody at that address said no: then the way there is whole. */
const saidNo = /refused|reset|status|certificate|handshake|body without/;

/** Servers that answer no balancer: they, all of a host, or a whole pool. */
export const deadServers: Rule = (picture) => {
  const all = asked(picture);
  const dead = all.filter(({ good, bad }) => good.length === 0 && bad.length > 0 && !isNameless(bad));
  const zones = deadHosts(all, dead);
  const alone = dead.filter(({ host }) => !zones.includes(host));
  return [
    ...zones.map((host) => deadZone(host, dead)),
    ...unique(alone.map(({ pool }) => pool)).map((pool) => deadInPool(picture, all, alone, pool)),
  ];
};

/** Hosts of several servers, in one pool or in many, of which none answers; what is dead as a whole pool is no matter of hosts. */
function deadHosts(all: readonly Asked[], dead: readonly Asked[]): string[] {
  return unique(dead.map(({ host }) => host)).filter((host) => {
    const there = all.filter((one) => one.host === host);
    const pools = unique(there.map(({ pool }) => pool));
    const isWhole = (pool: string) => all.every((one) => one.pool !== pool || dead.includes(one));
    return there.length > 1 && there.every((one) => dead.includes(one)) && !pools.some(isWhole);
  });
}

function deadZone(host: string, dead: readonly Asked[]): Finding {
  const mine = dead.filter((one) => one.host === host);
  const names = mine.map(({ pool, server }) => `${pool}/${server}`);
  return {
    culprits: [{ kind: 'zone', zone: host }],
    sentence: `none of the servers ${namesOf(names)} answers when asked directly (${namesOf(answersOf(mine))}); all of them are on ${host}`,
    evidence: evidenceOf(mine).slice(0, 20),
    advice: `look at ${host} and its network, or take ${namesOf(names)} out of their pools`,
    certain: true,
    pools: unique(mine.map(({ pool }) => pool)),
    servers: mine.map(({ pool, server }) => ({ pool, server })),
  };
}

const answersOf = (some: readonly Asked[]) =>
  unique(some.flatMap(({ bad }) => bad.map(({ answered }) => answered)));

const evidenceOf = (some: readonly Asked[]) =>
  some.flatMap(({ pool, server, bad }) =>
    bad.map((one) => `${pool}/${server} asked from ${one.balancer}: ${one.answered}`),
  );

function deadInPool(picture: Picture, all: readonly Asked[], dead: readonly Asked[], pool: string): Finding {
  const mine = dead.filter((one) => one.pool === pool);
  const ofPool = all.filter((one) => one.pool === pool);
  const names = mine.map(({ server }) => server);
  const answers = answersOf(mine);
  const from = unique(mine.flatMap(({ bad }) => bad.map(({ balancer }) => balancer)));
  const isWhole = mine.length === ofPool.length && mine.length > 1;
  const heard = answers.every((answer) => saidNo.test(answer));
  const subject = isWhole
    ? `none of the ${mine.length} servers of pool ${pool} answers`
    : `${verb(names.length, 'server', 'servers')} ${namesOf(names)} of pool ${pool} ${verb(names.length, 'does', 'do')} not answer`;
  const culprits: FaultScope[] = isWhole
    ? [{ kind: 'pool', pool }]
    : mine.map(({ server }) => ({ kind: 'server', pool, server }));
  const oneSide = !heard && picture.balancers.length === 1 && from.length === 1;
  const [only = ''] = from;
  return {
    culprits: oneSide ? [...culprits, { kind: 'network', balancer: only, pool }] : culprits,
    sentence: `${subject} when asked directly (${namesOf(answers)})`,
    evidence: [...evidenceOf(mine), ...restOf(ofPool, mine)].slice(0, 20),
    advice: `start ${namesOf(names)} again, or take ${verb(names.length, 'it', 'them')} out of pool ${pool}`,
    certain: !oneSide,
    pools: [pool],
    servers: mine.map(({ server }) => ({ pool, server })),
  };
}

function restOf(ofPool: readonly Asked[], bad: readonly Asked[]): string[] {
  const good = ofPool.filter((one) => !bad.includes(one));
  if (good.length === 0) return [];
  return [
    `${namesOf(good.map(({ server }) => server))} of the same pool ${verb(good.length, 'answers', 'answer')}`,
  ];
}

function isNameless(bad: readonly DirectProbe[]): boolean {
  return bad.some(({ answered }) => answered.includes('does not resolve'));
}

/** Names that nobody, or not every balancer, can resolve. */
export const lostNames: Rule = (picture) => {
  const nameless = asked(picture).filter(({ bad }) => isNameless(bad));
  return unique(nameless.map(({ host }) => host)).map((host) => {
    const mine = nameless.filter((one) => one.host === host);
    const without = unique(mine.flatMap(({ bad }) => bad.map(({ balancer }) => balancer)));
    const others = unique(mine.flatMap(({ good }) => good.map(({ balancer }) => balancer)));
    const culprits: FaultScope[] =
      others.length === 0
        ? [{ kind: 'name', host }]
        : without.map((balancer) => ({ kind: 'host', balancer, resource: 'name resolution' }));
    return {
      culprits,
      sentence: `the name ${host} does not resolve on ${namesOf(without)}${others.length > 0 ? `, and does on ${namesOf(others)}` : ''}`,
      evidence: mine.flatMap(({ pool, server, bad }) =>
        bad.map((one) => `${pool}/${server} asked from ${one.balancer}: ${one.answered}`),
      ),
      advice: `look at the name servers of ${namesOf(without)}, or write the address of ${host} into the site`,
      certain: true,
      pools: unique(mine.map(({ pool }) => pool)),
      servers: mine.map(({ pool, server }) => ({ pool, server })),
    };
  });
};

/** Servers that some balancers reach and others do not: the way from those, to one pool or to several. */
export const cutNetwork: Rule = (picture) => {
  const split = asked(picture).filter(
    ({ good, bad }) => good.length > 0 && bad.length > 0 && !isNameless(bad),
  );
  const cutOf = (pool: string) =>
    unique(
      split.filter((one) => one.pool === pool).flatMap(({ bad }) => bad.map(({ balancer }) => balancer)),
    );
  const groups = Map.groupBy(unique(split.map(({ pool }) => pool)), (pool) => cutOf(pool).toSorted().join());
  return [...groups.values()].map((pools) => {
    const mine = split.filter((one) => pools.includes(one.pool));
    const cut = unique(mine.flatMap(({ bad }) => bad.map(({ balancer }) => balancer)));
    const whole = unique(mine.flatMap(({ good }) => good.map(({ balancer }) => balancer))).filter(
      (b) => !cut.includes(b),
    );
    const servers =
      pools.length === 1 ? mine.map(({ server }) => server) : mine.map((one) => `${one.pool}/${one.server}`);
    return {
      culprits: cut.flatMap((balancer) =>
        pools.map((pool) => ({ kind: 'network' as const, balancer, pool })),
      ),
      sentence: `${namesOf(cut)} ${verb(cut.length, 'does', 'do')} not reach ${namesOf(servers)} of ${verb(pools.length, 'pool', 'pools')} ${namesOf(pools)}, and ${namesOf(whole) || 'others'} ${verb(whole.length, 'does', 'do')}`,
      evidence: mine
        .flatMap(({ pool, server, good, bad }) =>
          [...bad, ...good].map((one) => `${pool}/${server} asked from ${one.balancer}: ${one.answered}`),
        )
        .slice(0, 20),
      advice: `look at the network of ${namesOf(cut)}; meanwhile take ${verb(cut.length, 'it', 'them')} out of what clients are led to`,
      certain: whole.length > 0,
      pools,
    };
  });
};

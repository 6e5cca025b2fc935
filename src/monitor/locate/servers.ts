import type { FaultScope } from '#events';
import type { DirectProbe, Picture } from '../picture.ts';
import { type Finding, namesOf, percent, type Rule, unique, verb } from './finding.ts';

interface Asked {
  readonly pool: string;
  readonly server: string;
  readonly host: string;
  readonly good: readonly DirectProbe[];
  readonly bad: readonly DirectProbe[];
}

/** Every server with what it answered to each balancer. */
function asked({ site, direct }: Picture): Asked[] {
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
  return unique(dead.map(({ pool }) => pool)).map((pool) => deadInPool(picture, all, dead, pool));
};

function deadInPool(picture: Picture, all: readonly Asked[], dead: readonly Asked[], pool: string): Finding {
  const mine = dead.filter((one) => one.pool === pool);
  const ofPool = all.filter((one) => one.pool === pool);
  const names = mine.map(({ server }) => server);
  const answers = unique(mine.flatMap(({ bad }) => bad.map(({ answered }) => answered)));
  const from = unique(mine.flatMap(({ bad }) => bad.map(({ balancer }) => balancer)));
  const isWhole = mine.length === ofPool.length && mine.length > 1;
  const hosts = unique(mine.map(({ host }) => host));
  const [host] = hosts;
  const othersOnHost = all.filter((one) => one.host === host && one.good.length > 0);
  const zone = hosts.length === 1 && mine.length > 1 && othersOnHost.length === 0 && !isWhole;
  const heard = answers.every((answer) => saidNo.test(answer));
  const balancers = picture.balancers.length;
  const subject = isWhole
    ? `none of the ${mine.length} servers of pool ${pool} answers`
    : `${verb(names.length, 'server', 'servers')} ${namesOf(names)} of pool ${pool} ${verb(names.length, 'does', 'do')} not answer`;
  const culprits: FaultScope[] = isWhole
    ? [{ kind: 'pool', pool }]
    : zone && host !== undefined
      ? [{ kind: 'zone', zone: host }]
      : mine.map(({ server }) => ({ kind: 'server', pool, server }));
  const oneSide = !heard && balancers === 1 && from.length === 1;
  const [only = ''] = from;
  return {
    culprits: oneSide ? [...culprits, { kind: 'network', balancer: only, pool }] : culprits,
    sentence: `${subject} when asked directly (${namesOf(answers)})${zone ? `; all of them are on ${host}` : ''}`,
    evidence: [
      ...mine.flatMap(({ server, bad }) =>
        bad.map((one) => `${pool}/${server} asked from ${one.balancer}: ${one.answered}`),
      ),
      ...restOf(ofPool, mine),
    ].slice(0, 20),
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

/** Servers that some balancers reach and others do not: the way from those. */
export const cutNetwork: Rule = (picture) => {
  const split = asked(picture).filter(
    ({ good, bad }) => good.length > 0 && bad.length > 0 && !isNameless(bad),
  );
  return unique(split.map(({ pool }) => pool)).map((pool) => {
    const mine = split.filter((one) => one.pool === pool);
    const cut = unique(mine.flatMap(({ bad }) => bad.map(({ balancer }) => balancer)));
    const whole = unique(mine.flatMap(({ good }) => good.map(({ balancer }) => balancer))).filter(
      (b) => !cut.includes(b),
    );
    return {
      culprits: cut.map((balancer) => ({ kind: 'network' as const, balancer, pool })),
      sentence: `${namesOf(cut)} ${verb(cut.length, 'does', 'do')} not reach ${namesOf(mine.map(({ server }) => server))} of pool ${pool}, and ${namesOf(whole) || 'others'} ${verb(whole.length, 'does', 'do')}`,
      evidence: mine
        .flatMap(({ server, good, bad }) =>
          [...bad, ...good].map((one) => `${pool}/${server} asked from ${one.balancer}: ${one.answered}`),
        )
        .slice(0, 20),
      advice: `look at the network of ${namesOf(cut)}; meanwhile take ${verb(cut.length, 'it', 'them')} out of what clients are led to`,
      certain: whole.length > 0,
      pools: [pool],
    };
  });
};

const wrongRequestsMin = 3;
const wrongFactor = 5;

/** Servers whose answers are bad though they answer their check, while others of the pool answer well. */
export const wrongServers: Rule = (picture) => {
  const sums = picture.balancers.flatMap(({ servers }) => servers);
  return unique(sums.map(({ pool }) => pool)).flatMap((pool) => {
    const servers = unique(sums.filter((s) => s.pool === pool).map(({ server }) => server)).map((server) => {
      const mine = sums.filter((s) => s.pool === pool && s.server === server);
      const bad = mine.reduce((sum, s) => sum + s.errors + s.faults, 0);
      const requests = Math.max(
        bad,
        mine.reduce((sum, s) => sum + s.requests, 0),
      );
      return { server, bad, requests, share: requests === 0 ? 0 : bad / requests };
    });
    const wrong = servers.filter(
      (s) => s.bad >= wrongRequestsMin && s.share > 0.05 && s.share > wrongFactor * othersShare(servers, s),
    );
    if (wrong.length === 0 || wrong.length === servers.length) return [];
    const names = wrong.map(({ server }) => server);
    return [
      {
        culprits: wrong.map(({ server }) => ({ kind: 'server' as const, pool, server })),
        sentence: `${verb(names.length, 'server', 'servers')} ${namesOf(names)} of pool ${pool} ${verb(names.length, 'answers', 'answer')} wrongly (${namesOf(wrong.map((s) => `${s.bad} of ${s.requests} requests`))}), the others of the pool do not`,
        evidence: servers
          .map(
            (s) => `${pool}/${s.server}: ${s.bad} of ${s.requests} requests went wrong (${percent(s.share)})`,
          )
          .slice(0, 20),
        advice: `take ${namesOf(names)} out of pool ${pool}, and look at ${verb(names.length, 'its', 'their')} log`,
        certain: true,
        pools: [pool],
        servers: wrong.map(({ server }) => ({ pool, server })),
      },
    ];
  });
};

function othersShare(
  servers: readonly {
    readonly server: string;
    readonly bad: number;
    readonly requests: number;
    readonly share: number;
  }[],
  one: { readonly server: string; readonly share: number },
): number {
  // Servers that are as bad are not the measure: two of three may be wrong.
  const others = servers.filter((s) => s.server !== one.server && s.share < one.share / 2);
  const requests = others.reduce((sum, s) => sum + s.requests, 0);
  return requests === 0 ? 1 : others.reduce((sum, s) => sum + s.bad, 0) / requests;
}

const slowFactor = 4;
const slowMsMin = 150;

/** Servers that answer their check much later than the others of their pool. */
export const slowServers: Rule = (picture) => {
  const all = asked(picture).filter(({ good, bad }) => good.length > 0 && bad.length === 0);
  return unique(all.map(({ pool }) => pool)).flatMap<Finding>((pool) => {
    const mine = all
      .filter((one) => one.pool === pool)
      .map((one) => ({ server: one.server, ms: Math.min(...one.good.map(({ tookMs }) => tookMs)) }));
    const median = mine.map(({ ms }) => ms).toSorted((a, b) => a - b)[Math.floor((mine.length - 1) / 2)] ?? 0;
    const slow = mine.filter(({ ms }) => ms >= slowMsMin && ms > slowFactor * median);
    const allSlow =
      median >= slowMsMin && picture.series.some(({ series }) => series === 'latency' || series === 'hung');
    if (slow.length === 0 && !allSlow) return [];
    const names = slow.map(({ server }) => server);
    const evidence = mine
      .map(({ server, ms }) => `${pool}/${server} answers its check after ${Math.round(ms)} ms`)
      .slice(0, 20);
    if (slow.length === 0)
      return [
        {
          culprits: [{ kind: 'pool' as const, pool }],
          sentence: `every server of pool ${pool} is slow when asked directly (${Math.round(median)} ms in the middle): what they share is slow, not the balancers`,
          evidence,
          advice: `look at what the servers of pool ${pool} share: a database, a disk, a service`,
          certain: true,
          pools: [pool],
        },
      ];
    return [
      {
        culprits: slow.map(({ server }) => ({ kind: 'server' as const, pool, server })),
        sentence: `${verb(names.length, 'server', 'servers')} ${namesOf(names)} of pool ${pool} ${verb(names.length, 'is', 'are')} slow when asked directly (${namesOf(slow.map(({ ms }) => `${Math.round(ms)} ms`))}, the others ${Math.round(median)} ms)`,
        evidence,
        advice: `take ${namesOf(names)} out of pool ${pool}`,
        certain: true,
        pools: [pool],
        servers: slow.map(({ server }) => ({ pool, server })),
      },
    ];
  });
};

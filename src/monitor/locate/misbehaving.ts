import type { Picture, ServerSum } from '../picture.ts';
import { type Finding, namesOf, percent, type Rule, unique, verb } from './finding.ts';
import { asked } from './servers.ts';

interface Counted extends ServerSum {
  /** Its engine says how many requests each server had; else they are taken to be spread evenly. */
  readonly isCounted: boolean;
}

const countedShareMin = 0.5;

/** What became of each server's requests. NGINX names the server of a request only when something was wrong with it. */
function countedServers({ balancers }: Picture): Counted[] {
  return balancers.flatMap(({ servers, pools }) =>
    servers.map((one) => {
      const mine = servers.filter(({ pool }) => pool === one.pool);
      const named = mine.reduce((sum, { requests }) => sum + requests, 0);
      const all = pools.find(({ pool }) => pool === one.pool)?.requests ?? 0;
      if (named >= countedShareMin * all) return { ...one, isCounted: true };
      return { ...one, requests: Math.max(one.requests, Math.round(all / mine.length)), isCounted: false };
    }),
  );
}

const wrongRequestsMin = 3;
const wrongFactor = 5;

/** Servers whose answers are bad though they answer their check, while others of the pool answer well. */
export const wrongServers: Rule = (picture) => {
  const sums = countedServers(picture);
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

const timedRequestsMin = 5;

/** Servers that answer visitors much later than the others of their pool, though their check is answered at once. */
export const lateServers: Rule = (picture) => {
  if (!picture.series.some(({ series }) => series === 'latency')) return [];
  const sums = picture.balancers
    .flatMap(({ servers }) => servers)
    .filter(({ timeMs }) => timeMs !== undefined);
  return unique(sums.map(({ pool }) => pool)).flatMap((pool) => {
    const means = [
      ...Map.groupBy(
        sums.filter((one) => one.pool === pool),
        ({ server }) => server,
      ),
    ].flatMap(([server, some]) => {
      const requests = some.reduce((sum, one) => sum + one.requests, 0);
      const timeMs = some.reduce((sum, one) => sum + (one.timeMs ?? 0), 0);
      return requests < timedRequestsMin ? [] : [{ server, ms: timeMs / requests }];
    });
    const median =
      means.map(({ ms }) => ms).toSorted((a, b) => a - b)[Math.floor((means.length - 1) / 2)] ?? 0;
    const late = means.filter(({ ms }) => ms >= slowMsMin && ms > slowFactor * Math.max(1, median));
    if (late.length === 0) return [];
    const names = late.map(({ server }) => server);
    return [
      {
        culprits: names.map((server) => ({ kind: 'server' as const, pool, server })),
        sentence: `${verb(names.length, 'server', 'servers')} ${namesOf(names)} of pool ${pool} ${verb(names.length, 'is', 'are')} slow to visitors (${namesOf(late.map(({ ms }) => `${Math.round(ms)} ms`))}, the others ${Math.round(median)} ms), though ${verb(names.length, 'its', 'their')} check is not`,
        evidence: means
          .map(({ server, ms }) => `${pool}/${server}: ${Math.round(ms)} ms in the mean`)
          .slice(0, 20),
        advice: `take ${namesOf(names)} out of pool ${pool}, and look at what ${verb(names.length, 'it waits', 'they wait')} for`,
        certain: true,
        pools: [pool],
        servers: names.map((server) => ({ pool, server })),
      },
    ];
  });
};

const fairRequestsMin = 8;
const stuckShare = 0.1;

/** Servers that take requests and finish next to none, though they answer their check, while others of the pool do. */
export const stuckServers: Rule = (picture) => {
  if (!picture.series.some(({ series }) => series === 'hung' || series === 'latency')) return [];
  return picture.site.pools.flatMap(({ name: pool, servers, algorithm, stickyCookie }) => {
    // What is alike goes to one server there: that another has none says nothing.
    if (algorithm === 'source' || algorithm === 'hash' || stickyCookie !== null) return [];
    const sums = countedServers(picture).filter((one) => one.pool === pool && one.isCounted);
    const used = servers.filter(({ maintenance, spare }) => !maintenance && !spare);
    const weights = used.reduce((sum, { weight }) => sum + weight, 0);
    const all = sums.reduce((sum, { requests }) => sum + requests, 0);
    const finished = used.map(({ name: server, weight }) => {
      const mine = sums.filter((one) => one.server === server);
      const isUp = mine.length > 0 && mine.every(({ state }) => state === 'up');
      const requests = mine.reduce((sum, one) => sum + one.requests, 0);
      return { server, isUp, requests, fair: (all * weight) / Math.max(1, weights) };
    });
    const stuck = finished.filter(
      ({ isUp, requests, fair }) => isUp && fair >= fairRequestsMin && requests < stuckShare * fair,
    );
    if (stuck.length === 0) return [];
    const names = stuck.map(({ server }) => server);
    return [
      {
        culprits: names.map((server) => ({ kind: 'server' as const, pool, server })),
        sentence: `${verb(names.length, 'server', 'servers')} ${namesOf(names)} of pool ${pool} ${verb(names.length, 'takes', 'take')} requests and ${verb(names.length, 'finishes', 'finish')} none, though ${verb(names.length, 'its', 'their')} check is answered; the others do`,
        evidence: finished.map(({ server, requests }) => `${pool}/${server} finished ${requests} requests`),
        advice: `take ${namesOf(names)} out of pool ${pool}, and look at what ${verb(names.length, 'it waits', 'they wait')} for`,
        certain: true,
        pools: [pool],
        servers: names.map((server) => ({ pool, server })),
      },
    ];
  });
};

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

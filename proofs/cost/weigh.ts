/** The monitor as it runs, given the ticks of ten balancers: what weighing them costs. */
import { noCounts, type Tick } from '../../src/events/index.ts';
import { seriesCount } from '../../src/monitor/balancer-watch.ts';
import { Monitor } from '../../src/monitor/index.ts';
import { seededRandom } from '../../test/world/random.ts';
import { poolOf, routeTo, siteOf } from '../../test/world/sites.ts';

const [balancersCount, poolsCount, serversEach] = [10, 20, 50];
const tickMs = 100;
const realMs = 120_000;
/** Ticks that are made beforehand, and come again. */
const different = 50;
const place = { file: 'site.yaml', line: 1, column: 1 };

export function weigh(): { readonly series: number; readonly realMs: number; readonly cpuMs: number } {
  const names = Array.from({ length: balancersCount }, (_, at) => `lb-${at + 1}`);
  const pools = Array.from({ length: poolsCount }, (_, at) => `pool-${at + 1}`);
  const site = siteOf({
    pools: pools.map((name) =>
      poolOf(
        name,
        Array.from({ length: serversEach }, (_, at) => at + 1),
      ),
    ),
    routes: pools.map((name) => routeTo(name, { path: { type: 'PathPrefix', value: `/${name}` } })),
    balancers: names.map((name) => ({ name, engine: 'haproxy', address: '127.0.0.1', place })),
  });
  const monitor = new Monitor({ site, falseAlarmsPerMonth: 1, tickMs, lastFault: 0 });
  const made = names.map((balancer) =>
    Array.from({ length: different }, (_, at) => tickOf(balancer, pools, at)),
  );
  const before = process.cpuUsage();
  let acts = 0;
  for (let at = 0; at < realMs; at += tickMs) {
    const now = 1_000_000_000 + at;
    for (const ticks of made) {
      const tick = ticks[(at / tickMs) % different];
      if (tick) acts += monitor.tick({ ...tick, at: now }).length;
    }
    if (at % 250 === 0) acts += monitor.look(now).length;
  }
  const { user, system } = process.cpuUsage(before);
  if (acts > 0) throw new Error(`ticks of what is usual made ${acts} acts`);
  return { series: seriesCount(balancersCount, poolsCount), realMs, cpuMs: (user + system) / 1_000 };
}

function tickOf(balancer: string, pools: readonly string[], number: number): Tick {
  const random = seededRandom(number + 1);
  const counted = pools.map((pool) => {
    const requests = random.poisson(20);
    const nothing = { errors: 0, connectionErrors: 0, retries: 0, responseErrors: 0, queued: 0 };
    const servers = { serversLive: serversEach, serversAll: serversEach };
    return { pool, requests, ...nothing, ...servers, timedRequests: requests, timeMs: 10 * requests };
  });
  const server = (pool: string, at: number) => {
    const name = `s${at + 1}`;
    const nothing = { errors: 0, faults: 0 };
    return { pool, server: name, state: 'up' as const, lastCheck: 'L7OK 200', requests: 4, ...nothing };
  };
  return {
    number,
    at: 0,
    forMs: tickMs,
    balancer,
    generation: 1,
    answered: true,
    counts: { ...noCounts, requests: counted.reduce((sum, { requests }) => sum + requests, 0) },
    connections: 10,
    inHand: 1,
    pools: counted,
    ...(number % 10 === 0
      ? { servers: pools.flatMap((pool) => Array.from({ length: serversEach }, (_, at) => server(pool, at))) }
      : {}),
  };
}

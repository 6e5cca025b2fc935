/** A site in numbers: ticks as agents would send them, servers and ways that misbehave by name, and the monitor among them. */
import {
  type FaultEvent,
  type JournalEntry,
  noCounts,
  type PoolTick,
  type ServerTick,
  type Tick,
} from '#events';
import type { Site } from '#model';
import { type Act, Monitor, type Probed, type Stated } from '#monitor';
import { type Random, seededRandom } from '../world/random.ts';
import { poolOf, routeTo, siteOf } from '../world/sites.ts';

const place = { file: 'site.yaml', line: 1, column: 1 };
const tickMs = 100;

/** Two pools of three servers behind two balancers. */
export function twoByTwo(): Site {
  return siteOf({
    pools: [poolOf('web', [1, 2, 3]), poolOf('api', [11, 12, 13])],
    routes: [routeTo('api', { path: { type: 'PathPrefix', value: '/api' } }), routeTo('web')],
    balancers: ['lb-1', 'lb-2'].map((name) => ({ name, engine: 'haproxy', address: '127.0.0.1', place })),
  });
}

export type Manner = 'well' | 'refuses' | 'silent' | 'wrong' | 'slow' | 'hangs' | 'stuck' | 'late';

export interface World {
  readonly site: Site;
  readonly monitor: Monitor;
  /** Requests a second and balancer, to each pool alike. */
  rate: number;
  /** By `web/s1`, or `lb-1>web/s1` for the way from one balancer only. */
  readonly manners: Map<string, Manner>;
  /** Balancers whose engine answers everything with 503, and those that say nothing. */
  readonly broken: Set<string>;
  readonly mute: Set<string>;
  /** Engines name the server of a request only when something was wrong with it, as NGINX does. */
  namesBadOnly: boolean;
  now: number;
  /** With the time at which it was. */
  readonly told: (FaultEvent & { readonly toldAt: number })[];
  journal(event: JournalEntry['event']): void;
  run(forMs: number): void;
  /** All that probes of monitor.yaml say now. */
  state(all: readonly Stated[]): void;
}

export function simulated(options: { site?: Site; seed?: number; rate?: number } = {}): World {
  const random = seededRandom(options.seed ?? 1);
  const site = options.site ?? twoByTwo();
  const monitor = new Monitor({ site, falseAlarmsPerMonth: 1, tickMs, lastFault: 0 });
  const due: { readonly at: number; readonly fault: string }[] = [];
  const told: World['told'] = [];
  let sequence = 0;
  const take = (acts: readonly Act[]) => {
    for (const act of acts) {
      if (act.kind === 'tell') told.push({ ...act.event, toldAt: world.now });
      else due.push({ at: world.now + 50, fault: act.fault });
    }
  };
  const balancers = site.balancers.map(({ name }) => balancerOf(name, random));
  const world: World = {
    site,
    monitor,
    rate: options.rate ?? 100,
    manners: new Map(),
    broken: new Set(),
    mute: new Set(),
    namesBadOnly: false,
    now: 1_000_000_000,
    told,
    journal(event) {
      sequence += 1;
      monitor.journalled({ sequence, at: world.now, by: 'person:ada', event, hash: '' });
    },
    state: (all) => take(monitor.state(world.now, all)),
    run(forMs) {
      for (const end = world.now + forMs; world.now < end; ) {
        world.now += tickMs;
        for (const balancer of balancers) take(monitor.tick(balancer.tick(world)));
        for (const probe of due.splice(0)) {
          if (probe.at > world.now) due.push(probe);
          else take(monitor.probed(probe.fault, probed(world), world.now));
        }
        take(monitor.look(world.now));
      }
    },
  };
  return world;
}

function mannerOf({ manners }: World, balancer: string, server: string): Manner {
  return manners.get(`${balancer}>${server}`) ?? manners.get(server) ?? 'well';
}

function balancerOf(balancer: string, random: Random) {
  let [number, hanging] = [0, 0];
  const servers = serverCounts();
  return {
    tick(world: World): Tick {
      number += 1;
      const pools = world.site.pools.map((pool) => {
        const requests = random.poisson((world.rate * tickMs) / 1_000 / world.site.pools.length);
        return poolTick(world, pool, requests);
      });
      const sum = (of: (pool: PoolTick) => number) => pools.reduce((total, pool) => total + of(pool), 0);
      const isMute = world.mute.has(balancer);
      return {
        number,
        at: world.now,
        forMs: tickMs,
        balancer,
        generation: 1,
        answered: !isMute,
        counts: {
          ...noCounts,
          requests: sum((p) => p.requests),
          errors: sum((p) => p.errors),
          connectionErrors: sum((p) => p.connectionErrors),
          retries: sum((p) => p.retries),
        },
        connections: 10,
        inHand: hanging + 1,
        pools,
        ...(number % 10 === 0 ? { servers: servers.take(world, balancer) } : {}),
      };
    },
  };

  function poolTick(world: World, pool: Site['pools'][number], requests: number): PoolTick {
    const now = { requests: 0, errors: 0, connectionErrors: 0, retries: 0, timedRequests: 0, timeMs: 0 };
    const good = pool.servers.filter(
      (s) => !['refuses', 'silent'].includes(mannerOf(world, balancer, `${pool.name}/${s.name}`)),
    );
    for (let i = 0; i < requests; i += 1) {
      let server = pool.servers[random.integer(pool.servers.length)];
      if (server && !good.includes(server)) {
        now.connectionErrors += 1;
        now.retries += 1;
        server = good[random.integer(good.length)];
      }
      const manner = server ? mannerOf(world, balancer, `${pool.name}/${server.name}`) : 'refuses';
      if (manner === 'hangs' || manner === 'stuck') {
        hanging += 1;
        continue;
      }
      now.requests += 1;
      const isBad = manner === 'wrong' || server === undefined || world.broken.has(balancer);
      if (isBad) now.errors += 1;
      now.timedRequests += 1;
      const tookMs = manner === 'slow' || manner === 'late' ? 2_000 : 5 + random.integer(10);
      now.timeMs += tookMs;
      if (server && (isBad || !world.namesBadOnly))
        servers.add(`${pool.name}/${server.name}`, isBad && manner === 'wrong', tookMs);
    }
    return {
      pool: pool.name,
      ...now,
      responseErrors: 0,
      serversLive: good.length,
      serversAll: pool.servers.length,
      queued: 0,
    };
  }
}

function serverCounts() {
  const servers = new Map<string, { requests: number; errors: number; faults: number; timeMs: number }>();
  return {
    add(server: string, isBad: boolean, tookMs: number): void {
      const before = servers.get(server) ?? { requests: 0, errors: 0, faults: 0, timeMs: 0 };
      const errors = before.errors + (isBad ? 1 : 0);
      const timeMs = before.timeMs + tookMs;
      servers.set(server, { ...before, requests: before.requests + 1, errors, timeMs });
    },
    /** Since it was asked last. */
    take(world: World, balancer: string): ServerTick[] {
      const ticks = world.site.pools.flatMap((pool) =>
        pool.servers.map((server) => {
          const name = `${pool.name}/${server.name}`;
          const isDown = ['refuses', 'silent'].includes(mannerOf(world, balancer, name));
          const state = isDown ? ('down' as const) : ('up' as const);
          const lastCheck = isDown ? 'L4CON Connection refused' : 'L7OK 200';
          const sums = servers.get(name) ?? { requests: 0, errors: 0, faults: 0, timeMs: 0 };
          return { pool: pool.name, server: server.name, state, lastCheck, ...sums };
        }),
      );
      servers.clear();
      return ticks;
    },
  };
}

const answers: Readonly<Record<Manner, { ok: boolean; answered: string; tookMs: number }>> = {
  well: { ok: true, answered: 'status 200', tookMs: 3 },
  refuses: { ok: false, answered: 'connection refused', tookMs: 1 },
  silent: { ok: false, answered: 'no answer within 1000 ms', tookMs: 1_000 },
  wrong: { ok: true, answered: 'status 200', tookMs: 3 },
  slow: { ok: true, answered: 'status 200', tookMs: 900 },
  hangs: { ok: false, answered: 'no answer within 1000 ms', tookMs: 1_000 },
  late: { ok: true, answered: 'status 200', tookMs: 3 },
  /** It hangs at all but its check. */
  stuck: { ok: true, answered: 'status 200', tookMs: 3 },
};

/** What every server and balancer would answer at this moment. */
function probed(world: World): Probed {
  const { site } = world;
  const direct = site.balancers.flatMap(({ name: balancer }) =>
    site.pools.flatMap(({ name: pool, servers }) =>
      servers.map(({ name: server }) => ({
        balancer,
        pool,
        server,
        ...answers[mannerOf(world, balancer, `${pool}/${server}`)],
      })),
    ),
  );
  const through = site.balancers.flatMap(({ name: balancer }) =>
    site.pools.map(({ name: pool, servers }) => {
      const alive = servers.filter(({ name }) =>
        ['well', 'slow', 'late'].includes(mannerOf(world, balancer, `${pool}/${name}`)),
      );
      // One request meets one server: the second balancer's meets the one that is stuck.
      const isStuck = balancer === 'lb-2' && alive.length < servers.length && stuckIn(world, pool);
      const ok = alive.length > 0 && !world.broken.has(balancer) && !isStuck;
      const answered = ok ? 'status 200' : isStuck ? 'no answer within 1000 ms' : 'status 503';
      return {
        balancer,
        listener: 'http',
        pool,
        request: `GET http://test/${pool}`,
        ok,
        answered,
        tookMs: 5,
      };
    }),
  );
  return { direct, through };
}

function stuckIn({ manners }: World, pool: string): boolean {
  return [...manners].some(([server, manner]) => manner === 'stuck' && server.startsWith(`${pool}/`));
}

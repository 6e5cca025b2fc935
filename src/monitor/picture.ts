import type { FaultScope, FaultSeries, HostFigures, ServerTick, Tick } from '#events';
import type { ChangedServer, Site, SiteDifference } from '#model';
import type { Stated } from './stated.ts';

/** All that localisation looks at: what was counted since the fault began, and what probes said. Plain data. */
export interface Picture {
  readonly site: Site;
  readonly now: number;
  readonly startedAt: number;
  readonly series: readonly { readonly series: FaultSeries; readonly scope: FaultScope }[];
  readonly balancers: readonly BalancerPicture[];
  readonly direct: readonly DirectProbe[];
  readonly through: readonly ThroughProbe[];
  /** What questions of monitor.yaml that are answered badly say themselves. */
  readonly stated: readonly Stated[];
  /** In flight, or promoted lately; newest first. */
  readonly changes: readonly ChangePicture[];
}

export interface BalancerPicture {
  readonly balancer: string;
  /** How long its engine has said nothing; 0: it speaks. */
  readonly silentMs: number;
  /** How long its agent has. */
  readonly unheardMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly pools: readonly PoolSum[];
  readonly servers: readonly ServerSum[];
  readonly host: HostFigures | null;
}

export interface PoolSum {
  readonly pool: string;
  readonly requests: number;
  readonly errors: number;
  readonly connectionErrors: number;
  readonly retries: number;
  readonly responseErrors: number;
  readonly serversLive: number;
  readonly serversAll: number;
  readonly queuedMax: number;
  readonly timedRequests: number;
  readonly timeMs: number;
}

export type ServerSum = ServerTick & { readonly balancer: string };

/** A server asked from a balancer, round every balancer's engine. */
export interface DirectProbe {
  readonly balancer: string;
  readonly pool: string;
  readonly server: string;
  readonly ok: boolean;
  readonly answered: string;
  readonly tookMs: number;
}

/** A request by a balancer's public side, as a client sends it. */
export interface ThroughProbe {
  readonly balancer: string;
  readonly listener: string;
  /** Where the site's rules lead it; null: the balancer answers it itself. */
  readonly pool: string | null;
  readonly request: string;
  readonly ok: boolean;
  readonly answered: string;
  readonly tookMs: number;
}

export interface ChangePicture {
  readonly change: string;
  /** When it got its first traffic. */
  readonly at: number;
  readonly inFlight: boolean;
  readonly by: string;
  readonly added: readonly ChangedServer[];
  readonly difference: SiteDifference;
}

const ticksMax = 100;

/** What was counted lately, by balancer: the raw material of a picture. */
export interface Recent {
  add(tick: Tick): void;
  balancer(balancer: string, since: number, now: number): BalancerPicture;
  /** Requests and errors of all balancers since then. */
  users(since: number): { readonly requests: number; readonly errors: number };
  lastTick(balancer: string): Tick | null;
}

export function recentTicks(): Recent {
  const kept = new Map<string, Tick[]>();
  const hosts = new Map<string, HostFigures>();
  const answeredAt = new Map<string, number>();
  const ticksSince = (balancer: string, since: number) =>
    (kept.get(balancer) ?? []).filter(({ at }) => at >= since);
  return {
    add(tick) {
      const ticks = kept.get(tick.balancer) ?? [];
      ticks.push(tick);
      if (ticks.length > ticksMax) ticks.shift();
      kept.set(tick.balancer, ticks);
      if (tick.host) hosts.set(tick.balancer, tick.host);
      if (tick.answered || !answeredAt.has(tick.balancer)) answeredAt.set(tick.balancer, tick.at);
    },
    lastTick: (balancer) => kept.get(balancer)?.at(-1) ?? null,
    users: (since) => sumOf([...kept.keys()].flatMap((balancer) => ticksSince(balancer, since))),
    balancer(balancer, since, now) {
      const ticks = ticksSince(balancer, since);
      const last = kept.get(balancer)?.at(-1);
      return {
        balancer,
        unheardMs: last ? Math.max(0, now - last.at) : 0,
        silentMs: last && !last.answered ? last.at - (answeredAt.get(balancer) ?? last.at) : 0,
        ...sumOf(ticks),
        pools: poolSums(ticks),
        servers: serverSums(ticks),
        host: hosts.get(balancer) ?? null,
      };
    },
  };
}

function sumOf(ticks: readonly Tick[]): { requests: number; errors: number } {
  return {
    requests: ticks.reduce((sum, { counts }) => sum + counts.requests, 0),
    errors: ticks.reduce((sum, { counts }) => sum + counts.errors, 0),
  };
}

function poolSums(ticks: readonly Tick[]): PoolSum[] {
  const sums = new Map<string, PoolSum>();
  for (const { pools } of ticks)
    for (const one of pools) {
      const before = sums.get(one.pool);
      sums.set(one.pool, {
        pool: one.pool,
        requests: one.requests + (before?.requests ?? 0),
        errors: one.errors + (before?.errors ?? 0),
        connectionErrors: one.connectionErrors + (before?.connectionErrors ?? 0),
        retries: one.retries + (before?.retries ?? 0),
        responseErrors: one.responseErrors + (before?.responseErrors ?? 0),
        serversLive: one.serversLive,
        serversAll: one.serversAll,
        queuedMax: Math.max(one.queued, before?.queuedMax ?? 0),
        timedRequests: one.timedRequests + (before?.timedRequests ?? 0),
        timeMs: one.timeMs + (before?.timeMs ?? 0),
      });
    }
  return [...sums.values()];
}

function serverSums(ticks: readonly Tick[]): ServerSum[] {
  const sums = new Map<string, ServerSum>();
  for (const { balancer, servers = [] } of ticks)
    for (const one of servers) {
      const key = `${one.pool}/${one.server}`;
      const before = sums.get(key);
      sums.set(key, {
        ...one,
        balancer,
        requests: one.requests + (before?.requests ?? 0),
        errors: one.errors + (before?.errors ?? 0),
        faults: one.faults + (before?.faults ?? 0),
        ...(one.timeMs === undefined ? {} : { timeMs: one.timeMs + (before?.timeMs ?? 0) }),
      });
    }
  return [...sums.values()];
}

import type { LiveBalancer, LiveObjective, LiveView } from '#contract';
import { type ServerTick, scopeWords, type Tick } from '#events';
import { type Monitor, type ObjectiveState, type OpenStated, type ProbeResult, recentTicks } from '#monitor';

const windowMs = 2_000;

export interface Live {
  add(tick: Tick): void;
  /** Requests a second. */
  rate(balancer: string, now: number): number;
  view(
    site: string,
    monitor: Monitor | null,
    objectives: readonly ObjectiveState[],
    probes: readonly ProbeResult[],
    now: number,
  ): LiveView;
}

/** What the last two seconds were like: for people who watch. */
export function live(): Live {
  const recent = recentTicks();
  const newest = new Map<string, Tick>();
  const servers = new Map<string, readonly ServerTick[]>();

  function balancer(name: string, now: number): LiveBalancer {
    const last = newest.get(name);
    const picture = recent.balancer(name, now - windowMs, now);
    const perSecond = (count: number) => Math.round((count * 10_000) / windowMs) / 10;
    return {
      balancer: name,
      heardMsAgo: picture.unheardMs,
      answers: last?.answered ?? false,
      requestsPerSecond: perSecond(picture.requests),
      errorsPerSecond: perSecond(picture.errors),
      connections: last?.connections ?? 0,
      inHand: last?.inHand ?? null,
      engineCpuShare: picture.host?.engineCpuShare ?? null,
      pools: picture.pools.map((pool) => ({
        pool: pool.pool,
        requestsPerSecond: perSecond(pool.requests),
        errorsPerSecond: perSecond(pool.errors),
        retriesPerSecond: perSecond(pool.retries),
        queued: pool.queuedMax,
        meanMs: pool.timedRequests > 0 ? Math.round((pool.timeMs * 10) / pool.timedRequests) / 10 : null,
        serversLive: pool.serversLive,
        serversAll: pool.serversAll,
      })),
      serversDown: (servers.get(name) ?? [])
        .filter(({ state }) => state === 'down')
        .map(({ pool, server, lastCheck }) => ({ pool, server, lastCheck })),
    };
  }

  return {
    add(tick) {
      recent.add(tick);
      newest.set(tick.balancer, tick);
      if (tick.servers) servers.set(tick.balancer, tick.servers);
    },
    rate: (name, now) => (recent.balancer(name, now - windowMs, now).requests * 1_000) / windowMs,
    view: (site, monitor, objectives, probes, now) => ({
      site,
      at: now,
      balancers: [...newest.keys()].toSorted().map((name) => balancer(name, now)),
      faults: (monitor?.open ?? [])
        .filter(({ seenAt }) => seenAt !== null)
        .map(({ fault, severity, startedAt, located, series }) => ({
          fault,
          severity,
          startedAt,
          said: located?.verdict.sentence ?? series[0]?.words() ?? '',
          advice: located?.verdict.advice ?? '',
        }))
        .concat((monitor?.stated ?? []).map(statedView)),
      objectives: objectives.map(objectiveView),
      probes: probes.map(({ probe, target, ok, answered, tookMs, at }) => ({
        probe,
        target,
        ok,
        answered,
        tookMs,
        askedMsAgo: Math.max(0, now - at),
      })),
    }),
  };
}

function statedView({ fault, startedAt, stated }: OpenStated): LiveView['faults'][number] {
  const { severity, verdict } = stated;
  return { fault, severity, startedAt, said: verdict.sentence, advice: verdict.advice };
}

function objectiveView({ objective, burning, ...counted }: ObjectiveState): LiveObjective {
  const { name, of, share, withinMs, windowDays } = objective;
  return {
    objective: name,
    of: of.kind === 'probe' ? `probe ${of.probe}` : scopeWords(of),
    share,
    withinMs,
    windowDays,
    ...counted,
    burning: burning && {
      severity: burning.window.severity,
      longMs: burning.window.longMs,
      long: burning.long,
      shortMs: burning.window.shortMs,
      short: burning.short,
    },
  };
}

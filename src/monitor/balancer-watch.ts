import { type Budget, fullnessWatch, type HistoryTick } from '#detect';
import type { HostFigures, PoolTick, ServerTick, Tick } from '#events';
import {
  countedSeries,
  hungSeries,
  latencySeries,
  type SeriesName,
  type Turn,
  trafficSeries,
  turning,
  type Watched,
} from './series.ts';

export interface Turned {
  readonly watched: Watched;
  readonly turn: Exclude<Turn, null>;
}

export interface BalancerWatch {
  readonly series: readonly Watched[];
  tick(tick: Tick, budget: Budget, sinceChangeMs: number | null): readonly Turned[];
  /** The agent itself has said nothing for so long. */
  unheard(at: number, forMs: number): readonly Turned[];
  /** The same balancer of another site: what is alarmed stays as it is, so that it can end; all else learns anew. */
  again(plan: BalancerPlan): BalancerWatch;
}

export interface BalancerPlan {
  readonly balancer: string;
  readonly pools: readonly string[];
  /** Of these, each server gets its share whoever asks: one that finishes none while the others do is stuck. */
  readonly even?: readonly string[];
  /** Minutes of what was usual, by series and pool (empty: the whole balancer). */
  readonly known?: (series: string, pool: string) => readonly HistoryTick[];
}

/** How many detectors share the budget: what is counted, not what is simply so or not. */
export function seriesCount(balancers: number, pools: number): number {
  return balancers * (3 + pools * 6);
}

const silentMsMax = 2_000;
/** Nobody waits longer for one answer of an engine: what a tick took beyond it, the agent itself stood still. */
const askedMsMax = 600;
const unheardMsMax = 5_000;
/** Half a minute of a full queue is no fault that was missed; a moment of one is none at all. */
const queuedTicksMax = 20;
const downLists = 2;
const inMaintenance = 'in maintenance';
const fullSoonMs = 600_000;
const fullSoonLevel = 0.5;
/** What is simply so has all the evidence that there can be. */
const sure = 1_000;
const doubtful = sure / 2;

interface Parts {
  readonly errors: ReturnType<typeof countedSeries>;
  readonly hung: ReturnType<typeof hungSeries>;
  readonly traffic: ReturnType<typeof trafficSeries>;
  readonly silence: ReturnType<typeof turning>;
  readonly host: ReturnType<typeof hostWatch>;
  readonly watches: ReadonlyMap<string, ReturnType<typeof poolWatch>>;
}

function partsOf(
  { balancer, pools, even = [], known = () => [] }: BalancerPlan,
  before: Parts | null,
): Parts {
  const name = (series: SeriesName['series']): SeriesName => ({
    series,
    scope: { kind: 'balancer', balancer },
    balancer,
    pool: null,
  });
  const kept = <T extends { readonly state: Watched }>(one: T | undefined, anew: () => T): T =>
    one?.state.alarmed ? one : anew();
  const poolOf = (pool: string) => {
    const [one, isEven] = [before?.watches.get(pool), even.includes(pool)];
    const stays = one?.isEven === isEven && one.series.some(({ alarmed }) => alarmed);
    return one && stays ? one : poolWatch(balancer, pool, isEven, known);
  };
  return {
    errors: kept(before?.errors, () => countedSeries(name('errors'), 'errors', known('errors', ''))),
    hung: kept(before?.hung, () => hungSeries(name('hung'))),
    traffic: kept(before?.traffic, () => trafficSeries(name('traffic'))),
    silence: before?.silence ?? turning(name('silence')),
    host: kept(before?.host, () => hostWatch(name('saturation'))),
    watches: new Map(pools.map((pool) => [pool, poolOf(pool)])),
  };
}

/** Every detector of one balancer at work. */
export function balancerWatch(plan: BalancerPlan): BalancerWatch {
  return watchOf(partsOf(plan, null));
}

function watchOf(parts: Parts): BalancerWatch {
  const { errors, hung, traffic, silence, host, watches } = parts;
  let silentMs = 0;

  return {
    again: (plan) => watchOf(partsOf(plan, parts)),
    series: [
      ...[...watches.values()].flatMap((pool) => pool.series),
      ...[errors.state, hung.state, traffic.state, silence, host.state],
    ],
    tick(tick, budget, sinceChangeMs) {
      const { at, forMs, counts } = tick;
      const h = budget.threshold(sinceChangeMs);
      silentMs = tick.answered ? 0 : silentMs + Math.min(forMs, askedMsMax);
      const turns: Found[] = [[silence, quiet(silence, at, silentMs, silentMsMax)]];
      if (tick.answered) {
        const busy = new Map(tick.pools.map((pool) => [pool.pool, pool]));
        for (const [pool, watch] of watches) {
          // Of pools at which nothing happens nothing is sent; what goes on there is looked at once a second.
          const now = busy.get(pool) ?? (tick.servers ? quietPool(pool) : null);
          if (now) turns.push(...watch.tick(tick, now, { budget, sinceChangeMs }));
        }
        turns.push([errors.state, errors.tick(at, counts.requests, counts.errors, budget, sinceChangeMs)]);
        if (tick.inHand !== null)
          turns.push([hung.state, hung.tick(at, counts.requests, tick.inHand, forMs, h)]);
        turns.push([traffic.state, traffic.tick(at, counts.requests, 1_000 / Math.max(1, forMs), h)]);
      }
      if (tick.host) turns.push([host.state, host.add(at, tick.host)]);
      return turned(turns);
    },
    unheard: (at, forMs) => turned([[silence, quiet(silence, at, forMs, unheardMsMax)]]),
  };
}

type Found = readonly [Watched, Turn];

function turned(found: readonly Found[]): Turned[] {
  return found.flatMap(([watched, turn]) => (turn === null ? [] : [{ watched, turn }]));
}

function quiet(silence: ReturnType<typeof turning>, at: number, forMs: number, most: number): Turn {
  const score = forMs >= most ? sure : forMs >= most / 2 ? doubtful : 0;
  const words = `nothing was heard for ${(forMs / 1_000).toFixed(1)} s`;
  return silence.judge(at, sure, { score, bad: forMs > 0, words, recovered: forMs === 0 });
}

function quietPool(pool: string): PoolTick {
  const nothing = { requests: 0, errors: 0, connectionErrors: 0, retries: 0, responseErrors: 0 };
  return { pool, ...nothing, serversLive: 0, serversAll: 0, queued: 0, timedRequests: 0, timeMs: 0 };
}

interface Judging {
  readonly budget: Budget;
  readonly sinceChangeMs: number | null;
}

function poolWatch(
  balancer: string,
  pool: string,
  isEven: boolean,
  known: NonNullable<BalancerPlan['known']>,
) {
  const name = (series: SeriesName['series']): SeriesName => ({
    series,
    scope: { kind: 'pool', pool },
    balancer,
    pool,
  });
  const counted = [
    { of: (p: PoolTick) => p.errors, watch: countedSeries(name('errors'), 'errors', known('errors', pool)) },
    {
      of: (p: PoolTick) => p.retries,
      watch: countedSeries(name('retries'), 'retries', known('retries', pool)),
    },
    {
      of: (p: PoolTick) => p.connectionErrors,
      watch: countedSeries(name('connectionErrors'), 'failed connections', known('connectionErrors', pool)),
    },
    {
      of: (p: PoolTick) => p.responseErrors,
      watch: countedSeries(name('resets'), 'answers that broke off', known('resets', pool)),
    },
  ];
  const latency = latencySeries(name('latency'));
  const queue = turning(name('saturation'));
  const down = downWatch(name('probes'));
  const stuck = stuckWatch(name('hung'));
  let queuedTicks = 0;

  return {
    isEven,
    series: [...counted.map(({ watch }) => watch.state), latency.state, queue, down.state, stuck.state],
    tick({ at, servers }: Tick, now: PoolTick, { budget, sinceChangeMs }: Judging): Found[] {
      stuck.finished(now.requests);
      queuedTicks = now.queued > 0 ? queuedTicks + 1 : 0;
      const words = `${now.queued} requests wait for a server`;
      const score = queuedTicks >= queuedTicksMax ? sure : queuedTicks >= queuedTicksMax / 2 ? doubtful : 0;
      return [
        ...(servers ? [[down.state, down.add(at, servers, pool)] as const] : []),
        ...(servers && isEven
          ? [[stuck.state, stuck.add(at, servers, pool, budget.threshold(sinceChangeMs))] as const]
          : []),
        ...counted.map(
          ({ of, watch }) =>
            [watch.state, watch.tick(at, now.requests, of(now), budget, sinceChangeMs)] as const,
        ),
        [latency.state, latency.tick(at, now.timedRequests, now.timeMs, budget.threshold(sinceChangeMs))],
        [queue, queue.judge(at, sure, { score, bad: now.queued > 0, words })],
      ];
    },
  };
}

/** Servers that the engine's own checks find dead, whether or not a request was led to them. */
function downWatch(name: SeriesName) {
  const state = turning(name);
  const lists = new Map<string, number>();
  return {
    state,
    add(at: number, servers: readonly ServerTick[], pool: string): Turn {
      const mine = servers.filter((one) => one.pool === pool);
      for (const one of mine) lists.set(one.server, isDown(one) ? (lists.get(one.server) ?? 0) + 1 : 0);
      const longest = Math.max(0, ...mine.map(({ server }) => lists.get(server) ?? 0));
      const down = mine.filter(isDown);
      const words = `down by the engine's own checks: ${down
        .slice(0, 5)
        .map(({ server, lastCheck }) => `${server} (${lastCheck})`)
        .join(', ')}`;
      const score = longest >= downLists ? sure : longest > 0 ? doubtful : 0;
      return state.judge(at, sure, { score, bad: down.length > 0, words, recovered: down.length === 0 });
    },
  };
}

const learnRequests = 200;
const shareMemory = 0.9;

/**
 * Servers that pass their checks and finish nothing, while the others of their pool go on: each request that is finished
 * elsewhere would have been theirs by their usual share, and that none was has the chance that this has n times.
 */
function stuckWatch(name: SeriesName) {
  const state = turning(name);
  const kept = new Map<string, { share: number; score: number }>();
  let [seen, finished] = [0, 0];
  return {
    state,
    finished(requests: number): void {
      finished += requests;
    },
    add(at: number, servers: readonly ServerTick[], pool: string, threshold: number): Turn {
      const mine = servers.filter((one) => one.pool === pool);
      const all = mine.reduce((sum, { requests }) => sum + requests, 0);
      // Engines that name the server of few requests say nothing of the others.
      const isCounted = all >= finished / 2;
      finished = 0;
      if (!isCounted) return null;
      for (const { server, requests, state: is, lastCheck } of mine) {
        const known = kept.get(server) ?? { share: 0, score: 0 };
        const isIdle = is === 'up' && lastCheck !== inMaintenance && requests === 0;
        const score = isIdle && seen >= learnRequests ? known.score - all * Math.log(1 - known.share) : 0;
        // Never learned from what looks like a fault.
        const isUsual = all > 0 && score === 0;
        const share = isUsual ? mixed(known.share, requests / all, seen) : known.share;
        kept.set(server, { share: Math.min(share, 0.99), score });
      }
      seen += all;
      const scores = mine.map(({ server }) => ({ server, score: kept.get(server)?.score ?? 0 }));
      const worst = Math.max(0, ...scores.map(({ score }) => score));
      const stuck = scores.filter(({ score }) => score > threshold / 2).map(({ server }) => server);
      const words = `passes its checks and finishes nothing: ${stuck.slice(0, 5).join(', ')}`;
      return state.judge(at, threshold, { score: worst, bad: worst > 0, words, recovered: worst === 0 });
    },
  };
}

function mixed(before: number, now: number, seen: number): number {
  return seen === 0 ? now : shareMemory * before + (1 - shareMemory) * now;
}

function isDown({ state, lastCheck }: ServerTick): boolean {
  return state === 'down' && lastCheck !== inMaintenance;
}

const figures: readonly { readonly what: string; readonly of: (host: HostFigures) => number | null }[] = [
  { what: 'file descriptors', of: (h) => h.descriptorsShare },
  { what: 'connection tracking', of: (h) => h.connectionTrackingShare },
  { what: 'memory', of: (h) => h.memoryShare },
  { what: 'disk', of: (h) => h.diskShare },
];

/** What a machine can run out of, with the time until it has. */
function hostWatch(name: SeriesName) {
  const state = turning(name);
  const watches = figures.map((one) => ({ ...one, watch: fullnessWatch() }));
  return {
    state,
    add(at: number, host: HostFigures): Turn {
      const said: string[] = [];
      let score = 0;
      for (const { what, of, watch } of watches) {
        const level = of(host);
        if (level === null) continue;
        const { isFull, fullInMs } = watch.add(at, level);
        const isSoon = fullInMs !== null && fullInMs < fullSoonMs && level > fullSoonLevel;
        if (!isFull && !isSoon) continue;
        score = sure;
        const when = isFull || fullInMs === null ? '' : `, full in ${Math.round(fullInMs / 1_000)} s`;
        said.push(`${what} ${Math.round(level * 100)} % used${when}`);
      }
      if ((host.listenOverflows ?? 0) > 0) {
        score = sure;
        said.push(`${host.listenOverflows} connections dropped from a full listen queue`);
      }
      return state.judge(at, sure, { score, bad: score > 0, words: said.join(', ') });
    },
  };
}

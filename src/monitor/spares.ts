import { fullnessWatch } from '#detect';
import type { PoolTick, Tick } from '#events';
import { joinedSpares, type Pool, type Site, type SparePolicy, waitingSpares } from '#model';

/** A spare server that should serve beside the others now, or need not any more. */
export interface SpareTurn {
  readonly kind: 'joins' | 'leaves';
  readonly pool: string;
  readonly server: string;
  /** One line, with figures, for the journal and for people. */
  readonly because: string;
}

/** What one spare does shows only after a while: no other one comes before. */
const settleMs = 5_000;
/** A balancer that was not heard of for so long is as full or empty as nobody knows. */
const heardWithinMs = 5_000;
const averageMs = 1_000;
const soonLevel = 0.5;
const levelEveryMs = 1_000;
const dampMax = 8;
const retryMs = 30_000;
const retryMsMax = 3_600_000;

/**
 * When pools are full, and when they are not any more: ticks in, turns out. No clock, no I/O. A turn is asked for again and
 * again until the site is another one. That a pool is full is told as before, whoever comes in: a spare hides no fault.
 */
export class Spares {
  #site: Site;
  #pools = new Map<string, PoolState>();

  constructor(site: Site) {
    this.#site = site;
  }

  siteIs(site: Site): void {
    this.#site = site;
    const names = new Set(site.pools.map(({ name }) => name));
    for (const name of this.#pools.keys()) if (!names.has(name)) this.#pools.delete(name);
  }

  tick(tick: Tick): void {
    const policy = this.#site.guard.spares;
    if (!policy || !tick.answered) return;
    for (const pool of this.#site.pools) {
      if (waitingSpares(pool).length + joinedSpares(pool).length === 0) continue;
      const found = tick.pools.find((one) => one.pool === pool.name);
      this.#of(pool.name).add(tick, found ?? null, pool, policy);
      for (const one of tick.servers ?? [])
        if (one.pool === pool.name) this.#of(pool.name).states.set(one.server, one.state);
    }
  }

  /** @param faulty pools of which a fault is open: nobody leaves them */
  look(now: number, faulty: ReadonlySet<string>): readonly SpareTurn[] {
    const policy = this.#site.guard.spares;
    if (!policy) return [];
    return this.#site.pools.flatMap((pool) => {
      const turn = this.#pools.get(pool.name)?.turn(now, pool, policy, faulty.has(pool.name));
      return turn ? [turn] : [];
    });
  }

  /** The turn that was asked for is under way. */
  begun({ pool, kind }: SpareTurn, now: number): void {
    this.#of(pool).begun(kind, now, this.#site.guard.spares?.leavesAfterMs ?? 0);
  }

  /** It could not be done: it is asked for again later, each time after twice as long. */
  failed({ pool }: SpareTurn, now: number): void {
    this.#of(pool).failed(now);
  }

  #of(pool: string): PoolState {
    const found = this.#pools.get(pool) ?? new PoolState();
    this.#pools.set(pool, found);
    return found;
  }
}

interface Load {
  at: number;
  queued: number;
  /** Requests under way, smoothed over about a second; null: nobody tells. */
  inHand: number | null;
  live: number;
  all: number;
  fullMs: number;
  quietSince: number | null;
  leveledAt: number;
  fullInMs: number | null;
  readonly fullness: ReturnType<typeof fullnessWatch>;
}

class PoolState {
  readonly #loads = new Map<string, Load>();
  readonly states = new Map<string, string>();
  #turnedAt = Number.NEGATIVE_INFINITY;
  #leftAt = Number.NEGATIVE_INFINITY;
  #damp = 1;
  #retryAt = Number.NEGATIVE_INFINITY;
  #failures = 0;

  add({ balancer, at, forMs }: Tick, tick: PoolTick | null, pool: Pool, policy: SparePolicy): void {
    const load = this.#loads.get(balancer) ?? newLoad(at);
    this.#loads.set(balancer, load);
    load.at = at;
    load.queued = tick?.queued ?? 0;
    if (tick) [load.live, load.all] = [tick.serversLive, tick.serversAll];
    // Where nobody counts what is under way: the time of what ended, over the time in which it did.
    const now = tick ? (tick.inHand ?? (tick.timedRequests > 0 ? tick.timeMs / forMs : null)) : 0;
    const part = Math.min(1, forMs / averageMs);
    if (now !== null) load.inHand = (load.inHand ?? 0) * (1 - part) + now * part;
    const level = used(load, roomOf(pool, false));
    if (level !== null && at - load.leveledAt >= levelEveryMs) {
      load.leveledAt = at;
      load.fullInMs = load.fullness.add(at, Math.min(1, level)).fullInMs;
    }
    const isFull = whyFull(load, level, policy) !== null;
    load.fullMs = isFull
      ? Math.min(policy.fullForMs + 1, load.fullMs + forMs)
      : Math.max(0, load.fullMs - forMs);
    const without = used(load, roomOf(pool, true));
    const isQuiet = load.queued === 0 && !isFull && (without === null || without < policy.leavesBelow);
    load.quietSince = isQuiet ? (load.quietSince ?? at) : null;
  }

  turn(now: number, pool: Pool, policy: SparePolicy, isFaulty: boolean): SpareTurn | null {
    if (now < this.#retryAt || now - this.#turnedAt < settleMs) return null;
    const heard = [...this.#loads].filter(([, { at }]) => now - at < heardWithinMs);
    const joined = joinedSpares(pool);
    const full = heard.find(([, { fullMs }]) => fullMs >= policy.fullForMs);
    if (full) {
      const server = waitingSpares(pool).find(({ name }) => this.states.get(name) !== 'down');
      if (!server || joined.length >= policy.most) return null;
      const because = fullWords(pool, full[0], full[1], policy);
      return { kind: 'joins', pool: pool.name, server: server.name, because };
    }
    const last = joined.at(-1);
    if (!last || isFaulty || heard.length < this.#loads.size || heard.length === 0) return null;
    const leavesAfterMs = policy.leavesAfterMs * this.#damp;
    const isQuiet = heard.every(
      ([, { quietSince }]) => quietSince !== null && now - quietSince >= leavesAfterMs,
    );
    if (!isQuiet) return null;
    const seconds = Math.round(leavesAfterMs / 1_000);
    const because = `pool ${pool.name}: for ${seconds} s nothing waited, and without it at most ${percent(policy.leavesBelow)} would be used`;
    return { kind: 'leaves', pool: pool.name, server: last.name, because };
  }

  begun(kind: SpareTurn['kind'], now: number, leavesAfterMs: number): void {
    this.#turnedAt = now;
    this.#failures = 0;
    for (const load of this.#loads.values()) load.fullMs = 0;
    if (kind === 'leaves') this.#leftAt = now;
    else
      this.#damp =
        now - this.#leftAt < 2 * leavesAfterMs * this.#damp ? Math.min(dampMax, this.#damp * 2) : 1;
  }

  failed(now: number): void {
    this.#retryAt = now + Math.min(retryMsMax, retryMs * 2 ** this.#failures);
    this.#failures += 1;
  }
}

function newLoad(at: number): Load {
  return {
    at,
    queued: 0,
    inHand: null,
    live: 0,
    all: 0,
    fullMs: 0,
    quietSince: null,
    leveledAt: 0,
    fullInMs: null,
    fullness: fullnessWatch(),
  };
}

/** Requests at once of all servers that take part; null: some have no limit. */
function roomOf(pool: Pool, withoutLastJoined: boolean): number | null {
  const last = joinedSpares(pool).at(-1);
  const taking = pool.servers.filter(
    (one) => !one.spare && !one.maintenance && !(withoutLastJoined && one === last),
  );
  let room = 0;
  for (const { connectionsMax } of taking) {
    if (connectionsMax === null) return null;
    room += connectionsMax;
  }
  return room;
}

function used({ inHand, live, all }: Load, room: number | null): number | null {
  if (room === null || room === 0 || inHand === null) return null;
  return inHand / (room * (all > 0 && live > 0 ? live / all : 1));
}

function whyFull({ queued, fullInMs }: Load, level: number | null, policy: SparePolicy): string | null {
  if (queued >= policy.queuedMin) return `${queued} ${queued === 1 ? 'request waits' : 'requests wait'}`;
  if (level !== null && level >= policy.usedMin) return `${percent(level)} of its connections are used`;
  if (level !== null && level > soonLevel && fullInMs !== null && fullInMs <= policy.fullWithinMs)
    return `${percent(level)} of its connections are used, full in ${Math.round(fullInMs / 1_000)} s`;
  return null;
}

function fullWords(pool: Pool, balancer: string, load: Load, policy: SparePolicy): string {
  const why = whyFull(load, used(load, roomOf(pool, false)), policy) ?? 'it was full until just now';
  const live = load.all > 0 ? `, ${load.live} of ${load.all} servers live` : '';
  return `pool ${pool.name} is full on ${balancer}: ${why}${live}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

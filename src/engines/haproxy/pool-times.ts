/** HAProxy tells the mean of so many requests of a pool, the newest: `TIME_STATS_SAMPLES` of its source. */
const window = 512;

interface Known {
  readonly requests: number;
  readonly meanMs: number;
  readonly sumMs: number;
}

/**
 * The time of all finished requests of each pool, from means in whole milliseconds. A mean of at most 512 requests is that of
 * all of them; beyond, each new request moves it by a 512th of the difference. Wrong by half a second at most, for good.
 */
export class PoolTimes {
  readonly #pools = new Map<string, Known>();

  /** Cumulative milliseconds. @param requests finished ones of the pool, cumulative */
  sum(pool: string, requests: number, meanMs: number): number {
    const before = this.#pools.get(pool) ?? { requests: 0, meanMs: 0, sumMs: 0 };
    const more = requests - before.requests;
    if (more === 0) return before.sumMs;
    const sumMs =
      requests <= window ? meanMs * requests : before.sumMs + meanOfNew(more, before.meanMs, meanMs) * more;
    this.#pools.set(pool, { requests, meanMs, sumMs });
    return sumMs;
  }
}

function meanOfNew(more: number, beforeMs: number, nowMs: number): number {
  return more >= window ? nowMs : beforeMs + ((nowMs - beforeMs) * window) / more;
}

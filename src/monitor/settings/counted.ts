import type { Site } from '#model';

export interface CountedPools {
  readonly pools: readonly string[];
  /** A pool that other ways lead to as well, so that nobody can count these requests alone; null: none. */
  readonly shared: string | null;
}

/** Engines count by pool: what comes by one listener or route is known where its pools get nothing else. Null: neither is asked for. */
export function poolsCounted(
  site: Site,
  { listener, route }: { readonly listener?: string | undefined; readonly route?: string | undefined },
): CountedPools | null {
  if (listener === undefined && route === undefined) return null;
  const ways = site.routes.map(({ name, listeners, action }) => ({
    isMine: route === undefined ? only(site, listeners, listener ?? '') : name === route,
    isTouched:
      route === undefined ? listeners.length === 0 || listeners.includes(listener ?? '') : name === route,
    pools: action.kind === 'pools' ? action.pools.map(({ pool }) => pool) : [],
  }));
  const pools = [...new Set(ways.flatMap(({ isTouched, pools: led }) => (isTouched ? led : [])))];
  const foreign = ways.flatMap(({ isMine, pools: led }) => (isMine ? [] : led));
  return { pools, shared: pools.find((pool) => foreign.includes(pool)) ?? null };
}

function only(site: Site, listeners: readonly string[], listener: string): boolean {
  const all = site.listeners.filter(({ protocol }) => protocol === 'HTTP').map(({ name }) => name);
  const mine = listeners.length === 0 ? all : listeners;
  return mine.length === 1 && mine[0] === listener;
}

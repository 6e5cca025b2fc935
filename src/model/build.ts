import { resolve } from 'node:path';
import { buildAccess } from './build-access.ts';
import { buildAction, buildFilters } from './build-action.ts';
import { addressOf, buildPool } from './build-pools.ts';
import type { BalancerPart, ListenerPart, MatchPart, RoutePart, SiteDocument } from './schema.ts';
import type { Balancer, GuardPolicy, Listener, Route, RouteMatch, Site } from './site.ts';
import { parseDurationMs } from './words.ts';
import type { Path, SourceText } from './yaml.ts';

/** Where a part was written. */
export type PlaceOf = SourceText['placeOf'];

/** A document of the right shape as a site; `folder` is where relative file names start. */
export function buildSite(document: SiteDocument, folder: string, placeOf: PlaceOf): Site {
  return {
    name: document.site,
    listeners: document.listeners.map((part, i) => buildListener(part, i, folder, placeOf)),
    routes: document.routes.map((part, i) => buildRoute(part, i, placeOf)),
    pools: document.pools.map((part, i) => buildPool(part, i, folder, placeOf)),
    balancers: document.balancers.map((part, i) => buildBalancer(part, i, placeOf)),
    guard: buildGuard(document.guard),
    own: null,
  };
}

export function buildListener(part: ListenerPart, index: number, folder: string, placeOf: PlaceOf): Listener {
  const path: Path = ['listeners', index];
  const certificates = part.tls?.certificates.map((pair, i) => ({
    certificate: resolve(folder, pair.certificate),
    key: resolve(folder, pair.key),
    place: placeOf([...path, 'tls', 'certificates', i]),
  }));
  return {
    name: part.name,
    ...addressOf(part.address),
    access: buildAccess(part.access, `listener-${part.name}`, placeOf([...path, 'access'])),
    forwarded: { ...part.forwarded, place: placeOf([...path, 'forwarded']) },
    hsts: part.hsts
      ? {
          maxAgeDays: Number.parseInt(part.hsts.maxAge, 10),
          includeSubDomains: part.hsts.includeSubDomains,
          preload: part.hsts.preload,
          place: placeOf([...path, 'hsts']),
        }
      : null,
    tls: certificates ? { certificates } : null,
    place: placeOf(path),
  };
}

export function buildRoute(part: RoutePart, index: number, placeOf: PlaceOf): Route {
  return {
    name: part.name ?? `route-${index + 1}`,
    listeners: part.listeners,
    hostnames: part.hostnames.map((hostname) => hostname.toLowerCase()),
    matches: part.matches.map(buildMatch),
    action: buildAction(part, index, placeOf),
    filters: buildFilters(part, index, placeOf),
    place: placeOf(['routes', index]),
  };
}

function buildMatch(part: MatchPart): RouteMatch {
  return {
    path: part.path ?? null,
    method: part.method ?? null,
    headers: part.headers,
    queryParams: part.queryParams,
  };
}

export function buildBalancer(part: BalancerPart, index: number, placeOf: PlaceOf): Balancer {
  return { ...part, address: part.address.toLowerCase(), place: placeOf(['balancers', index]) };
}

export function buildGuard({ canary, bake, drainTimeout, net, limits }: SiteDocument['guard']): GuardPolicy {
  return {
    canary: {
      steps: canary.steps,
      firstSliceRequests: canary.firstSliceRequests,
      stepMs: parseDurationMs(canary.step),
    },
    bakeMs: parseDurationMs(bake),
    drainTimeoutMs: parseDurationMs(drainTimeout),
    net,
    limits,
  };
}

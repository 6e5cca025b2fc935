import { resolve } from 'node:path';
import { assert } from '#base';
import { buildAction, buildFilters } from './build-action.ts';
import type {
  BalancerPart,
  ListenerPart,
  MatchPart,
  PoolPart,
  RoutePart,
  ServerPart,
  SiteDocument,
} from './schema.ts';
import type { Balancer, GuardPolicy, Listener, Pool, Route, RouteMatch, Server, Site } from './site.ts';
import { nameOfAddress, parseAddress, parseDurationMs } from './words.ts';
import type { Path, SourceText } from './yaml.ts';

/** Where a part was written. */
export type PlaceOf = SourceText['placeOf'];

/** A document of the right shape as a site; `folder` is where relative file names start. */
export function buildSite(document: SiteDocument, folder: string, placeOf: PlaceOf): Site {
  return {
    name: document.site,
    listeners: document.listeners.map((part, i) => buildListener(part, i, folder, placeOf)),
    routes: document.routes.map((part, i) => buildRoute(part, i, placeOf)),
    pools: document.pools.map((part, i) => buildPool(part, i, placeOf)),
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

export function buildPool(part: PoolPart, index: number, placeOf: PlaceOf): Pool {
  const { healthCheck: check, timeouts } = part;
  return {
    name: part.name,
    algorithm: part.algorithm,
    servers: part.servers.map((server, i) => buildServer(server, ['pools', index, 'servers', i], placeOf)),
    healthCheck: {
      http: check.path === undefined ? null : { path: check.path, expectStatus: check.expectStatus },
      intervalMs: parseDurationMs(check.interval),
      timeoutMs: parseDurationMs(check.timeout),
      rise: check.rise,
      fall: check.fall,
    },
    timeouts: {
      connectMs: parseDurationMs(timeouts.connect),
      serverMs: parseDurationMs(timeouts.server),
      queueMs: parseDurationMs(timeouts.queue),
    },
    place: placeOf(['pools', index]),
  };
}

function buildServer(part: ServerPart, path: Path, placeOf: PlaceOf): Server {
  const given: Exclude<ServerPart, string> = typeof part === 'string' ? { address: part, weight: 1 } : part;
  const { host, port } = addressOf(given.address);
  return {
    name: given.name ?? nameOfAddress(host, port),
    host,
    port,
    weight: given.weight,
    connectionsMax: given.connectionsMax ?? null,
    place: placeOf(path),
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

function addressOf(word: string): { readonly host: string; readonly port: number } {
  const address = parseAddress(word);
  assert(address, 'the shape lets only addresses through');
  return address;
}

import { resolve } from 'node:path';
import type { Place } from '#base';
import { buildAccess } from './build-access.ts';
import { buildAction, buildFilters } from './build-action.ts';
import { addressOf, buildPool } from './build-pools.ts';
import { builtOnce } from './built.ts';
import type { ContentOf } from './included.ts';
import type { BalancerPart, ListenerPart, MatchPart, RoutePart, SiteDocument } from './schema.ts';
import type {
  AccessLog,
  Balancer,
  ClientCertificates,
  GuardPolicy,
  Listener,
  Route,
  RouteMatch,
  Site,
  SparePolicy,
} from './site.ts';
import { parseDurationMs, parseLogTarget } from './words.ts';
import type { Path, SourceText } from './yaml.ts';

/** Where a part was written. */
export type PlaceOf = SourceText['placeOf'];

/** A document of the right shape as a site; `folder` is where relative file names start, `content` what files of bodies hold. */
export function buildSite(
  document: SiteDocument,
  folder: string,
  placeOf: PlaceOf,
  content: ContentOf,
): Site {
  return {
    name: document.site,
    listeners: document.listeners.flatMap((part, i) => buildListeners(part, i, folder, placeOf)),
    routes: document.routes.map((part, i) => buildRoute(part, i, placeOf, content)),
    pools: document.pools.map((part, i) => buildPool(part, i, folder, placeOf)),
    balancers: document.balancers.map((part, i) => buildBalancer(part, i, placeOf)),
    timeouts: {
      clientMs: parseDurationMs(document.timeouts.client),
      requestMs: parseDurationMs(document.timeouts.request),
      keepAliveMs: parseDurationMs(document.timeouts.keepAlive),
      ...(document.timeouts.body === undefined
        ? {}
        : { body: { ms: parseDurationMs(document.timeouts.body), place: placeOf(['timeouts', 'body']) } }),
    },
    accessLog: buildAccessLog(document.accessLog, placeOf(['accessLog'])),
    guard: buildGuard(document.guard),
    errorPages: document.errorPages.flatMap(({ statusCodes, contentType, body, file }, index) =>
      statusCodes.map((status) => ({
        status,
        contentType,
        text: body ?? (file === undefined ? '' : content(file)),
        place: placeOf(['errorPages', index]),
      })),
    ),
    ...(document.expect === undefined && document.policies === undefined
      ? {}
      : { stated: { expect: document.expect ?? [], policies: document.policies ?? [] } }),
    own: null,
  };
}

function buildAccessLog(word: string | undefined, place: Place): AccessLog | null {
  const target = word === undefined ? null : parseLogTarget(word);
  return target && { ...target, place };
}

/** One for each address. The first has the listener's name, the others a number behind it: `https:2`. */
export function buildListeners(
  part: ListenerPart,
  index: number,
  folder: string,
  placeOf: PlaceOf,
): Listener[] {
  const addresses = Array.isArray(part.address) ? part.address : [part.address];
  return addresses.map((address, nth) => {
    const name = nth === 0 ? part.name : `${part.name}:${nth + 1}`;
    return buildListener({ ...part, name, address }, index, folder, placeOf);
  });
}

function buildListener(
  part: ListenerPart & { readonly address: string },
  index: number,
  folder: string,
  placeOf: PlaceOf,
): Listener {
  const path: Path = ['listeners', index];
  const certificates = part.tls?.certificates.map((pair, i) => ({
    certificate: resolve(folder, pair.certificate),
    key: resolve(folder, pair.key),
    place: placeOf([...path, 'tls', 'certificates', i]),
  }));
  return {
    name: part.name,
    protocol: part.protocol,
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
    tls:
      part.tls && certificates
        ? {
            certificates,
            minVersion: part.tls.minVersion,
            http2: part.tls.http2,
            clients: buildClients(part.tls, [...path, 'tls', 'clientCertificates'], folder, placeOf),
          }
        : null,
    connectionsMax: part.connectionsMax ?? null,
    connectionsPerClientMax: part.connectionsPerClientMax ?? null,
    inspectTimeoutMs: parseDurationMs(part.inspectTimeout ?? '5s'),
    proxyFrom: part.proxyProtocol?.from ?? [],
    place: placeOf(path),
  };
}

function buildClients(
  { clientCertificates: clients }: NonNullable<ListenerPart['tls']>,
  path: Path,
  folder: string,
  placeOf: PlaceOf,
): ClientCertificates | null {
  if (clients === undefined) return null;
  const { verify, ca, crl } = clients;
  return {
    required: verify === 'required',
    authorities: resolve(folder, ca),
    ...(crl === undefined ? {} : { revocations: resolve(folder, crl) }),
    place: placeOf(path),
  };
}

const routes = builtOnce<RoutePart, Route>();

export function buildRoute(part: RoutePart, index: number, placeOf: PlaceOf, content: ContentOf): Route {
  const build = () => routeOf(part, index, placeOf, content);
  // An answer may hold what a file does.
  return part.answer === undefined ? routes(part, index, placeOf, build) : build();
}

function routeOf(part: RoutePart, index: number, placeOf: PlaceOf, content: ContentOf): Route {
  return {
    name: part.name ?? `route-${index + 1}`,
    listeners: part.listeners,
    hostnames: part.hostnames.map((hostname) => hostname.toLowerCase()),
    matches: part.matches.map(buildMatch),
    action: buildAction(part, index, placeOf, content),
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

export function buildGuard({
  canary,
  bake,
  drainTimeout,
  net,
  changes,
  review,
  rehearsal,
  spares,
  knownFaults,
  limits,
}: SiteDocument['guard']): GuardPolicy {
  return {
    canary: {
      steps: canary.steps,
      firstSliceRequests: canary.firstSliceRequests,
      stepMs: parseDurationMs(canary.step),
    },
    bakeMs: parseDurationMs(bake),
    drainTimeoutMs: parseDurationMs(drainTimeout),
    net,
    changes,
    review: {
      expiresAfterMs: parseDurationMs(review.expiresAfter),
      waitMsMax: parseDurationMs(review.waitsAtMost),
    },
    rehearsal: {
      ...rehearsal,
      realRequests: rehearsal.realRequests
        ? {
            ...rehearsal.realRequests,
            accessLog: rehearsal.realRequests.accessLog ?? null,
            host: rehearsal.realRequests.host ?? null,
          }
        : null,
    },
    ...(spares ? { spares: sparePolicy(spares) } : {}),
    acceptedFaults: knownFaults.accept,
    limits,
  };
}

function sparePolicy(given: NonNullable<SiteDocument['guard']['spares']>): SparePolicy {
  return {
    queuedMin: given.whenQueued,
    usedMin: given.whenUsed,
    fullWithinMs: parseDurationMs(given.whenFullWithin),
    fullForMs: parseDurationMs(given.for),
    most: given.most,
    leavesBelow: given.leavesBelow,
    leavesAfterMs: parseDurationMs(given.leavesAfter),
  };
}

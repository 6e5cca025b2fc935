import { assert } from '#base';
import {
  hostPort,
  type Listener,
  type Pool,
  type PoolTls,
  routeOf,
  type Server,
  type Site,
  streamPools,
  tlsNameOf,
} from '#model';
import type { PoolShare, RoutedListener } from '#routing';
import type { Placement } from '../dialect.ts';
import { streamsText } from './streams.ts';
import {
  type BuiltinAccessLog,
  type BuiltinAction,
  type BuiltinAddress,
  type BuiltinLimits,
  type BuiltinListener,
  type BuiltinPool,
  type BuiltinPoolTls,
  type BuiltinText,
  builtinFormat,
  builtinLimits,
  workersMax,
} from './vocabulary.ts';

export function lower(site: Site, placement: Placement): string {
  const streams = streamPools(site);
  const text: BuiltinText = {
    format: builtinFormat,
    site: site.name,
    generation: placement.generation,
    control: placement.control,
    entrance: placement.entrance,
    neighbour: placement.neighbour,
    net: site.guard.net && placement.neighbour !== null,
    ticketKeys: placement.ticketKeys,
    workers: workersOf(site, placement),
    limits: limitsOf(site),
    accessLog: accessLogOf(site),
    ...(site.errorPages.length === 0
      ? {}
      : {
          errorPages: site.errorPages.map(({ status, contentType, text }) => ({ status, contentType, text })),
        }),
    listeners: routeOf(site).listeners.map((listener) =>
      listenerOf(listener, site.listeners.find(({ name }) => name === listener.name) ?? null, placement),
    ),
    ...streamsText(site, placement),
    pools: site.pools.map((pool) => poolOf(pool, streams.has(pool.name), placement)),
  };
  return `${JSON.stringify(text, null, 2)}\n`;
}

/**
 * Workers share inherited sockets; what listens by itself is a check or a rehearsal, and one process is enough. No server's
 * `connectionsMax` may be less than one for each worker; and a rate, or a listener's connections, are counted in one place, or it would be
 * another one.
 */
function workersOf(site: Site, placement: Placement): number {
  const shared = Object.values(placement.listeners).every(({ kind }) => kind === 'fd');
  const accesses = [...site.listeners, ...site.routes.map(({ filters }) => filters)].map(
    ({ access }) => access,
  );
  const counted = site.listeners.some((l) => l.connectionsMax !== null || l.connectionsPerClientMax !== null);
  const rated = counted || accesses.some((access) => (access?.rate ?? null) !== null);
  const least = site.pools.flatMap(({ servers }) => servers.flatMap((s) => s.connectionsMax ?? []));
  return shared && !rated ? Math.min(placement.threads, workersMax, ...least) : 1;
}

function limitsOf({ timeouts: { clientMs, requestMs, keepAliveMs, body } }: Site): BuiltinLimits {
  const whole = body === undefined ? {} : { bodyMs: body.ms };
  return { ...builtinLimits, headMs: requestMs, idleMs: keepAliveMs, clientMs, ...whole };
}

function accessLogOf({ accessLog }: Site): BuiltinAccessLog | null {
  if (accessLog === null) return null;
  const { place, ...target } = accessLog;
  return target;
}

function listenerOf(listener: RoutedListener, said: Listener | null, placement: Placement): BuiltinListener {
  const at = placement.listeners[listener.name];
  assert(at, `the placement names no socket for listener ${listener.name}`);
  return {
    name: listener.name,
    scheme: listener.scheme,
    host: listener.host,
    port: listener.port,
    at,
    certificates: placement.certificates[listener.name] ?? [],
    minVersion: said?.tls?.minVersion ?? '1.2',
    http2: said?.tls?.http2 ?? true,
    ...clientsOf(said, placement),
    proxyFrom: said?.proxyFrom ?? [],
    ...(listener.access === null ? {} : { access: listener.access }),
    forwarded: listener.forwarded,
    ...(listener.hsts === null ? {} : { hsts: listener.hsts }),
    ...(listener.clientCertificate ? { clientCertificate: listener.clientCertificate } : {}),
    rules: listener.rules.map(({ route, conditions, action, filters }) => ({
      route,
      conditions,
      action: action.kind === 'split' ? splitOf(action.shares) : actionOf(action),
      ...(filters === null ? {} : { filters }),
    })),
    otherwise: actionOf(listener.otherwise),
  };
}

function clientsOf(said: Listener | null, { files = {} }: Placement): Pick<BuiltinListener, 'clients'> {
  const clients = said?.tls?.clients;
  if (!clients) return {};
  const { required, authorities, revocations } = clients;
  return {
    clients: {
      required,
      authorities: files[authorities] ?? authorities,
      ...(revocations === undefined ? {} : { revocations: files[revocations] ?? revocations }),
    },
  };
}

function actionOf(action: RoutedListener['otherwise']): BuiltinListener['otherwise'] {
  return action.kind === 'pool' ? { kind: 'pool', pool: action.pool } : action;
}

function splitOf(shares: readonly PoolShare[]): BuiltinAction {
  return { kind: 'split', shares: shares.map(({ pool, weight }) => ({ pool, weight })) };
}

/** What stands in for the servers in a rehearsal speaks plain HTTP (of a stream: none), and has no other port. */
function poolOf({ place, tls, ...pool }: Pool, isStream: boolean, placement: Placement): BuiltinPool {
  const real = placement.servers === null;
  return {
    ...pool,
    tls: tls === null || !real ? null : tlsOf(tls, placement),
    proxyProtocol: real ? pool.proxyProtocol : null,
    healthCheck: real
      ? pool.healthCheck
      : { ...pool.healthCheck, port: null, ...(isStream ? { http: null } : {}) },
    servers: pool.servers.filter(inUse).map((server) => ({
      name: server.name,
      at: addressOf(pool, server, placement),
      weight: server.weight,
      connectionsMax: server.connectionsMax,
      tlsName: tls === null || !real ? null : tlsNameOf(tls, server.host),
      spare: server.spare,
      ...(placement.knownDown?.includes(`${pool.name}/${server.name}`) ? { knownDown: true } : {}),
    })),
  };
}

/** This engine has no commands that could bring a server back: whom nobody asks need not be known. */
function inUse({ maintenance }: Server): boolean {
  return !maintenance;
}

function tlsOf({ authorities, certificate, verify }: PoolTls, { files = {} }: Placement): BuiltinPoolTls {
  const placed = (path: string) => files[path] ?? path;
  return {
    authorities: authorities === null ? null : placed(authorities),
    certificate: certificate === null ? null : placed(certificate.certificate),
    verify,
  };
}

function addressOf(pool: Pick<Pool, 'name'>, server: Server, placement: Placement): BuiltinAddress {
  const instead = placement.servers?.[`${pool.name}/${server.name}`];
  return parseAddress(instead ?? hostPort(server.host, server.port));
}

/** `10.0.0.7:8080`, `[::1]:8080`, `unix@/run/x.sock` or `/run/x.sock`. */
function parseAddress(address: string): BuiltinAddress {
  const path = address.startsWith('unix@') ? address.slice(5) : address;
  if (path.startsWith('/')) return { kind: 'unix', path };
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  const port = Number(address.slice(colon + 1));
  assert(colon > 0 && Number.isInteger(port), `${address} is no address`);
  return { kind: 'tcp', host, port };
}

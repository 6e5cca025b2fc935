import type {
  HealthCheck,
  HttpCheck,
  Listener,
  ListenerTls,
  Pool,
  PoolTimeouts,
  Route,
  RouteFilters,
  RouteMatch,
  Server,
  Site,
} from '#model';

const forwarded = {
  policy: 'replace',
  trusted: [],
  also: [],
  place: { file: 'site.yaml', line: 1, column: 1 },
} as const;
const place = { file: 'site.yaml', line: 1, column: 1 };

/** A site of one listener `http` and one pool `web`, quick to notice what its servers do; `over` replaces parts. */
export function siteOf(over: Partial<Site> = {}): Site {
  return {
    name: 'test',
    listeners: [listenerOf('http', 80)],
    routes: [routeTo('web')],
    pools: [poolOf('web', [])],
    errorPages: [],
    balancers: [{ name: 'lb-1', engine: 'haproxy', address: '127.0.0.1', place }],
    guard: {
      canary: { steps: [0.5, 1], firstSliceRequests: 20, stepMs: 1_000 },
      bakeMs: 1_000,
      drainTimeoutMs: 60_000,
      net: true,
      rehearsal: { memoryFactorMax: 4, startFactorMax: 10, realRequests: null },
      acceptedFaults: [],
      changes: { timeZone: 'UTC', windows: [], freezes: [], duringIncidents: 'allowed' },
      review: { expiresAfterMs: 86_400_000, waitMsMax: 86_400_000 },
      limits: {
        removedServersShareMax: 0.5,
        movedTrafficShareMax: 1,
        spareBalancersMin: 0,
        olderTexts: 'refused',
        liveServersShareMin: 0.5,
      },
    },
    timeouts: { clientMs: 60_000, requestMs: 15_000, keepAliveMs: 60_000 },
    accessLog: null,
    own: null,
    ...over,
  };
}

export function listenerOf(name: string, port: number, tls: Listener['tls'] = null): Listener {
  const stream = { connectionsMax: null, connectionsPerClientMax: null, inspectTimeoutMs: 5_000 };
  return {
    name,
    protocol: 'HTTP',
    ...stream,
    host: '127.0.0.1',
    port,
    access: null,
    forwarded,
    hsts: null,
    tls,
    proxyFrom: [],
    place,
  };
}

/** TLS whose certificates a test places itself. */
export const someTls: ListenerTls = { certificates: [], minVersion: '1.2', http2: true, clients: null };

export const everything: RouteMatch = { path: null, method: null, headers: [], queryParams: [] };

export const noFilters: RouteFilters = {
  rewrite: null,
  requestHeaders: null,
  responseHeaders: null,
  access: null,
  timeouts: null,
  mirror: null,
};

export function routeTo(pool: string, match: Partial<RouteMatch> = {}, over: Partial<Route> = {}): Route {
  const matches = [{ ...everything, ...match }];
  const action = { kind: 'pools', pools: [{ pool, weight: 1 }], place } as const;
  return {
    name: `to-${pool}`,
    listeners: [],
    hostnames: [],
    matches,
    action,
    filters: noFilters,
    place,
    ...over,
  };
}

export function timeoutsOf(over: Partial<PoolTimeouts> = {}): PoolTimeouts {
  return { connectMs: 500, serverMs: 5_000, queueMs: 1_000, tunnelMs: 3_600_000, ...over };
}

export const quickTimeouts = timeoutsOf();

/** A TCP connection is enough, five times a second. */
export function checkOf(over: Partial<HealthCheck> = {}): HealthCheck {
  return { http: null, port: null, intervalMs: 200, timeoutMs: 2_000, rise: 2, fall: 3, ...over };
}

export function httpCheckOf(path: string, over: Partial<HttpCheck> = {}): HttpCheck {
  const usual = { method: 'GET', host: null, headers: [], expectBody: null } as const;
  return { ...usual, path, expectStatus: [{ from: 200, to: 200 }], ...over };
}

/** Servers as ports of 127.0.0.1, named s1, s2, ... */
export function poolOf(name: string, ports: readonly number[], over: Partial<Pool> = {}): Pool {
  return {
    name,
    algorithm: 'roundrobin',
    hashOn: null,
    stickyCookie: null,
    tls: null,
    proxyProtocol: null,
    servers: ports.map((port, index) => serverOf(`s${index + 1}`, port)),
    healthCheck: checkOf(),
    ejection: null,
    slowStartMs: null,
    retries: { max: 3, on: ['connect'] },
    queuedMax: null,
    timeouts: quickTimeouts,
    place,
    ...over,
  };
}

export function serverOf(name: string, port: number, over: Partial<Server> = {}): Server {
  return {
    name,
    host: '127.0.0.1',
    port,
    weight: 1,
    connectionsMax: null,
    spare: false,
    maintenance: false,
    place,
    ...over,
  };
}

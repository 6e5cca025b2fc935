import {
  type Access,
  type Action,
  type Condition,
  type Filters,
  type Forwarded,
  type HeaderChanges,
  type PathChange,
  type PoolShare,
  type RoutedListener,
  type RouteTimeouts,
  type Routing,
  type Rule,
  withPage,
} from '#routing';
import type { Pool } from './pool.ts';
import {
  type Hsts,
  isStream,
  type Listener,
  type NewPath,
  type PathMatch,
  type Route,
  type RouteAction,
  type RouteFilters,
  type RouteMatch,
  type Site,
  type ValueMatch,
  type WeightedPool,
  writtenName,
} from './site.ts';

/**
 * What a site does to every request: per listener one rule for each hostname and match of each route, in the
 * Gateway API's precedence, so that the first rule that holds is the most specific one.
 *
 * Hostname: exact before wildcard before none, longer first. Path: Exact, RegularExpression, PathPrefix, longer
 * first. Then a method before none, more headers, more query parameters, and the order in the file.
 * The Gateway API leaves the place of RegularExpression open; it stands before PathPrefix, because behind it the
 * usual last route for `/` would hide every expression.
 */
export function routeOf(site: Site): Routing {
  const listeners = site.listeners.filter((listener) => !isStream(listener));
  return { listeners: listeners.map((listener) => routedListener(site, listener)) };
}

function routedListener(site: Site, listener: Listener): RoutedListener {
  const pools = new Map(site.pools.map((pool) => [pool.name, pool]));
  const ranked = site.routes
    .filter((route) => route.listeners.length === 0 || route.listeners.includes(writtenName(listener)))
    .flatMap((route) => rulesOf(route, listener, pools));
  // Sorting is stable: what ranks the same stays in the order of the file.
  ranked.sort((a, b) => compareRanks(a.rank, b.rank));
  return {
    name: listener.name,
    host: listener.host,
    port: listener.port,
    scheme: listener.tls ? 'https' : 'http',
    access: listener.access && accessOf(listener.access),
    forwarded: forwardedOf(listener.forwarded),
    hsts: listener.hsts && hstsValue(listener.hsts),
    ...certificateTold(site, listener),
    rules: ranked.map(({ rule }) => rule),
    otherwise: withPage({ kind: 'answer', status: 404, headers: [], body: null }, site.errorPages),
  };
}

/** What one listener tells servers, clients of another one must not be able to say. */
function certificateTold(site: Site, listener: Listener): Pick<RoutedListener, 'clientCertificate'> {
  if (!site.listeners.some(({ tls }) => tls?.clients)) return {};
  return { clientCertificate: listener.tls?.clients ? 'told' : 'removed' };
}

interface RankedRule {
  readonly rank: readonly number[];
  readonly rule: Rule;
}

const everyRequest: RouteMatch = { path: null, method: null, headers: [], queryParams: [] };

function rulesOf(route: Route, listener: Listener, pools: ReadonlyMap<string, Pool>): RankedRule[] {
  const hostnames = route.hostnames.length > 0 ? route.hostnames : [null];
  const matches = route.matches.length > 0 ? route.matches : [everyRequest];
  return hostnames.flatMap((hostname) =>
    matches.map((match) => ({
      rank: [...hostnameRank(hostname), ...matchRank(match)],
      rule: {
        route: route.name,
        place: route.place,
        conditions: conditionsOf(hostname, match),
        action: actionOf(route.action, match, listener, pools),
        filters: filtersOf(route.filters, match),
      },
    })),
  );
}

function actionOf(
  action: RouteAction,
  match: RouteMatch,
  listener: Listener,
  pools: ReadonlyMap<string, Pool>,
): Action {
  switch (action.kind) {
    case 'pools':
      return poolsAction(action.pools, pools);
    case 'redirect': {
      const own = listener.tls ? 'https' : 'http';
      const scheme = action.scheme ?? own;
      const port = action.port ?? (action.scheme === null ? listener.port : standardPorts[scheme]);
      const to = {
        scheme,
        hostname: action.hostname,
        port: port === standardPorts[scheme] ? null : port,
        path: pathChange(action.path, match),
      };
      return { kind: 'redirect', status: action.status, to };
    }
    case 'answer': {
      const { status, headers, body } = action;
      return { kind: 'answer', status, headers, body };
    }
  }
}

const standardPorts = { http: 80, https: 443 } as const;

function poolsAction(weighted: readonly WeightedPool[], pools: ReadonlyMap<string, Pool>): Action {
  const shares = sharesOf(weighted, pools);
  const [only] = shares;
  if (only && shares.length === 1) return { kind: 'pool', pool: only.pool, servers: only.servers };
  return { kind: 'split', shares };
}

export function sharesOf(weighted: readonly WeightedPool[], pools: ReadonlyMap<string, Pool>): PoolShare[] {
  return weighted
    .filter(({ weight }) => weight > 0)
    .map(({ pool, weight }) => ({
      pool,
      weight,
      servers: (pools.get(pool)?.servers ?? []).map((server) => hostPort(server.host, server.port)),
    }));
}

function filtersOf(
  { rewrite, requestHeaders, responseHeaders, access, timeouts, mirror }: RouteFilters,
  match: RouteMatch,
): Filters | null {
  if (!rewrite && !requestHeaders && !responseHeaders && !access && !timeouts && !mirror) return null;
  return {
    rewrite: rewrite && { hostname: rewrite.hostname, path: pathChange(rewrite.path, match) },
    requestHeaders: requestHeaders && changesOf(requestHeaders),
    responseHeaders: responseHeaders && changesOf(responseHeaders),
    access: access && accessOf(access),
    ...(timeouts ? { timeouts: timeoutsOf(timeouts) } : {}),
    ...(mirror ? { mirror: { pool: mirror.pool, share: mirror.percent / 100 } } : {}),
  };
}

function timeoutsOf({ serverMs, tunnelMs, requestMs }: RouteTimeouts): RouteTimeouts {
  return { serverMs, tunnelMs, ...(requestMs === undefined ? {} : { requestMs }) };
}

/** Without the place: it is no part of what a rule means. */
function changesOf({ remove, set, add }: HeaderChanges): HeaderChanges {
  return { remove, set, add };
}

function accessOf({ deny, allow, rate, basicAuth, bodyBytesMax }: Access): Access {
  return { deny, allow, rate, basicAuth, bodyBytesMax };
}

function forwardedOf({ policy, trusted, also }: Forwarded): Forwarded {
  return { policy, trusted, also };
}

const daySeconds = 86_400;

function hstsValue({ maxAgeDays, includeSubDomains, preload }: Hsts): string {
  const words = [`max-age=${maxAgeDays * daySeconds}`];
  if (includeSubDomains) words.push('includeSubDomains');
  if (preload) words.push('preload');
  return words.join('; ');
}

/** The parser lets a prefix be replaced only where every match names one, or no path, which is the prefix `/`. */
function pathChange(path: NewPath | null, match: RouteMatch): PathChange | null {
  if (path === null || path.kind === 'full') return path && { kind: 'full', value: path.value };
  return { kind: 'prefix', prefix: match.path === null ? '' : prefixOf(match.path), value: path.value };
}

/** `10.0.0.7:8080`, `[::1]:8080`: how an address is written. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function conditionsOf(hostname: string | null, match: RouteMatch): Condition[] {
  return [
    ...(hostname === null ? [] : [hostCondition(hostname)]),
    ...(match.method === null ? [] : [{ kind: 'method', value: match.method } as const]),
    ...pathConditions(match.path),
    ...match.headers.map((m) => ({ kind: 'header', ...valueCondition(m, m.name.toLowerCase()) }) as const),
    ...match.queryParams.map((m) => ({ kind: 'query', ...valueCondition(m, m.name) }) as const),
  ];
}

function hostCondition(hostname: string): Condition {
  return hostname.startsWith('*.')
    ? { kind: 'host', match: 'suffix', value: hostname.slice(1).toLowerCase() }
    : { kind: 'host', match: 'exact', value: hostname.toLowerCase() };
}

/** The prefix `/` matches everything, so it is no condition; `/foo/` is the same prefix as `/foo`. */
function pathConditions(path: PathMatch | null): Condition[] {
  if (path === null) return [];
  if (path.type === 'Exact') return [{ kind: 'path', match: 'exact', value: path.value }];
  if (path.type === 'RegularExpression') return [{ kind: 'path', match: 'regex', value: path.value }];
  const value = prefixOf(path);
  return value === '' ? [] : [{ kind: 'path', match: 'prefix', value }];
}

function prefixOf(path: PathMatch): string {
  return path.value.endsWith('/') ? path.value.slice(0, -1) : path.value;
}

function valueCondition({ type, value }: ValueMatch, name: string) {
  return { name, match: type === 'Exact' ? 'exact' : 'regex', value } as const;
}

export function hostnameRank(hostname: string | null): number[] {
  if (hostname === null) return [0, 0];
  return [hostname.startsWith('*.') ? 1 : 2, hostname.length];
}

function matchRank(match: RouteMatch): number[] {
  return [
    ...pathRank(match.path),
    match.method === null ? 0 : 1,
    match.headers.length,
    match.queryParams.length,
  ];
}

function pathRank(path: PathMatch | null): number[] {
  if (path === null) return [0, 0];
  if (path.type === 'PathPrefix') return [0, prefixOf(path).length];
  return [path.type === 'Exact' ? 2 : 1, path.value.length];
}

/** Higher numbers first. */
export function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at < 0 ? 0 : (b[at] ?? 0) - (a[at] ?? 0);
}

import type { PlacedAccess, Route, RouteAction, RouteFilters, RouteMatch, Site } from '#model';
import type { Features } from './feature.ts';

/** What a site can say of which requests a route takes, and of what they get. */
export const routeFeatures = {
  hostnames: {
    written: 'routes[].hostnames',
    meaning: 'requests for these host names; `*.shop.example` takes one label or more',
    uses: (site) => routes(site, ({ hostnames }) => hostnames.length > 0),
  },
  pathExact: {
    written: 'matches[].path, type: Exact',
    meaning: 'the whole path, as it stands in the request',
    uses: (site) => matches(site, ({ path }) => path?.type === 'Exact'),
  },
  pathPrefix: {
    written: 'matches[].path, type: PathPrefix',
    meaning: 'whole segments at the start of the path: /foo takes /foo, /foo/ and /foo/x, not /foobar',
    uses: (site) => matches(site, ({ path }) => path?.type === 'PathPrefix'),
  },
  pathExpression: {
    written: 'matches[].path, type: RegularExpression',
    meaning: 'an expression that the whole path must match',
    uses: (site) => matches(site, ({ path }) => path?.type === 'RegularExpression'),
  },
  method: {
    written: 'matches[].method',
    meaning: 'requests with this method',
    uses: (site) => matches(site, ({ method }) => method !== null),
  },
  methodTrace: {
    written: 'matches[].method: TRACE',
    meaning: 'requests that ask to be sent back',
    uses: (site) => matches(site, ({ method }) => method === 'TRACE'),
  },
  headerMatch: {
    written: 'matches[].headers',
    meaning: 'the first header of that name, as a whole',
    uses: (site) => matches(site, ({ headers }) => headers.length > 0),
  },
  headerNameOdd: {
    written: 'headers to match or hash, with other signs than letters, digits, - and _ in the name',
    meaning: 'a header that has a rare name',
    uses: (site) => [
      ...matches(site, ({ headers }) => headers.some(({ name }) => isOdd(name))),
      ...site.pools
        .filter(({ hashOn }) => hashOn?.kind === 'header' && isOdd(hashOn.name))
        .map(({ place }) => place),
    ],
  },
  queryMatch: {
    written: 'matches[].queryParams',
    meaning: 'the first query parameter of that name, nothing decoded',
    uses: (site) => matches(site, ({ queryParams }) => queryParams.length > 0),
  },
  weights: {
    written: 'routes[].pools: [{ pool, weight }]',
    meaning: 'several pools answer in shares by weight, each request by chance',
    uses: (site) =>
      actions(site, 'pools')
        .filter(({ pools }) => pools.length > 1)
        .map(({ place }) => place),
  },
  redirect: {
    written: 'routes[].redirect',
    meaning:
      'sends the client elsewhere (scheme, hostname, port, path) with 301, 302, 303, 307 or 308; the query is kept, the host is written in lower case, and a request without host gets 400 where its host would be used',
    uses: (site) => actions(site, 'redirect').map(({ place }) => place),
  },
  answer: {
    written: 'routes[].answer',
    meaning:
      'a fixed answer with status, headers and body, without asking a server; it is never counted as an error, whatever its status',
    uses: (site) => actions(site, 'answer').map(({ place }) => place),
  },
  rewrite: {
    written: 'routes[].rewrite',
    meaning:
      'what the server sees as Host and path; routes are chosen by the request as it came, and the query is kept',
    uses: (site) => placed(site, 'rewrite'),
  },
  requestHeaders: {
    written: 'routes[].requestHeaders',
    meaning:
      'removes, then sets, then adds headers of the request, after what the listener sets; Host and headers that frame the message are refused',
    uses: (site) => placed(site, 'requestHeaders'),
  },
  responseHeaders: {
    written: 'routes[].responseHeaders',
    meaning:
      "removes, then sets, then adds headers of a server's answer; answers of the engine itself stay as they are",
    uses: (site) => placed(site, 'responseHeaders'),
  },
  routeTimeouts: {
    written: 'routes[].timeouts',
    meaning: "time-outs of the pool (server, tunnel) that are others for this route's requests",
    uses: (site) =>
      site.routes.flatMap(({ filters: { timeouts } }) =>
        timeouts && (timeouts.serverMs !== null || timeouts.tunnelMs !== null) ? [timeouts.place] : [],
      ),
  },
  requestTimeout: {
    written: 'routes[].timeouts.request',
    meaning:
      'an exchange that takes longer, from the head of the request to the end of its answer, gets 504, or breaks off when its answer has begun',
    uses: (site) =>
      site.routes.flatMap(({ filters: { timeouts } }) =>
        timeouts?.requestMs === undefined ? [] : [timeouts.place],
      ),
  },
  mirror: {
    written: 'routes[].mirror',
    meaning:
      'a copy of all requests, or of a share by chance, goes to another pool as the server sees them; its answers are thrown away, nobody waits for them and nothing of them is counted. Bodies over 99,999 bytes or of unknown length, upgrades, and what is more than 256 copies at once have none',
    uses: (site) => placed(site, 'mirror'),
  },
  errorPages: {
    written: 'errorPages',
    meaning:
      "own bodies for the engine's own 403, 404, 413, 429, 502, 503, 504; a server's answer and a fixed answer stay as they are",
    uses: (site) => site.errorPages.map(({ place }) => place),
  },
  allowDeny: {
    written: 'access: deny, allow (listeners[], routes[])',
    meaning: 'clients of a denied network, or of none that is allowed, get 403',
    uses: (site) => limits(site, ({ deny, allow }) => deny.length + allow.length > 0),
  },
  rate: {
    written: 'access: rate (listeners[], routes[])',
    meaning:
      'requests of one client (an IPv4 address, a /64 of IPv6) in a time; more get 429. Engines count alike on the whole, not to the request: the built-in one gives each client its requests back evenly, HAProxy counts refused ones too',
    uses: (site) => limits(site, ({ rate }) => rate !== null),
  },
  rateSlow: {
    written: 'access: rate, less than one in a minute',
    meaning: 'such as 5 requests in an hour',
    uses: (site) => limits(site, ({ rate }) => rate !== null && rate.requests * 60_000 < rate.perMs),
  },
  basicAuth: {
    written: 'access: basicAuth (listeners[], routes[])',
    meaning:
      'a name and a password, kept as a SHA-crypt hash (`openssl passwd -6`); others get 401. The server sees the header too',
    uses: (site) => limits(site, ({ basicAuth }) => basicAuth !== null),
  },
  basicAuthTwice: {
    written: 'access: basicAuth of a listener and of its route',
    meaning: 'both want a password, which only one name and password for both can satisfy',
    uses: (site) =>
      site.listeners.some(({ access }) => access?.basicAuth)
        ? site.routes.flatMap(({ filters: { access } }) => (access?.basicAuth ? [access.place] : []))
        : [],
  },
  bodyMax: {
    written: 'access: bodyMax (listeners[], routes[])',
    meaning: 'a longer body gets 413, and one that does not tell its length 411',
    uses: (site) => limits(site, ({ bodyBytesMax }) => bodyBytesMax !== null),
  },
} as const satisfies Features;

function actions<K extends RouteAction['kind']>(site: Site, kind: K) {
  return site.routes
    .map(({ action }) => action)
    .filter((action): action is Extract<RouteAction, { kind: K }> => action.kind === kind);
}

function limits(site: Site, uses: (access: PlacedAccess) => boolean) {
  const all = [
    ...site.listeners.map(({ access }) => access),
    ...site.routes.map(({ filters }) => filters.access),
  ];
  return all.flatMap((access) => (access && uses(access) ? [access.place] : []));
}

function placed(site: Site, key: keyof RouteFilters) {
  return site.routes.flatMap(({ filters }) => filters[key]?.place ?? []);
}

function routes(site: Site, uses: (route: Route) => boolean) {
  return site.routes.filter(uses).map(({ place }) => place);
}

function matches(site: Site, uses: (match: RouteMatch) => boolean) {
  return routes(site, (route) => route.matches.some(uses));
}

function isOdd(header: string): boolean {
  return !/^[\w-]+$/.test(header);
}

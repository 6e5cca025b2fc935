import type { Route, RouteMatch, Site } from '#model';
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
  headerMatch: {
    written: 'matches[].headers',
    meaning: 'the first header of that name, as a whole',
    uses: (site) => matches(site, ({ headers }) => headers.length > 0),
  },
  queryMatch: {
    written: 'matches[].queryParams',
    meaning: 'the first query parameter of that name, nothing decoded',
    uses: (site) => matches(site, ({ queryParams }) => queryParams.length > 0),
  },
} as const satisfies Features;

function routes(site: Site, uses: (route: Route) => boolean) {
  return site.routes.filter(uses).map(({ place }) => place);
}

function matches(site: Site, uses: (match: RouteMatch) => boolean) {
  return routes(site, (route) => route.matches.some(uses));
}

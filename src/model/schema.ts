import { z } from 'zod';
import { listener } from './schema-listeners.ts';
import { pool, type server } from './schema-pools.ts';
import { duration, ipAddress, list, name, share, text, wholeNumber } from './schema-words.ts';
import { engineNames } from './site.ts';

/**
 * The shape of a site file: checks, defaults, the editor's JSON Schema and the TypeScript type come from here.
 * Every error text is the phrase that stands after `expected` in a diagnostic. Values reach the engines' texts, so
 * each pattern lets through only what every engine can carry: printable ASCII, no quotes or spaces where one can do
 * without.
 */

const hostname = text(
  'a host name such as "shop.example" or "*.shop.example", without port',
  /^(?=.{1,253}$)(?:\*\.)?(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/,
);

const valueTypes = z.enum(['Exact', 'RegularExpression'], 'one of').default('Exact');

const matchValue = text(
  'text of 1 to 1024 printable ASCII characters, with no space at either end',
  /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/,
);

const headerMatch = z.strictObject(
  {
    name: text('the name of a header', /^[A-Za-z0-9!$%&*+.^_|~-]{1,256}$/).refine(
      (word) => word.toLowerCase() !== 'host',
      'another header: requests are told apart by Host with "hostnames"',
    ),
    type: valueTypes.meta({ description: 'Exact, or RegularExpression, which must match the whole value' }),
    value: matchValue,
  },
  'a header to match: name, value',
);

const queryMatch = z.strictObject(
  {
    name: text(
      'the name of a query parameter, as it stands in the URL',
      /^[A-Za-z0-9._~!$()*+,;:@/%[\]-]{1,256}$/,
    ),
    type: valueTypes.meta({ description: 'Exact, or RegularExpression, which must match the whole value' }),
    value: matchValue.meta({ description: 'As it stands in the URL: percent signs are not decoded' }),
  },
  'a query parameter to match: name, value',
);

const pathTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

export const matchSchema = z.strictObject(
  {
    path: z
      .strictObject(
        {
          type: z.enum(pathTypes, 'one of').default('PathPrefix').meta({
            description:
              'PathPrefix matches whole segments: /foo, /foo/ and /foo/x, not /foobar. RegularExpression must match the whole path',
          }),
          value: text(
            'a path without spaces and control characters, such as "/cart"',
            /^[\x21-\x7e]{1,1024}$/,
          ).default('/'),
        },
        'a path to match: type, value',
      )
      .optional(),
    method: z.enum(methods, 'one of').optional(),
    headers: list(headerMatch, 'a list of headers to match', 0, 16).default([]),
    queryParams: list(queryMatch, 'a list of query parameters to match', 0, 16).default([]),
  },
  'a match: any of path, method, headers, queryParams',
);

const route = z.strictObject(
  {
    name: name.optional().meta({ description: 'What reports call it; route-1, route-2 when left out' }),
    listeners: list(name, 'a list of names of listeners', 0, 100)
      .default([])
      .meta({ description: 'Names of listeners; every listener when left out' }),
    hostnames: list(hostname, 'a list of host names', 0, 100).default([]).meta({
      description: '"shop.example", or "*.shop.example" for one label or more; every host when left out',
    }),
    matches: list(matchSchema, 'a list of matches', 0, 64)
      .default([])
      .meta({ description: 'One of these must hold, with all that it names; every request when left out' }),
    pool: name.meta({ description: 'Name of the pool that answers' }),
  },
  'a route: hostnames, matches, pool',
);

const balancer = z.strictObject(
  {
    name,
    engine: z
      .enum([...engineNames, 'auto'], 'one of')
      .default('auto')
      .meta({ description: 'auto: HAProxy where it is installed, else the built-in engine' }),
    address: ipAddress.meta({ description: 'Where listeners with address "*" are bound' }),
  },
  'a balancer: name, engine, address',
);

const guard = z.strictObject(
  {
    canary: z
      .strictObject(
        {
          steps: list(share(0.0001), 'a list of rising shares', 1, 20)
            .refine(
              (steps) => steps.every((step, index) => index === 0 || step > (steps[index - 1] ?? 0)),
              'shares that rise, such as [0.05, 0.25, 0.5, 1]',
            )
            .default([0.05, 0.25, 0.5, 1])
            .meta({ description: 'Shares of new connections that a change gets, one after the other' }),
          firstSliceRequests: wholeNumber(1, 1000)
            .default(20)
            .meta({ description: 'How many requests the first slice is meant to see' }),
          step: duration('10s').meta({ description: 'How long each step lasts at least' }),
        },
        'steps, firstSliceRequests, step',
      )
      .prefault({}),
    bake: duration('2m').meta({ description: 'How long a change is watched at full exposure' }),
    net: z.boolean('true or false').default(true).meta({
      description:
        'A request that finds no server in a change on its way is answered by the last good configuration. false: for trying what the guard does alone, and for sites whose requests must not be answered by an older configuration',
    }),
    limits: z
      .strictObject(
        {
          removedServersShareMax: share(0)
            .default(0.5)
            .meta({ description: 'The most servers, as a share of a pool, that one change may take away' }),
          liveServersShareMin: share(0)
            .default(0.5)
            .meta({ description: 'The least live servers, as a share of a pool' }),
        },
        'removedServersShareMax, liveServersShareMin',
      )
      .prefault({}),
  },
  'canary, bake, net, limits',
);

export const siteSchema = z.strictObject(
  {
    site: name.meta({ description: "The site's name" }),
    listeners: list(listener, 'a list of listeners', 1, 100).meta({ description: 'Where the site listens' }),
    routes: list(route, 'a list of routes', 1, 5000).meta({
      description:
        'Which requests go to which pool, in the words of the Gateway API; the most specific one decides',
    }),
    pools: list(pool, 'a list of pools', 1, 5000).meta({ description: 'The web servers' }),
    balancers: list(balancer, 'a list of balancers', 1, 64).meta({ description: 'The load-balancer nodes' }),
    guard: guard.prefault({}).meta({ description: 'How carefully changes go live' }),
  },
  'a site: site, listeners, routes, pools, balancers',
);

export const partSchemas = { listeners: listener, routes: route, pools: pool, balancers: balancer } as const;

export type SiteDocument = z.output<typeof siteSchema>;
export type ListenerPart = z.output<typeof listener>;
export type RoutePart = z.output<typeof route>;
export type MatchPart = z.output<typeof matchSchema>;
export type PoolPart = z.output<typeof pool>;
export type ServerPart = z.output<typeof server>;
export type BalancerPart = z.output<typeof balancer>;

/** For editors: `schema/site.schema.json`. */
export function siteJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(siteSchema, { io: 'input', target: 'draft-7' });
  return { $schema, title: 'A Holdfast site file', ...rest };
}

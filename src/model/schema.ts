import { isIP } from 'node:net';
import { z } from 'zod';
import { algorithms, engineNames } from './site.ts';
import { parseAddress, parseDurationMs } from './words.ts';

/**
 * The shape of a site file: checks, defaults, the editor's JSON Schema and the TypeScript type come from here.
 * Every error text is the phrase that stands after `expected` in a diagnostic. Values reach the engines' texts, so
 * each pattern lets through only what every engine can carry: printable ASCII, no quotes or spaces where one can do
 * without.
 */

/** Names of things. They become names of files and of the engines' sections. */
const name = text(
  'a name of letters, digits, "-", "_" and ".", at most 64, beginning with a letter or digit',
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
).refine((word) => !(word in Object.prototype), `another name: this one is reserved`);

function text(expected: string, pattern: RegExp) {
  return z.string(expected).regex(pattern, expected);
}

function wholeNumber(from: number, to: number) {
  const expected = `a whole number from ${from} to ${to}`;
  return z.int(expected).min(from, expected).max(to, expected);
}

function share(from: number) {
  const expected =
    from === 0 ? 'a share from 0 to 1, such as 0.25' : 'a share above 0 and up to 1, such as 0.25';
  return z.number(expected).min(from, expected).max(1, expected);
}

const dayMs = 24 * 60 * 60 * 1000;

function duration(standard: string) {
  const expected = 'a duration from 1ms to 24h, such as 500ms, 2s or 1m';
  return text(expected, /^\d{1,8}(?:ms|s|m|h)$/)
    .refine((word) => {
      const ms = parseDurationMs(word);
      return ms >= 1 && ms <= dayMs;
    }, expected)
    .default(standard);
}

function list<T extends z.ZodType>(of: T, expected: string, least: number, most: number) {
  const phrase = `${expected}, ${least === 0 ? `at most ${most}` : `${least} to ${most}`}`;
  return z.array(of, expected).min(least, phrase).max(most, phrase);
}

const listenerAddress = text(
  'an address and port such as "*:8080", "127.0.0.1:8080" or "[::1]:8080"',
  /^\S{1,100}$/,
).refine((word) => {
  const address = parseAddress(word);
  return address !== null && (address.host === '*' || isIP(address.host) > 0);
}, 'an address and port such as "*:8080", "127.0.0.1:8080" or "[::1]:8080"');

const serverAddress = text(
  'a host and port such as "10.0.0.7:8080", "[::1]:8080" or "web-1.internal:8080"',
  /^\S{1,300}$/,
)
  .refine((word) => {
    const address = parseAddress(word);
    return address !== null && address.host !== '*';
  }, 'a host and port such as "10.0.0.7:8080", "[::1]:8080" or "web-1.internal:8080"')
  .meta({ description: 'Host name or address, and port' });

const ipAddress = z
  .string('an IP address such as 10.0.0.1 or "::1"')
  .refine((word) => isIP(word) > 0 && !word.includes('%'), 'an IP address such as 10.0.0.1 or "::1"');

const fileName = text(
  'the name of a file, at most 1024 characters, without control characters',
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it keeps out
  /^[^\x00-\x1f\x7f]{1,1024}$/,
);

const listener = z.strictObject(
  {
    name: name.meta({ description: 'What routes and reports call it' }),
    address: listenerAddress.meta({
      description: 'Address and port; "*" stands for each balancer\'s own address',
    }),
    tls: z
      .strictObject(
        {
          certificates: list(
            z.strictObject(
              {
                certificate: fileName.meta({
                  description: 'PEM file with the certificate and its chain, relative to this file',
                }),
                key: fileName.meta({ description: 'PEM file with the private key, relative to this file' }),
              },
              'a certificate and its key, each the name of a PEM file',
            ),
            'a list of certificates',
            1,
            100,
          ),
        },
        'certificates',
      )
      .optional()
      .meta({ description: 'Serve HTTPS with these certificates; plain HTTP when left out' }),
  },
  'a listener: name, address',
);

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

export const pathTypes = ['Exact', 'PathPrefix', 'RegularExpression'] as const;
export const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE'] as const;

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

const server = z.union([
  serverAddress,
  z.strictObject(
    {
      name: name
        .optional()
        .meta({ description: 'What reports call it; made from the address when left out' }),
      address: serverAddress,
      weight: wholeNumber(1, 256).default(1).meta({ description: 'Share of requests relative to its pool' }),
      connectionsMax: wholeNumber(1, 1_000_000)
        .optional()
        .meta({ description: 'Requests at once; more wait in the queue' }),
    },
    'a server: "host:port", or address, name, weight, connectionsMax',
  ),
]);

const healthCheck = z.strictObject(
  {
    path: text('a path that begins with "/", such as "/health"', /^\/[A-Za-z0-9._~!$&()*+,;=:@%/?-]{0,1023}$/)
      .optional()
      .meta({ description: 'Asked with GET; a TCP connection is enough when left out' }),
    expectStatus: wholeNumber(100, 599).default(200),
    interval: duration('2s'),
    timeout: duration('1s'),
    rise: wholeNumber(1, 100)
      .default(2)
      .meta({ description: 'Good checks in a row that bring a server back' }),
    fall: wholeNumber(1, 100).default(3).meta({ description: 'Bad checks in a row that take a server out' }),
  },
  'a health check: path, interval, timeout, rise, fall',
);

const timeouts = z.strictObject(
  {
    connect: duration('2s'),
    server: duration('30s').meta({
      description: 'Silence of the server while an answer is awaited or under way',
    }),
    queue: duration('5s').meta({ description: 'How long a request may wait for a server' }),
  },
  'time-outs: connect, server, queue',
);

const pool = z.strictObject(
  {
    name,
    algorithm: z.enum(algorithms, 'one of').default('roundrobin'),
    servers: list(server, 'a list of servers', 1, 10_000),
    healthCheck: healthCheck.prefault({}),
    timeouts: timeouts.prefault({}),
  },
  'a pool: name, servers',
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

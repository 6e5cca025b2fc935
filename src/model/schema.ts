import { z } from 'zod';
import { errorPage } from './schema-actions.ts';
import { listener } from './schema-listeners.ts';
import { expectations, policies } from './schema-policies.ts';
import { pool, type server } from './schema-pools.ts';
import { type matchSchema, route } from './schema-routes.ts';
import {
  duration,
  hostname,
  ipAddress,
  list,
  name,
  optionalDuration,
  share,
  text,
  wholeNumber,
} from './schema-words.ts';
import { engineNames } from './site.ts';
import { parseLogTarget } from './words.ts';

/**
 * The shape of a site file: checks, defaults, the editor's JSON Schema and the TypeScript type come from here.
 * Every error text is the phrase that stands after `expected` in a diagnostic. Values reach the engines' texts, so
 * each pattern lets through only what every engine can carry: printable ASCII, no quotes or spaces where one can do
 * without.
 */

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

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const hour = text('a time of the day, such as 09:00', /^(?:[01]\d|2[0-3]):[0-5]\d$/);
const date = text('a day, such as 2026-12-24', /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/);

const changeWindow = z.strictObject(
  { days: list(z.enum(weekdays, 'one of'), 'days of the week', 1, 7), from: hour, to: hour },
  'a window: days, from, to',
);

const freeze = z.strictObject(
  { from: date, to: date, why: text('why, in one line', /^\P{Cc}{0,256}$/u).default('') },
  'a freeze: from, to, why',
);

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format(0) !== '';
  } catch {
    return false;
  }
}

const logPath = text('an absolute path of an access log', /^\/[^\p{Cc}]{1,1023}$/u);
const requestPath = text('a path, such as /admin', /^\/[\x21-\x7e]{0,1023}$/);

const realRequests = z
  .strictObject(
    {
      sample: wholeNumber(1, 500)
        .default(50)
        .meta({ description: 'How many recent requests are sent, at most' }),
      accessLog: logPath
        .optional()
        .meta({ description: 'The access log that tells of them; absent: the one that the site writes' }),
      host: hostname.optional().meta({ description: 'Whose requests they are where the log does not say' }),
      queryValues: z.boolean('true or false').default(false).meta({
        description: 'Values of query parameters are sent as they were; else the parameters are left empty',
      }),
      clientAddresses: z.boolean('true or false').default(false).meta({
        description: 'Servers are told the address of the client whose request it was; else a local one',
      }),
      exceptPaths: list(requestPath, 'a list of paths', 0, 1_000)
        .default([])
        .meta({ description: 'Requests to these paths, and below them, are not sent' }),
    },
    'sample, accessLog, host, queryValues, clientAddresses, exceptPaths',
  )
  .meta({
    description:
      'A sample of recent real requests (GET, HEAD, OPTIONS, no bodies) is sent to a change and to what runs, and on to the real servers; absent: none is',
  });

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
            .meta({
              description:
                'Shares of new connections that a change gets, one after the other; then all of them, also where that is not said',
            }),
          firstSliceRequests: wholeNumber(1, 1000)
            .default(20)
            .meta({ description: 'How many requests the first slice is meant to see' }),
          step: duration('10s').meta({ description: 'How long each step lasts at least' }),
        },
        'steps, firstSliceRequests, step',
      )
      .prefault({}),
    bake: duration('2m').meta({ description: 'How long a change is watched at full exposure' }),
    drainTimeout: duration('60s').meta({
      description:
        'How long open connections (WebSockets, long downloads) of a generation that is replaced may go on; what is open then is cut',
    }),
    net: z.boolean('true or false').default(true).meta({
      description:
        'A request that finds no server in a change on its way is answered by the last good configuration. false: for trying what the guard does alone, and for sites whose requests must not be answered by an older configuration',
    }),
    changes: z
      .strictObject(
        {
          timeZone: text('a time zone, such as Europe/Berlin', /^[A-Za-z][A-Za-z0-9_+/-]{1,63}$/)
            .refine(isTimeZone, 'a time zone that this machine knows, such as Europe/Berlin')
            .default('UTC'),
          windows: list(changeWindow, 'a list of windows', 0, 100)
            .default([])
            .meta({ description: 'When a change may begin; none: at any hour' }),
          freezes: list(freeze, 'a list of freezes', 0, 1_000)
            .default([])
            .meta({ description: 'Days on which no change begins' }),
          duringIncidents: z.enum(['allowed', 'refused'], 'one of').default('allowed').meta({
            description: 'What becomes of a change that is proposed while an incident is open',
          }),
        },
        'timeZone, windows, freezes, duringIncidents',
      )
      .prefault({}),
    review: z
      .strictObject(
        {
          expiresAfter: duration('24h').meta({ description: 'How long an approval counts' }),
          waitsAtMost: duration('24h').meta({
            description: 'A change that waits longer for approvals is refused',
          }),
        },
        'expiresAfter, waitsAtMost',
      )
      .prefault({}),
    rehearsal: z
      .strictObject(
        {
          memoryFactorMax: wholeNumber(2, 100).default(4).meta({
            description:
              'The most memory that a text may take at its start, as a multiple of what runs; small ones are not refused',
          }),
          startFactorMax: wholeNumber(2, 1000).default(10).meta({
            description:
              'The longest that it may take to start, as a multiple of what runs; short ones are not refused',
          }),
          realRequests: realRequests.optional(),
        },
        'memoryFactorMax, startFactorMax, realRequests',
      )
      .prefault({}),
    spares: z
      .strictObject(
        {
          whenQueued: wholeNumber(1, 1_000_000)
            .default(1)
            .meta({ description: 'A pool is full when so many requests wait for a server on one balancer' }),
          whenUsed: share(0.1).default(0.95).meta({
            description: "or so much of its servers' connectionsMax is used, as a share",
          }),
          whenFullWithin: duration('20s').meta({
            description: 'or, more than half used, it will be full within so long at its pace',
          }),
          for: duration('1s').meta({ description: 'for so long' }),
          most: wholeNumber(1, 100)
            .default(1)
            .meta({ description: 'How many spare servers of one pool may serve beside the others' }),
          leavesBelow: share(0.01).default(0.6).meta({
            description:
              'One leaves when no more than this share would be used without it, nothing waits, and no fault of the pool is open',
          }),
          leavesAfter: duration('5m').meta({
            description: 'for so long; twice as long each time that it has to come back soon',
          }),
        },
        'whenQueued, whenUsed, whenFullWithin, for, most, leavesBelow, leavesAfter',
      )
      .optional()
      .meta({
        description:
          'When a spare server serves beside the others because its pool is full. Left out: only when all the others are down',
      }),
    knownFaults: z
      .strictObject(
        {
          accept: list(
            text('the name of a known fault', /^[a-z0-9.-]{1,64}$/),
            'names of known faults',
            0,
            100,
          )
            .default([])
            .meta({ description: 'Faults of docs/known-faults.md that do not stop a change of this site' }),
        },
        'accept',
      )
      .prefault({}),
    limits: z
      .strictObject(
        {
          removedServersShareMax: share(0)
            .default(0.5)
            .meta({ description: 'The most servers, as a share of a pool, that one change may take away' }),
          movedTrafficShareMax: share(0).default(1).meta({
            description:
              'The most recent traffic, as a share, that one change may bring to servers or answers that it did not come to before; counted from the access log, so below 1 it needs one in a file',
          }),
          spareBalancersMin: wholeNumber(0, 1000).default(0).meta({
            description: 'How many other balancers must serve while one of them tries a change',
          }),
          olderTexts: z.enum(['refused', 'allowed'], 'one of').default('refused').meta({
            description:
              'What becomes of a text that ran before the one that runs: refused, unless `--older` says that it is meant',
          }),
          liveServersShareMin: share(0)
            .default(0.5)
            .meta({ description: 'The least live servers, as a share of a pool' }),
        },
        'removedServersShareMax, liveServersShareMin',
      )
      .prefault({}),
  },
  'canary, bake, drainTimeout, net, limits, spares',
);

const clientTimeouts = z.strictObject(
  {
    client: duration('60s').meta({
      description: 'Silence of a client that sends its body, or should read its answer',
    }),
    request: duration('15s').meta({ description: 'How long the head of a request may take' }),
    body: optionalDuration().meta({
      description: 'How long the whole of a body may take; as long as the client is not silent when left out',
    }),
    keepAlive: duration('60s').meta({ description: 'How long a connection may be without a request' }),
  },
  'time-outs: client, request, body, keepAlive',
);

const accessLogText = 'where to log: stdout, file:/PATH, syslog:HOST:PORT or syslog:/SOCKET';
const accessLog = text(accessLogText, /^(?:stdout|(?:file|syslog):[A-Za-z0-9._[\]:/-]{1,200})$/).refine(
  (word) => parseLogTarget(word) !== null,
  accessLogText,
);

export const partsMax = { listeners: 100, routes: 10_000, pools: 10_000, balancers: 64 } as const;

export const siteSchema = z.strictObject(
  {
    site: name.meta({ description: "The site's name" }),
    listeners: list(listener, 'a list of listeners', 1, partsMax.listeners).meta({
      description: 'Where the site listens',
    }),
    routes: list(route, 'a list of routes', 1, partsMax.routes).meta({
      description:
        'Which requests go to which pool, in the words of the Gateway API; the most specific one decides',
    }),
    pools: list(pool, 'a list of pools', 1, partsMax.pools).meta({ description: 'The web servers' }),
    balancers: list(balancer, 'a list of balancers', 1, partsMax.balancers).meta({
      description: 'The load-balancer nodes',
    }),
    timeouts: clientTimeouts.prefault({}).meta({ description: "Of the clients' side" }),
    accessLog: accessLog.optional().meta({
      description:
        'One JSON object a line for each request: stdout, file:/PATH, syslog:HOST:PORT or syslog:/SOCKET',
    }),
    errorPages: list(errorPage, 'a list of pages', 0, 7).default([]).meta({
      description: "Bodies of the engine's own error answers; what a server answers stays",
    }),
    expect: expectations.optional().meta({
      description: 'Cases that must come out as they say: `holdfast check` and every change hold them',
    }),
    policies: policies.optional().meta({
      description: 'What must stay true of the site; a change is held against those of the site that runs',
    }),
    guard: guard.prefault({}).meta({ description: 'How carefully changes go live' }),
  },
  'a site: site, listeners, routes, pools, balancers',
);

export const partSchemas = { listeners: listener, routes: route, pools: pool, balancers: balancer } as const;

export type SiteDocument = z.output<typeof siteSchema>;
export type ListenerPart = z.output<typeof listener>;
export type RoutePart = z.output<typeof route>;
export type MatchPart = z.output<typeof matchSchema>;
export type ServerPart = z.output<typeof server>;
export type BalancerPart = z.output<typeof balancer>;

/** For editors: `schema/site.schema.json`. */
export function siteJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...rest } = z.toJSONSchema(siteSchema, { io: 'input', target: 'draft-7' });
  return { $schema, title: 'A Holdfast site file', ...rest };
}

import { z } from 'zod';
import { algorithms, checkMethods, ejectionCauses, retryCauses } from './pool.ts';
import { size } from './schema-access.ts';
import {
  duration,
  fileName,
  list,
  name,
  optionalDuration,
  share,
  text,
  wholeNumber,
  yesOrNo,
} from './schema-words.ts';
import { parseAddress } from './words.ts';

const serverAddress = text(
  'a host and port such as "10.0.0.7:8080", "[::1]:8080" or "web-1.internal:8080"',
  /^\S{1,300}$/,
)
  .refine((word) => {
    const address = parseAddress(word);
    return address !== null && address.host !== '*';
  }, 'a host and port such as "10.0.0.7:8080", "[::1]:8080" or "web-1.internal:8080"')
  .meta({ description: 'Host name or address, and port' });

export const server = z.union([
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
      spare: yesOrNo(false).meta({
        description: 'Used only when every server that is none is down; of several, the first live one',
      }),
      maintenance: yesOrNo(false).meta({
        description: 'Gets no request and is not asked how it is',
      }),
    },
    'a server: "host:port", or address, name, weight, connectionsMax, spare, maintenance',
  ),
]);

const statusText = 'a status such as 200, a range such as "200-399", or a list of these';
const status = z.union(
  [
    wholeNumber(100, 599),
    text(statusText, /^[1-5][0-9][0-9]-[1-5][0-9][0-9]$/).refine(
      (word) => word.slice(0, 3) <= word.slice(4),
      'a range that rises, such as "200-399"',
    ),
  ],
  statusText,
);

/** One word of an engine's text: printable, and nothing that an engine would read as anything else. */
const plainText = text(
  'text of 1 to 256 printable ASCII characters, with no space at either end and no backslash',
  /^[\x21-\x5b\x5d-\x7e](?:[\x20-\x5b\x5d-\x7e]{0,254}[\x21-\x5b\x5d-\x7e])?$/,
);

const headerName = text('the name of a header', /^[A-Za-z0-9!$%&*+.^_|~-]{1,256}$/);

const healthCheck = z.strictObject(
  {
    path: text('a path that begins with "/", such as "/health"', /^\/[A-Za-z0-9._~!$&()*+,;=:@%/?-]{0,1023}$/)
      .optional()
      .meta({ description: 'Asked over HTTP; a TCP connection is enough when left out' }),
    method: z.enum(checkMethods, 'one of').optional().meta({ description: 'GET when left out' }),
    host: text('a host name, with or without a port', /^[A-Za-z0-9._[\]:-]{1,253}$/)
      .optional()
      .meta({ description: "The Host header; the first server's address when left out" }),
    headers: list(
      z.strictObject({ name: headerName, value: plainText }, 'a header: name, value'),
      'a list of headers',
      0,
      16,
    ).default([]),
    expectStatus: z
      .union([status, list(status, 'a list of statuses', 1, 16)], statusText)
      .default(200)
      .meta({ description: 'A status, a range such as "200-399", or a list of these' }),
    expectBody: plainText.optional().meta({ description: "The answer's body must contain it" }),
    port: wholeNumber(1, 65_535).optional().meta({
      description: "Asked there, in plain HTTP or TCP; at the server's own port when left out",
    }),
    interval: duration('2s'),
    timeout: duration('1s'),
    rise: wholeNumber(1, 100)
      .default(2)
      .meta({ description: 'Good checks in a row that bring a server back' }),
    fall: wholeNumber(1, 100).default(3).meta({ description: 'Bad checks in a row that take a server out' }),
  },
  'a health check: path, method, host, headers, expectStatus, expectBody, port, interval, timeout, rise, fall',
);

const identity = z.strictObject(
  {
    header: z
      .strictObject({ name: headerName, value: plainText }, 'a header: name, value')
      .optional()
      .meta({ description: 'The answer to the check has this header, with this value' }),
    body: plainText.optional().meta({ description: "The answer's body contains it" }),
  },
  'an identity: header, body',
);

const timeouts = z.strictObject(
  {
    connect: duration('2s'),
    server: duration('30s').meta({
      description: 'Silence of the server while an answer is awaited or under way',
    }),
    firstByte: optionalDuration().meta({
      description: 'Until an answer begins, in the place of "server"',
    }),
    queue: duration('5s').meta({ description: 'How long a request may wait for a server' }),
    tunnel: duration('1h').meta({
      description:
        'Silence of both sides of an upgraded connection, such as a WebSocket, or of a TCP connection',
    }),
  },
  'time-outs: connect, server, firstByte, queue, tunnel',
);

const cookieName = text('the name of a cookie', /^[A-Za-z0-9_.-]{1,64}$/);

const hash = z.strictObject(
  {
    on: z.enum(['path', 'header', 'cookie'], 'one of'),
    name: headerName.optional().meta({ description: 'Of the header or cookie' }),
  },
  'what the hash is of: on, name',
);

const stickyCookie = z.strictObject(
  {
    name: cookieName,
    httpOnly: yesOrNo(true).meta({ description: 'Scripts do not see it' }),
    secure: yesOrNo(false).meta({ description: 'Sent over TLS only' }),
    sameSite: z.enum(['Strict', 'Lax', 'None'], 'one of').optional(),
    maxAge: optionalDuration().meta({ description: 'Until the browser is closed when left out' }),
    domain: text('a host name', /^(?=.{1,253}$)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*$/).optional(),
  },
  'a sticky cookie: name, httpOnly, secure, sameSite, maxAge, domain',
);

const ejection = z.strictObject(
  {
    of: z.enum(ejectionCauses, 'one of').default('connections').meta({
      description: 'answers: also answers 500 and above (not 501, 505), and broken ones',
    }),
    errorsInARow: wholeNumber(1, 1000).default(10),
    serversShareMax: share(0.0001).optional().meta({
      description: 'No server is taken out when more than this share of the pool would be down then',
    }),
  },
  'an ejection: of, errorsInARow, serversShareMax',
);

const retries = z.strictObject(
  {
    max: wholeNumber(0, 10).default(3),
    on: list(z.enum(retryCauses, 'one of'), 'a list of connect, empty, timeout, 5xx', 1, 4)
      .default(['connect'])
      .meta({
        description:
          'connect: no connection came about; empty: it ended without an answer; timeout: no answer in time; 5xx: 500, 502, 503, 504. All but connect for GET, HEAD, OPTIONS and TRACE only',
      }),
  },
  'retries: max, on',
);

const poolTls = z.strictObject(
  {
    ca: fileName.optional().meta({
      description:
        "PEM file with the authorities that sign the servers' certificates; the system's when left out",
    }),
    name: text('a host name', /^(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/)
      .optional()
      .meta({
        description:
          "What is asked for (SNI) and must be in the certificate; each server's host name when left out",
      }),
    verify: z
      .enum(['required', 'none'], 'one of')
      .default('required')
      .meta({ description: 'none: whoever answers is believed' }),
    certificate: fileName.optional().meta({ description: 'PEM file that is shown to the servers' }),
    key: fileName.optional().meta({ description: "PEM file with that certificate's key" }),
  },
  'TLS to servers: ca, name, verify, certificate, key',
);

const circuitBreaker = z.strictObject(
  {
    failures: share(0.0001).default(0.5).meta({ description: 'The share of failed requests that opens it' }),
    requests: wholeNumber(1, 1_000_000)
      .default(20)
      .meta({ description: 'It does not open by fewer in a window' }),
    window: duration('10s'),
    open: duration('10s').meta({ description: 'How long requests are answered 503 at once' }),
  },
  'a circuit breaker: failures, requests, window, open',
);

const compression = z.strictObject(
  {
    types: list(
      text(
        'a media type such as "text/html"',
        /^[A-Za-z0-9][A-Za-z0-9.+-]{0,63}\/[A-Za-z0-9][A-Za-z0-9.+-]{0,63}$/,
      ),
      'a list of media types',
      1,
      64,
    )
      .default([
        'text/html',
        'text/css',
        'text/plain',
        'text/javascript',
        'application/javascript',
        'application/json',
        'image/svg+xml',
      ])
      .meta({ description: 'Of the answers, without parameters' }),
    minSize: size.optional().meta({
      description:
        'Shorter answers stay as they are, such as 1KiB; those that do not tell their length are compressed',
    }),
  },
  'a compression: types, minSize',
);

export const serversMax = 10_000;

export const pool = z.strictObject(
  {
    name,
    algorithm: z.enum(algorithms, 'one of').default('roundrobin').meta({
      description: 'How a server is chosen; hash needs "hash"',
    }),
    hash: hash.optional().meta({ description: 'What the algorithm "hash" looks at' }),
    stickyCookie: stickyCookie.optional().meta({ description: 'Leads a client back to its server' }),
    servers: list(server, 'a list of servers', 1, serversMax),
    tls: poolTls.optional().meta({ description: 'The servers speak TLS' }),
    proxyProtocol: z.enum(['v1', 'v2'], 'one of').optional().meta({
      description: "The servers get the client's address by the PROXY protocol",
    }),
    healthCheck: healthCheck.prefault({}),
    identity: identity.optional().meta({
      description: 'What only servers of this pool answer to its health check; one that does not is down',
    }),
    ejection: ejection.optional().meta({
      description: 'Takes a server out after errors in a row, until `rise` checks in a row were good',
    }),
    slowStart: optionalDuration().meta({
      description: 'How long the share of a server that came back takes to grow',
    }),
    retries: retries.prefault({}),
    queuedMax: wholeNumber(1, 1_000_000).optional().meta({
      description: 'Requests that may wait for a server; more are answered 503 at once',
    }),
    timeouts: timeouts.prefault({}),
    compression: compression
      .optional()
      .meta({ description: 'Answers are compressed (gzip) for clients that take it' }),
    circuitBreaker: circuitBreaker.optional().meta({
      description: 'When most requests fail, the next ones are answered 503 at once for a time',
    }),
  },
  'a pool: name, servers',
);

export type PoolPart = z.output<typeof pool>;

import { z } from 'zod';
import { duration, list, name, text, wholeNumber } from './schema-words.ts';
import { algorithms } from './site.ts';
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

export const pool = z.strictObject(
  {
    name,
    algorithm: z.enum(algorithms, 'one of').default('roundrobin'),
    servers: list(server, 'a list of servers', 1, 10_000),
    healthCheck: healthCheck.prefault({}),
    timeouts: timeouts.prefault({}),
  },
  'a pool: name, servers',
);

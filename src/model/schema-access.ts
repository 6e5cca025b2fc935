import { isIP } from 'node:net';
import { z } from 'zod';
import { forwardedHeaders } from '#routing';
import { list, text, wholeNumber } from './schema-words.ts';
import { parseBytes, parseDurationMs } from './words.ts';

/** Who may ask, how often, and how much. */

const networkExpected = 'an address or network such as 10.0.0.7, 10.0.0.0/8 or "2001:db8::/32"';

export const network = text(networkExpected, /^[0-9A-Fa-f.:]{2,45}(?:\/\d{1,3})?$/).refine((word) => {
  const [address = '', bits] = word.split('/');
  const family = isIP(address);
  return family > 0 && (bits === undefined || Number(bits) <= (family === 6 ? 128 : 32));
}, networkExpected);

const networks = list(network, 'a list of addresses and networks', 0, 1_000).default([]);

/** The formats of crypt(3) that every engine knows. More rounds would let one password cost a second. */
const hashExpected =
  'a hash of SHA-crypt ("$6$..." or "$5$...", at most 100000 rounds), as `openssl passwd -6` prints it';
const passwordHash = text(
  hashExpected,
  /^\$(?:5(?:\$rounds=\d{4,6})?\$[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{43}|6(?:\$rounds=\d{4,6})?\$[./0-9A-Za-z]{1,16}\$[./0-9A-Za-z]{86})$/,
).refine((hash) => Number(/rounds=(\d+)/.exec(hash)?.[1] ?? 5_000) <= 100_000, hashExpected);

const user = z.strictObject(
  {
    name: text('a name of letters, digits, "-", "_", "." and "@", at most 64', /^[A-Za-z0-9._@-]{1,64}$/),
    passwordHash: passwordHash.meta({ description: 'SHA-crypt: `openssl passwd -6`' }),
  },
  'a user: name, passwordHash',
);

const basicAuth = z.strictObject(
  {
    realm: text(
      'a short text of letters, digits, spaces, "-", "_" and "."',
      /^[A-Za-z0-9 ._-]{1,64}$/,
    ).default('restricted'),
    users: list(user, 'a list of users', 1, 1_000),
  },
  'a password: realm, users',
);

const perExpected = 'a duration from 1s to 1h, such as 10s or 1m';

const rate = z.strictObject(
  {
    requests: wholeNumber(1, 1_000_000),
    per: text(perExpected, /^\d{1,6}(?:ms|s|m|h)$/)
      .refine((word) => parseDurationMs(word) >= 1_000 && parseDurationMs(word) <= 3_600_000, perExpected)
      .default('1s'),
  },
  'a rate: requests, per',
);

const bytesExpected = 'a size up to 1024GiB, such as 512KiB or 10MiB';

export const size = text(bytesExpected, /^\d{1,7}(?:B|KiB|MiB|GiB)$/).refine(
  (word) => parseBytes(word) <= 2 ** 40,
  bytesExpected,
);

export const access = z.strictObject(
  {
    deny: networks.meta({ description: 'Clients that get 403' }),
    allow: networks.meta({ description: 'When given, all other clients get 403' }),
    rate: rate
      .optional()
      .meta({ description: 'Requests of one client (an IPv4 address, a /64 of IPv6); more get 429' }),
    basicAuth: basicAuth.optional().meta({ description: 'Others get 401' }),
    bodyMax: size.optional().meta({
      description: 'The longest body; longer ones get 413, and those that do not tell their length 411',
    }),
  },
  'limits of access: deny, allow, rate, basicAuth, bodyMax',
);

/** What servers are told about the client. */
export const forwarded = z.strictObject(
  {
    policy: z.enum(['replace', 'append', 'off'], 'one of').default('replace').meta({
      description:
        'replace what came, append to it when it came from a trusted source, or tell servers nothing',
    }),
    trusted: networks.meta({ description: 'Proxies in front of this one, whose word counts; with append' }),
    also: list(z.enum(forwardedHeaders, 'one of'), 'a list of headers', 0, 3)
      .default([])
      .meta({ description: 'Beside X-Forwarded-For and X-Forwarded-Proto' }),
  },
  'policy, trusted, also',
);

export const hsts = z.strictObject(
  {
    maxAge: text('a number of days such as 365d', /^\d{1,4}d$/).default('365d'),
    includeSubDomains: z.boolean('true or false').default(false),
    preload: z.boolean('true or false').default(false),
  },
  'maxAge, includeSubDomains, preload',
);

export type AccessPart = z.output<typeof access>;

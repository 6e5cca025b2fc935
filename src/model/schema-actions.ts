import { z } from 'zod';
import { access } from './schema-access.ts';
import { fileName, list, name, optionalDuration, plainHostname, text, wholeNumber } from './schema-words.ts';

/** What a route does with a request: one of `actionKeys`, and any of `filterKeys`. */

export const redirectStatuses = [301, 302, 303, 307, 308] as const;

const newPathValue = text(
  'a path that begins with "/", as it stands in a URL, without "?" and "#"',
  /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]{0,1023}$/,
).refine((path) => !/\/\/|\/\.\.?(?:\/|$)/.test(path), 'a path without "//", "/./" and "/../"');

const newPath = z.strictObject(
  {
    replaceFullPath: newPathValue.optional().meta({ description: 'In the place of the whole path' }),
    replacePrefixMatch: newPathValue.optional().meta({
      description: 'In the place of the prefix that the match names: /foo by /x makes /x/bar of /foo/bar',
    }),
  },
  'a new path: replaceFullPath or replacePrefixMatch',
);

const status = z.literal(redirectStatuses, 'one of');

const redirect = z.strictObject(
  {
    scheme: z.enum(['http', 'https'], 'one of').optional(),
    hostname: plainHostname.optional(),
    port: wholeNumber(1, 65_535).optional().meta({
      description: "Left out: the scheme's own where a scheme is given, else the listener's",
    }),
    path: newPath.optional(),
    statusCode: status
      .default(302)
      .meta({ description: '307 and 308 keep the method; 301 and 308 are permanent' }),
  },
  'a redirect: scheme, hostname, port, path, statusCode',
);

/** Belong to one connection, or to the framing of the message: no rule may touch them. */
const framing = [
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'http2-settings',
];

function headerName(refused: readonly string[], remedy: string) {
  return text('the name of a header, at most 256 characters', /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,256}$/)
    .refine((word) => !framing.includes(word.toLowerCase()), 'a header that does not frame the message')
    .refine((word) => !/^holdfast-/i.test(word), 'a header that does not begin with "holdfast-"')
    .refine((word) => !refused.includes(word.toLowerCase()), remedy);
}

const headerValue = text(
  'text of 1 to 2048 printable ASCII characters, with no space at either end',
  /^[\x21-\x7e](?:[\x20-\x7e]{0,2046}[\x21-\x7e])?$/,
);

function header(refused: readonly string[], remedy: string) {
  return z.strictObject({ name: headerName(refused, remedy), value: headerValue }, 'a header: name, value');
}

function headerChanges(refused: readonly string[], remedy: string) {
  const one = header(refused, remedy);
  return z.strictObject(
    {
      set: list(one, 'a list of headers', 0, 32)
        .default([])
        .meta({ description: 'In the place of all headers of that name' }),
      add: list(one, 'a list of headers', 0, 32)
        .default([])
        .meta({ description: 'One more, whatever is there' }),
      remove: list(headerName(refused, remedy), 'a list of names of headers', 0, 32).default([]),
    },
    'changes of headers: set, add, remove',
  );
}

export const answerBodyBytesMax = 12_288;

const body = z
  .string('text')
  .refine((text) => Buffer.byteLength(text) <= answerBodyBytesMax, `at most ${answerBodyBytesMax} bytes`)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it keeps out
  .refine((text) => !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text), 'text without control characters');

const bodyFile = fileName.optional().meta({
  description: 'In the place of body: a file of UTF-8 text, at most 12 KiB, relative to this file',
});

const pageStatuses = [403, 404, 413, 429, 502, 503, 504] as const;

export const errorPage = z.strictObject(
  {
    statusCodes: list(z.literal(pageStatuses, 'one of'), 'a list of status codes', 1, 7),
    contentType: headerValue.default('text/html; charset=utf-8'),
    body: body.optional(),
    file: bodyFile,
  },
  'a page: statusCodes, contentType, body or file',
);

const answer = z.strictObject(
  {
    statusCode: wholeNumber(200, 599),
    headers: list(
      header(['content-type'], 'another header: the type of the body is "contentType"'),
      'a list of headers',
      0,
      32,
    ).default([]),
    contentType: headerValue.optional().meta({
      description: "By the file's name when left out (.html, .css, .json, .xml, .svg), else text/plain",
    }),
    body: body.optional(),
    file: bodyFile,
  },
  'a fixed answer: statusCode, headers, contentType, body or file',
);

const weighted = z.strictObject(
  {
    pool: name,
    weight: wholeNumber(0, 1_000_000)
      .default(1)
      .meta({ description: 'Share of requests, relative to the others; 0 gets none' }),
  },
  'a pool and its weight',
);

/** A route has exactly one of these. */
export const actionKeys = {
  pool: name.optional().meta({ description: 'Name of the pool that answers' }),
  pools: list(weighted, 'a list of pools with weights', 1, 16)
    .optional()
    .meta({ description: 'Several pools that answer in shares, each request by chance' }),
  redirect: redirect.optional().meta({ description: 'Send the client elsewhere; its query is kept' }),
  answer: answer.optional().meta({ description: 'Answer without asking a server' }),
};

/** With `pool` and `pools` only. */
export const filterKeys = {
  rewrite: z
    .strictObject(
      { hostname: plainHostname.optional(), path: newPath.optional() },
      'a rewrite: hostname, path',
    )
    .optional()
    .meta({ description: 'What the server sees as Host and path; routes are chosen before' }),
  requestHeaders: headerChanges(['host'], 'another header: Host is changed with rewrite.hostname')
    .optional()
    .meta({ description: 'Headers of the request on its way to the server' }),
  responseHeaders: headerChanges([], '')
    .optional()
    .meta({ description: "Headers of the server's answer on its way to the client" }),
  timeouts: z
    .strictObject(
      {
        server: optionalDuration(),
        tunnel: optionalDuration(),
        request: optionalDuration().meta({
          description: 'For the whole exchange, from the head of the request to the end of its answer',
        }),
      },
      'time-outs: server, tunnel, request',
    )
    .optional()
    .meta({ description: "In the place of the pool's, for requests of this route" }),
  mirror: z
    .strictObject(
      {
        pool: name.meta({ description: 'Name of the pool whose servers get the copies' }),
        percent: z
          .number('a number from 0.01 to 100')
          .min(0.01, 'a number from 0.01 to 100')
          .max(100, 'a number from 0.01 to 100')
          .default(100)
          .meta({ description: 'Share of the requests that is copied, each by chance' }),
      },
      'a mirror: pool, percent',
    )
    .optional()
    .meta({ description: 'Copies of requests go to another pool too, and its answers are thrown away' }),
};

/** With every action. */
export const accessKeys = {
  access: access.optional().meta({ description: 'Who may ask; the limits of the listener hold too' }),
};

export type NewPathPart = z.output<typeof newPath>;
export type RedirectPart = z.output<typeof redirect>;
export type AnswerPart = z.output<typeof answer>;

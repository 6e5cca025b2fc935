import {
  answers,
  type ContractCase,
  get,
  ok,
  post,
  request,
  type SeenRequest,
  type Sees,
  type Words,
} from '../case.ts';

const line = 'GET /x HTTP/1.1';

function said(
  id: string,
  holds: string,
  site: NonNullable<ContractCase['site']>,
  [bytes, sees, seen]: readonly [string, Sees, readonly SeenRequest[]],
): ContractCase {
  return { id, holds, site, client: [bytes], sees, seen };
}

const route = (words: Words) => ({ route: words });
const listener = (words: Words) => ({ listener: words });
const moved = { redirect: { scheme: 'https', statusCode: 301 } };
const busy = {
  answer: {
    statusCode: 503,
    contentType: 'text/html',
    headers: [{ name: 'Retry-After', value: '60' }],
    body: '<p>Back at ten',
  },
};
const api = {
  matches: [{ path: { value: '/api' } }],
  rewrite: { hostname: 'api.internal', path: { replacePrefixMatch: '/' } },
};
const ok200: Sees = { status: [200], closed: false };
const secret =
  '$6$Zz./9$iBh2KJunrhbHcLy6c1ppX4OGqMefrutT6fwcc3KhH8niyfqnACcopaHToqnyzV974OTS/YRGpoA2sBz2hzfI10';

/** Words of the site file, as they come out on the wire. */
export const siteWords: readonly ContractCase[] = [
  said('redirect', 'A redirect keeps host, path and query, and asks no server.', route(moved), [
    get('/x?y=%20z'),
    { status: [301], headers: { location: 'https://a.example/x?y=%20z' }, closed: false },
    [],
  ]),
  said(
    'redirect-prefix',
    'A redirect of a prefix keeps what is behind it.',
    route({
      matches: [{ path: { value: '/old' } }],
      redirect: { path: { replacePrefixMatch: '/new' }, statusCode: 308 },
    }),
    [
      get('/old/a%2Fb?x=1'),
      { status: [308], headers: { location: /^http:\/\/a\.example(:\d+)?\/new\/a%2Fb\?x=1$/ } },
      [],
    ],
  ),
  said(
    'redirect-host',
    'A redirect to another host says its name.',
    route({ redirect: { scheme: 'https', hostname: 'www.a.example', path: { replaceFullPath: '/start' } } }),
    [get('/x'), { status: [302], headers: { location: 'https://www.a.example/start' } }, []],
  ),
  {
    id: 'redirect-injected',
    holds: 'What a redirect keeps of a target cannot end its line.',
    site: route(moved),
    client: [get('/x%0d%0aSet-Cookie:a=b')],
    sees: {
      status: [301],
      headers: { location: 'https://a.example/x%0d%0aSet-Cookie:a=b', 'set-cookie': null },
    },
    seen: [],
  },
  {
    id: 'redirect-body',
    holds: 'A body that nobody wanted does not become the next request.',
    site: route(moved),
    client: [
      request(post('Content-Length: 39'), 'GET /smuggled HTTP/1.1\r\nHost: a.example'),
      /301/,
      { kind: 'pause', ms: 50 },
    ],
    sees: { status: [301] },
    seen: [],
  },
  said('answer', 'A fixed answer has its status, fields and body.', route(busy), [
    get('/x'),
    {
      status: [503],
      headers: { 'retry-after': '60', 'content-type': 'text/html', 'content-length': '14' },
      body: '<p>Back at ten',
    },
    [],
  ]),
  {
    id: 'answer-to-head',
    holds: 'A fixed answer to HEAD has no body; the connection goes on.',
    site: route({ answer: { statusCode: 200, body: 'all is well' } }),
    client: [request(['HEAD /x HTTP/1.1', 'Host: a.example']), /\r\n\r\n/, get('/x')],
    sees: { status: [200, 200], body: 'all is well' },
    seen: [],
  },
  said('rewrite', 'A rewrite changes host and prefix, and nothing else of the target.', route(api), [
    get('/api/v1/a%2Fb?x=/api'),
    ok200,
    [{ line: 'GET /v1/a%2Fb?x=/api HTTP/1.1', headers: { host: 'api.internal' } }],
  ]),
  said('rewrite-all', 'What is a prefix as a whole becomes a slash.', route(api), [
    get('/api'),
    ok200,
    [{ line: 'GET / HTTP/1.1' }],
  ]),
  said('rewrite-dots', 'A rewrite resolves no dots.', route(api), [
    get('/api/../x'),
    ok200,
    [{ line: 'GET /../x HTTP/1.1' }],
  ]),
  said(
    'headers-set',
    'A field that is set stands in the place of all that the client sent.',
    route({ requestHeaders: { set: [{ name: 'X-Tenant', value: 'shop' }] } }),
    [get('/x', 'X-Tenant: forged', 'x-tenant: twice'), ok200, [{ line, headers: { 'x-tenant': 'shop' } }]],
  ),
  said(
    'headers-removed',
    'A field that is removed is gone, however it is written.',
    route({ requestHeaders: { remove: ['X-Debug'] } }),
    [
      get('/x', 'x-DEBUG: 1', 'X-Debug: 2', 'X-Debugger: 3'),
      ok200,
      [{ line, headers: { 'x-debug': null, 'x-debugger': '3' } }],
    ],
  ),
  said(
    'headers-added',
    'A field that is added stands behind what came.',
    route({ requestHeaders: { add: [{ name: 'X-Via', value: 'b' }] } }),
    [get('/x', 'X-Via: a'), ok200, [{ line, headers: { 'x-via': 'a, b' } }]],
  ),
  {
    id: 'answer-headers-changed',
    holds: 'Fields of an answer are removed and set.',
    site: route({
      responseHeaders: { set: [{ name: 'Cache-Control', value: 'no-store' }], remove: ['X-Powered-By'] },
    }),
    client: [get('/x')],
    origin: [
      answers('HTTP/1.1 200 OK\r\nX-Powered-By: x\r\nCache-Control: public\r\nContent-Length: 2\r\n\r\nok'),
    ],
    sees: { status: [200], headers: { 'cache-control': 'no-store', 'x-powered-by': null }, body: 'ok' },
    seen: [{ line }],
  },
  said(
    'forwarded-off',
    'With `forwarded: off` the server is told nothing, not even what the client says.',
    listener({ forwarded: { policy: 'off' } }),
    [
      get('/x', 'X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Proto: https'),
      ok200,
      [{ line, headers: { 'x-forwarded-for': null, 'x-forwarded-proto': null } }],
    ],
  ),
  said(
    'forwarded-append',
    'Behind a trusted proxy the client is added to what it said.',
    listener({ forwarded: { policy: 'append', trusted: ['127.0.0.0/8'] } }),
    [
      get('/x', 'X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https'),
      ok200,
      [{ line, headers: { 'x-forwarded-for': '192.0.2.7, 127.0.0.1', 'x-forwarded-proto': 'https' } }],
    ],
  ),
  said(
    'forwarded-append-stranger',
    'What somebody says who is no trusted proxy is replaced.',
    listener({ forwarded: { policy: 'append', trusted: ['10.0.0.0/8'] } }),
    [
      get('/x', 'X-Forwarded-For: 192.0.2.7', 'X-Forwarded-Proto: https'),
      ok200,
      [{ line, headers: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' } }],
    ],
  ),
  said(
    'forwarded-also',
    'Forwarded is written as RFC 7239 has it, in the place of what came.',
    listener({ forwarded: { also: ['Forwarded', 'X-Forwarded-Host'] } }),
    [
      get('/x', 'Forwarded: for=6.6.6.6', 'X-Forwarded-Host: forged'),
      ok200,
      [
        {
          line,
          headers: { forwarded: /^for="?127\.0\.0\.1"?;\s?proto=http$/, 'x-forwarded-host': 'a.example' },
        },
      ],
    ],
  ),
  said(
    'access-denied',
    'A client of a denied network gets 403.',
    route({ access: { deny: ['127.0.0.0/8'] } }),
    [get('/x'), { status: [403] }, []],
  ),
  said(
    'access-denied-forged',
    'An address that the client only claims opens nothing.',
    route({ access: { allow: ['10.0.0.0/8'] } }),
    [
      get('/x', 'X-Forwarded-For: 10.0.0.1', 'Forwarded: for=10.0.0.1', 'X-Real-IP: 10.0.0.1'),
      { status: [403] },
      [],
    ],
  ),
  said(
    'access-body-too-long',
    'A body beyond its limit gets 413, and reaches no server.',
    route({ access: { bodyMax: '1KiB' } }),
    [request(post('Content-Length: 2000'), 'x'.repeat(2_000)), { status: [413] }, []],
  ),
  said(
    'access-body-unknown',
    'A body that does not tell its length gets 411 where there is a limit.',
    route({ access: { bodyMax: '1KiB' } }),
    [request(post('Transfer-Encoding: chunked'), '2\r\nab\r\n0\r\n\r\n'), { status: [411] }, []],
  ),
  said('access-body-fits', 'A body within its limit arrives.', route({ access: { bodyMax: '1KiB' } }), [
    request(post('Content-Length: 1024'), 'x'.repeat(1_024)),
    ok200,
    [{ line: 'POST /a HTTP/1.1', bodyBytes: 1_024 }],
  ]),
  {
    id: 'access-rate',
    holds: 'Beyond its rate a client gets 429.',
    site: route({ access: { rate: { requests: 2, per: '1h' } } }),
    client: [get('/x'), /ok$/, get('/x'), /ok[\s\S]*ok$/, get('/x')],
    origin: [answers(ok)],
    sees: { status: [200, 200, 429] },
    seen: [{ line }, { line }],
  },
  said(
    'access-password-missing',
    'Without a password 401 says which one is wanted.',
    route({
      access: { basicAuth: { realm: 'Back office', users: [{ name: 'anna', passwordHash: secret }] } },
    }),
    [get('/x'), { status: [401], headers: { 'www-authenticate': /^Basic realm="Back office"/ } }, []],
  ),
  said(
    'access-password-wrong',
    'A wrong password gets 401.',
    route({
      access: { basicAuth: { realm: 'Back office', users: [{ name: 'anna', passwordHash: secret }] } },
    }),
    [get('/x', 'Authorization: Basic YW5uYTp3cm9uZw=='), { status: [401] }, []],
  ),
  said(
    'sticky-set',
    'The first answer of a sticky pool names the server in its cookie.',
    { pool: { stickyCookie: { name: 'SRV' } } },
    [get('/x'), { status: [200], headers: { 'set-cookie': /^SRV=server;.*HttpOnly/i } }, [{ line }]],
  ),
  said(
    'sticky-hidden',
    'The server does not see the cookie that leads to it.',
    { pool: { stickyCookie: { name: 'SRV' } } },
    [
      get('/x', 'Cookie: a=1; SRV=server; b=2'),
      { status: [200], headers: { 'set-cookie': null } },
      [{ line, headers: { cookie: /^a=1; ?b=2$/ } }],
    ],
  ),
  said(
    'sticky-forged',
    'A cookie that names no server is not passed on.',
    { pool: { stickyCookie: { name: 'SRV' } } },
    [
      get('/x', 'Cookie: SRV=../../etc'),
      { status: [200], headers: { 'set-cookie': /^SRV=server/ } },
      [{ line, headers: { cookie: null } }],
    ],
  ),
];

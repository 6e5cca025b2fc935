import { answers, type ContractCase, type Http2Step } from '../case.ts';

type Fields = readonly (readonly [string, string])[];
const line = 'GET /a HTTP/1.1';
const own: Fields = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.example'],
  [':path', '/a'],
];
const posts: Fields = [[':method', 'POST'], ...own.slice(1)];

function headers(fields: Fields, end = true): Http2Step {
  return { kind: 'headers', stream: 1, fields, end };
}
function data(bytes: string, end = true): Http2Step {
  return { kind: 'data', stream: 1, bytes, end };
}
function withPseudo(name: string, value: string): Fields {
  return own.map(([known, old]) => [known, known === name ? value : old] as const);
}
function refusedFields(id: string, holds: string, fields: Fields, source?: string): ContractCase {
  return {
    id,
    holds,
    client: { http2: [headers(fields)] },
    sees: { status: [], refusedHttp2: true },
    seen: [],
    ...(source ? { source } : {}),
  };
}
const desync = 'PortSwigger, HTTP/2: the sequel is always worse (2021)';

/** HTTP/2 to clients, HTTP/1.1 to the server. */
export const http2: readonly ContractCase[] = [
  {
    id: 'h2-get',
    holds: 'A request of HTTP/2 arrives with its host.',
    client: { http2: [headers([...own, ['x-a', '1']])] },
    sees: { status: [200], body: 'ok' },
    seen: [{ line, headers: { host: 'a.example', 'x-a': '1', 'x-forwarded-proto': 'https' } }],
  },
  {
    id: 'h2-post',
    holds: 'A body of HTTP/2 arrives whole.',
    client: { http2: [headers(posts, false), data('hello ', false), data('world')] },
    sees: { status: [200] },
    seen: [{ line: 'POST /a HTTP/1.1', body: 'hello world' }],
  },
  {
    id: 'h2-post-length',
    holds: 'A body with the length that it names arrives.',
    client: { http2: [headers([...posts, ['content-length', '5']], false), data('hello')] },
    sees: { status: [200] },
    seen: [{ line: 'POST /a HTTP/1.1', headers: { 'content-length': '5' }, body: 'hello' }],
  },
  {
    id: 'h2-cookies',
    holds: 'Cookies that HTTP/2 splits are joined.',
    source: 'RFC 9113, 8.2.3; HAProxy, h2_cookie_concat.vtc',
    client: { http2: [headers([...own, ['cookie', 'a=1'], ['cookie', 'b=2']])] },
    sees: { status: [200] },
    seen: [{ line, headers: { cookie: 'a=1; b=2' } }],
  },
  {
    id: 'h2-te-trailers',
    holds: '`te: trailers` is allowed.',
    client: { http2: [headers([...own, ['te', 'trailers']])] },
    sees: { status: [200] },
    seen: [{ line }],
  },
  {
    id: 'h2-host-same',
    holds: 'Host beside :authority is one Host.',
    client: { http2: [headers([...own, ['host', 'a.example']])] },
    sees: { status: [200] },
    seen: [{ line, headers: { host: 'a.example' } }],
  },
  {
    id: 'h2-two-streams',
    holds: 'Two streams of one connection are two requests.',
    client: { http2: [headers(own), { kind: 'headers', stream: 3, fields: own, end: true }] },
    sees: { status: [200, 200] },
    seen: [{ line }, { line }],
  },
  {
    id: 'h2-204',
    holds: '204 ends its stream.',
    client: { http2: [headers(own)] },
    origin: [answers('HTTP/1.1 204 No Content\r\n\r\n')],
    sees: { status: [204], body: '' },
    seen: [{ line }],
  },
  {
    id: 'h2-cut',
    holds: 'An answer that breaks off ends its stream with an error.',
    client: { http2: [headers(own)] },
    origin: [
      answers(
        'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
        { kind: 'pause', ms: 20 },
        { kind: 'close' },
      ),
    ],
    sees: { status: [200], broken: true },
    seen: [{ line }],
  },
  {
    id: 'h2-reset',
    holds: 'A body that is reset never looks whole to the server.',
    client: { http2: [headers(posts, false), data('half', false), { kind: 'rst', stream: 1 }] },
    sees: { status: [] },
    seen: null,
  },
  {
    id: 'h2-trailers',
    holds: 'Trailers of a request do not end up in its head.',
    client: { http2: [headers(posts, false), data('hello', false), headers([['x-sum', '1']])] },
    sees: { status: [200] },
    seen: [{ line: 'POST /a HTTP/1.1', headers: { 'x-sum': null }, body: 'hello' }],
  },
  {
    id: 'h2-connect',
    holds: 'CONNECT is refused.',
    client: {
      http2: [
        headers(
          [
            [':method', 'CONNECT'],
            [':authority', 'a.example:443'],
          ],
          false,
        ),
      ],
    },
    sees: { status: [], refusedHttp2: true },
    seen: [],
  },
  {
    id: 'h2-length-short',
    holds: 'A body shorter than its length is refused, or never looks whole.',
    source: `H2.CL; ${desync}`,
    client: { http2: [headers([...posts, ['content-length', '20']], false), data('hello')] },
    sees: { status: [], refusedHttp2: true },
    seen: [],
  },
  {
    id: 'h2-length-long',
    holds: 'A body longer than its length is refused.',
    source: `H2.CL; ${desync}`,
    client: {
      http2: [
        headers([...posts, ['content-length', '0']], false),
        data('GET /b HTTP/1.1\r\nHost: a.example\r\n\r\n'),
      ],
    },
    sees: { status: [], refusedHttp2: true },
    seen: [],
  },
  refusedFields('h2-two-lengths', 'Two content-length that differ are refused.', [
    ...posts,
    ['content-length', '0'],
    ['content-length', '5'],
  ]),
  refusedFields(
    'h2-transfer-encoding',
    'transfer-encoding is refused.',
    [...own, ['transfer-encoding', 'chunked']],
    `H2.TE; ${desync}`,
  ),
  refusedFields(
    'h2-connection',
    'connection is refused.',
    [...own, ['connection', 'keep-alive']],
    'RFC 9113, 8.2.2',
  ),
  refusedFields('h2-upgrade', 'upgrade is refused.', [...own, ['upgrade', 'websocket']], 'RFC 9113, 8.2.2'),
  refusedFields(
    'h2-te-gzip',
    'te other than trailers is refused.',
    [...own, ['te', 'gzip']],
    'RFC 9113, 8.2.2',
  ),
  refusedFields(
    'h2-uppercase',
    'A name in upper case is refused.',
    [...own, ['X-A', '1']],
    'RFC 9113, 8.2.1',
  ),
  refusedFields(
    'h2-value-line',
    'A line end in a value is refused.',
    [...own, ['x-a', 'b\r\ntransfer-encoding: chunked']],
    desync,
  ),
  refusedFields(
    'h2-value-line-feed',
    'A line feed in a value is refused.',
    [...own, ['x-a', 'b\ntransfer-encoding: chunked']],
    desync,
  ),
  refusedFields(
    'h2-value-zero',
    'A zero byte in a value is refused.',
    [...own, ['x-a', 'b\0c']],
    'RFC 9113, 8.2.1',
  ),
  refusedFields(
    'h2-name-line',
    'A line end in a name is refused.',
    [...own, ['x-a: b\r\ntransfer-encoding', 'chunked']],
    desync,
  ),
  refusedFields(
    'h2-name-colon',
    'A colon in a name is refused.',
    [...own, ['transfer-encoding: chunked\r\nx', '1']],
    desync,
  ),
  refusedFields('h2-name-space', 'A space in a name is refused.', [...own, ['x a', '1']], 'RFC 9113, 8.2.1'),
  refusedFields('h2-name-empty', 'An empty name is refused.', [...own, ['', '1']]),
  refusedFields(
    'h2-path-line',
    'A line end in :path is refused.',
    withPseudo(':path', '/ HTTP/1.1\r\nx: y'),
    desync,
  ),
  refusedFields('h2-path-space', 'A space in :path is refused.', withPseudo(':path', '/a b'), desync),
  refusedFields(
    'h2-path-relative',
    'A :path without its slash is refused.',
    withPseudo(':path', 'hello-world'),
    'HAProxy, h2_desync_attacks.vtc',
  ),
  refusedFields('h2-path-empty', 'An empty :path is refused.', withPseudo(':path', '')),
  refusedFields('h2-path-fragment', 'A fragment in :path is refused.', withPseudo(':path', '/a#b')),
  refusedFields(
    'h2-method-line',
    'A :method that holds a request line is refused.',
    withPseudo(':method', 'GET /admin HTTP/1.1\r\nx: y\r\n\r\nGET'),
    desync,
  ),
  refusedFields(
    'h2-method-odd',
    'A :method that is no token is refused.',
    withPseudo(':method', 'GET?'),
    'HAProxy, h2_desync_attacks.vtc',
  ),
  refusedFields(
    'h2-scheme-odd',
    'A :scheme that holds a URL is refused.',
    withPseudo(':scheme', 'https://b.example/?'),
    'HAProxy, h2_desync_attacks.vtc',
  ),
  refusedFields(
    'h2-authority-line',
    'A line end in :authority is refused.',
    withPseudo(':authority', 'a.example\r\nx: y'),
    desync,
  ),
  refusedFields(
    'h2-authority-slash',
    'A slash in :authority is refused.',
    withPseudo(':authority', 'a.example/b'),
  ),
  refusedFields(
    'h2-authority-user',
    'A user in :authority is refused.',
    withPseudo(':authority', 'b@a.example'),
    'RFC 9113, 8.3.1',
  ),
  refusedFields(
    'h2-host-mismatch',
    'Host and :authority that differ are refused.',
    [...own, ['host', 'b.example']],
    'HAProxy, h2_desync_attacks.vtc',
  ),
  refusedFields('h2-two-hosts', 'Two Host are refused.', [
    ...own.filter(([name]) => name !== ':authority'),
    ['host', 'a.example'],
    ['host', 'b.example'],
  ]),
  refusedFields(
    'h2-no-host',
    'Neither :authority nor Host is refused.',
    own.filter(([name]) => name !== ':authority'),
  ),
  refusedFields('h2-path-twice', 'Two :path are refused.', [...own, [':path', '/b']], desync),
  refusedFields(
    'h2-path-missing',
    'No :path is refused.',
    own.filter(([name]) => name !== ':path'),
  ),
  refusedFields(
    'h2-pseudo-late',
    'A pseudo-header behind a field is refused.',
    [...own.slice(0, 3), ['x-a', '1'], [':path', '/a']],
    'RFC 9113, 8.3',
  ),
  refusedFields(
    'h2-pseudo-unknown',
    'A pseudo-header that nobody knows is refused.',
    [...own, [':odd', '1']],
    'RFC 9113, 8.3',
  ),
  {
    id: 'h2-big',
    holds: 'A large answer arrives whole.',
    client: { http2: [headers(own)] },
    origin: [
      answers('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n', { kind: 'fill', bytes: 1_000_000 }),
    ],
    sees: { status: [200], bodyBytes: 1_000_000 },
    seen: [{ line }],
  },
  {
    id: 'h2-flood',
    holds: 'Eighty streams that are reset at once do the connection no harm.',
    source: 'CVE-2023-44487',
    client: {
      http2: [
        ...Array.from({ length: 80 }, (_, i): Http2Step[] => [
          { kind: 'headers', stream: 2 * i + 1, fields: own, end: false },
          { kind: 'rst', stream: 2 * i + 1 },
        ]).flat(),
        { kind: 'headers', stream: 161, fields: own, end: true },
      ],
    },
    sees: { status: [200] },
    seen: null,
  },
];

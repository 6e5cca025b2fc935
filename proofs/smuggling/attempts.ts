/** Every published way, that we know of, to make a server see a request that its front did not. Our own words and bytes. */
import type { ContractCase, Http2Step } from '../../test/contract/case.ts';

export interface Attempt {
  readonly id: string;
  readonly way: string;
  readonly client: ContractCase['client'];
  /** How many requests it says, for whoever reads it: 1. */
  readonly requests?: number;
}

/** What must not be seen as a request of its own. */
const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.example\r\nX-Ignore: ';
const host = 'Host: a.example';
const chunkedEmpty = `0\r\n\r\n${smuggled}`;

function attempt(id: string, way: string, ...bytes: readonly string[]): Attempt {
  return { id, way, client: bytes };
}

function posted(fields: readonly string[], body: string, target = '/'): string {
  return `${[`POST ${target} HTTP/1.1`, host, ...fields].join('\r\n')}\r\n\r\n${body}`;
}

/** A Transfer-Encoding that one reads and another does not, before a length that covers what is hidden. */
function hiddenCoding(id: string, field: string): Attempt {
  return attempt(
    `te-te-${id}`,
    'TE.TE',
    posted([`Content-Length: ${chunkedEmpty.length}`, field], chunkedEmpty),
  );
}

function oddLength(id: string, ...fields: readonly string[]): Attempt {
  return attempt(`cl-${id}`, 'CL.CL', posted(fields, smuggled));
}

function chunks(id: string, body: string): Attempt {
  return attempt(`chunk-${id}`, 'chunks', posted(['Transfer-Encoding: chunked'], body));
}

function headed(id: string, way: string, ...lines: readonly string[]): Attempt {
  return attempt(id, way, `${lines.join('\r\n')}\r\n\r\n`);
}

const classic: readonly Attempt[] = [
  attempt(
    'cl-te',
    'CL.TE',
    posted([`Content-Length: ${chunkedEmpty.length}`, 'Transfer-Encoding: chunked'], chunkedEmpty),
  ),
  attempt('cl-te-short', 'CL.TE', posted(['Content-Length: 5', 'Transfer-Encoding: chunked'], chunkedEmpty)),
  attempt(
    'te-cl',
    'TE.CL',
    posted(
      ['Transfer-Encoding: chunked', 'Content-Length: 4'],
      `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ),
  ),
  attempt(
    'te-cl-zero',
    'TE.0',
    posted(
      ['Transfer-Encoding: chunked', 'Content-Length: 0'],
      `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
    ),
  ),
  attempt('cl-ignored', 'CL.0', posted([`Content-Length: ${smuggled.length}`], smuggled)),
  attempt(
    'zero-cl',
    '0.CL',
    `GET / HTTP/1.1\r\n${host}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ),
  attempt(
    'zero-cl-expect',
    '0.CL, Expect',
    posted(['Expect: 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt(
    'expect-odd',
    '0.CL, Expect',
    posted(['Expect: y 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt(
    'expect-folded',
    '0.CL, Expect',
    posted(['Expect:', ' 100-continue', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt(
    'head-body',
    'CL.0',
    `HEAD / HTTP/1.1\r\n${host}\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  ),
  attempt(
    'te-get',
    'TE.0',
    `GET / HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  ),
  attempt(
    'options-te',
    'TE.0',
    `OPTIONS / HTTP/1.1\r\n${host}\r\nTransfer-Encoding: chunked\r\n\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`,
  ),
  attempt(
    'te-http10',
    'TE under HTTP/1.0',
    `POST / HTTP/1.0\r\n${host}\r\nConnection: keep-alive\r\nContent-Length: ${chunkedEmpty.length}\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedEmpty}`,
  ),
  attempt(
    'te-http10-alone',
    'TE under HTTP/1.0',
    `POST / HTTP/1.0\r\n${host}\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n${chunkedEmpty}`,
  ),
];

const codings: readonly Attempt[] = [
  hiddenCoding('x', 'Transfer-Encoding: xchunked'),
  hiddenCoding('suffix', 'Transfer-Encoding: chunkedx'),
  hiddenCoding('space-before-colon', 'Transfer-Encoding : chunked'),
  hiddenCoding('tab-before-colon', 'Transfer-Encoding\t: chunked'),
  hiddenCoding('tab', 'Transfer-Encoding:\tchunked'),
  hiddenCoding('vertical-tab', 'Transfer-Encoding: \x0bchunked'),
  hiddenCoding('form-feed', 'Transfer-Encoding:\x0cchunked'),
  hiddenCoding('zero', 'Transfer-Encoding: chunked\0'),
  hiddenCoding('zero-before', 'Transfer-Encoding: \0chunked'),
  hiddenCoding('quoted', 'Transfer-Encoding: "chunked"'),
  hiddenCoding('single-quoted', "Transfer-Encoding: 'chunked'"),
  hiddenCoding('semicolon', 'Transfer-Encoding: chunked;q=1'),
  hiddenCoding('comma-before', 'Transfer-Encoding: ,chunked'),
  hiddenCoding('comma-behind', 'Transfer-Encoding: chunked,'),
  hiddenCoding('identity', 'Transfer-Encoding: identity'),
  hiddenCoding('identity-chunked', 'Transfer-Encoding: identity, chunked'),
  hiddenCoding('chunked-identity', 'Transfer-Encoding: chunked, identity'),
  hiddenCoding('gzip-chunked', 'Transfer-Encoding: gzip, chunked'),
  hiddenCoding('twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x'),
  hiddenCoding('twice-other-order', 'Transfer-Encoding: x\r\nTransfer-Encoding: chunked'),
  hiddenCoding('twice-same', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked'),
  hiddenCoding('empty', 'Transfer-Encoding:'),
  hiddenCoding('folded', 'Transfer-Encoding:\r\n chunked'),
  hiddenCoding('folded-tab', 'Transfer-Encoding:\r\n\tchunked'),
  hiddenCoding('hidden-by-fold', 'X-A: b\r\n Transfer-Encoding: chunked'),
  hiddenCoding('underscore', 'Transfer_Encoding: chunked'),
  hiddenCoding('bytes', 'Transfer-Encoding: \xa0chunked\xa0'),
  hiddenCoding('bytes-in-name', 'Transfer-Encoding\xa0: chunked'),
  hiddenCoding('behind-return', 'X-A: b\rTransfer-Encoding: chunked'),
  hiddenCoding('behind-line-feed', 'X-A: b\nTransfer-Encoding: chunked'),
  hiddenCoding('behind-zero', 'X-A: b\0Transfer-Encoding: chunked'),
  hiddenCoding('space-before-name', ' Transfer-Encoding: chunked'),
  hiddenCoding('zero-in-name', 'Transfer-Encoding\0: chunked'),
  hiddenCoding('line-feed-behind', 'Transfer-Encoding: chunked\n'),
  hiddenCoding('connection-named', 'Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding'),
];

const lengths: readonly Attempt[] = [
  oddLength('twice', 'Content-Length: 0', `Content-Length: ${smuggled.length}`),
  oddLength('twice-other-order', `Content-Length: ${smuggled.length}`, 'Content-Length: 0'),
  oddLength('list', `Content-Length: 0, ${smuggled.length}`),
  oddLength('list-same', `Content-Length: ${smuggled.length}, ${smuggled.length}`),
  oddLength('plus', `Content-Length: +${smuggled.length}`),
  oddLength('minus', 'Content-Length: -1'),
  oddLength('zero-prefixed', `Content-Length: 00${smuggled.length}`),
  oddLength('hexadecimal', `Content-Length: 0x${smuggled.length.toString(16)}`),
  oddLength('underscore', 'Content-Length: 1_0'),
  oddLength('space-in', 'Content-Length: 1 0'),
  oddLength('fraction', `Content-Length: ${smuggled.length}.0`),
  oddLength('exponent', 'Content-Length: 1e1'),
  oddLength('letter', `Content-Length: ${smuggled.length}x`),
  oddLength('empty', 'Content-Length:'),
  oddLength('overflow', `Content-Length: ${2n ** 64n + BigInt(smuggled.length)}`),
  oddLength('overflow-32', `Content-Length: ${2 ** 32 + smuggled.length}`),
  oddLength('space-before-colon', `Content-Length : ${smuggled.length}`),
  oddLength('folded', 'Content-Length:', ` ${smuggled.length}`),
  oddLength('vertical-tab', `Content-Length: \x0b${smuggled.length}`),
  oddLength('zero', `Content-Length: ${smuggled.length}\0`),
  oddLength('behind-return', `X-A: b\rContent-Length: ${smuggled.length}`),
  oddLength('behind-line-feed', `X-A: b\nContent-Length: ${smuggled.length}`),
  oddLength('space-first', ` Content-Length: ${smuggled.length}`),
  oddLength('connection-named', `Content-Length: ${smuggled.length}`, 'Connection: Content-Length'),
];

const chunkTricks: readonly Attempt[] = [
  chunks('extension-line-feed', `2;\nxx\r\n${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`),
  chunks('extension-return', `2;\rxx\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('extension-quoted-line', `2;a="\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('extension-zero', `2;a=\0\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-line-feed', `2\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-return', `2\rab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-prefix', `0x2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-plus', `+2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-minus', `-2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-underscore', `0_2e\r\n\r\n${smuggled}`),
  chunks('size-space-before', ` 2\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-space-behind', `2 \r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-tab-behind', `2\t\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-letters', `2z\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-empty', `\r\n${smuggled}`),
  chunks('size-overflow', `10000000000000002\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-overflow-32', `100000002\r\nab\r\n0\r\n\r\n${smuggled}`),
  chunks('size-many-zeros', `${'0'.repeat(40)}2\r\nab\r\n0\r\n\r\n`),
  chunks('end-two-bytes', `2\r\nabXX0\r\n\r\n${smuggled}`),
  chunks('end-line-feed', `2\r\nab\n0\r\n\r\n${smuggled}`),
  chunks('end-missing', `2\r\nab0\r\n\r\n${smuggled}`),
  chunks('last-line-feed', `2\r\nab\r\n0\n\n${smuggled}`),
  chunks('last-return', `2\r\nab\r\n0\r\r${smuggled}`),
  chunks('last-zeros', `2\r\nab\r\n000\r\n\r\n`),
  chunks('last-extension', `2\r\nab\r\n0;a=b\r\n\r\n`),
  chunks('trailer-length', `0\r\nContent-Length: ${smuggled.length}\r\n\r\n`),
  chunks('trailer-coding', '0\r\nTransfer-Encoding: chunked\r\n\r\n'),
  chunks('trailer-no-colon', `0\r\n${smuggled}\r\n\r\n`),
  chunks('trailer-line-feed', `0\r\nX-A: b\n\n${smuggled}`),
  chunks('trailer-folded', '0\r\nX-A: b\r\n c\r\n\r\n'),
  chunks('trailer-host', '0\r\nHost: b.example\r\nX-Injected: 1\r\n\r\n'),
];

const heads: readonly Attempt[] = [
  attempt(
    'line-feeds',
    'bare line feeds',
    `POST / HTTP/1.1\n${host}\nContent-Length: ${smuggled.length}\n\n${smuggled}`,
  ),
  // Whoever lets a line feed end a line reads two requests of one client here, and so does every server.
  {
    ...attempt(
      'line-feed-end',
      'bare line feeds',
      `GET / HTTP/1.1\r\n${host}\r\nX-A: b\n\n${smuggled}\r\n\r\n`,
    ),
    requests: 2,
  },
  attempt('returns', 'bare returns', `GET / HTTP/1.1\r${host}\r\r${smuggled}\r\n\r\n`),
  attempt('line-feed-in-line', 'bare line feeds', `GET /\nHTTP/1.1\r\n${host}\r\n\r\n`),
  attempt('return-in-path', 'bare returns', `GET /\rHTTP/1.1 HTTP/1.1\r\n${host}\r\n\r\n`),
  attempt(
    'empty-line-in-value',
    'bare line feeds',
    `GET / HTTP/1.1\r\n${host}\r\nX-A: b\n\nGET /smuggled HTTP/1.1\r\nX: y\r\n\r\n`,
  ),
  headed('http09-prefix', 'versions', `GET / HTTP/0.9`, host),
  attempt('http09', 'versions', `GET /\r\n${smuggled}\r\n\r\n`),
  headed('version-two', 'versions', 'POST / HTTP/2.0', host, 'Content-Length: 0'),
  headed('version-twelve', 'versions', 'POST / HTTP/1.12', host, 'Content-Length: 0'),
  headed('version-space', 'versions', 'GET / HTTP/1.1 ', host),
  headed('version-twice', 'versions', 'GET / HTTP/1.1 HTTP/1.1', host),
  headed('line-two-spaces', 'request line', 'GET  / HTTP/1.1', host),
  headed('line-tab', 'request line', 'GET\t/\tHTTP/1.1', host),
  headed('line-space-first', 'request line', ' GET / HTTP/1.1', host),
  headed('line-vertical-tab', 'request line', 'GET\x0b/ HTTP/1.1', host),
  headed('line-zero', 'request line', 'GET /\0 HTTP/1.1', host),
  headed('line-bytes', 'request line', 'GET /\xa0HTTP/1.1 HTTP/1.1', host),
  headed('method-colon', 'request line', 'GET: / HTTP/1.1', host),
  headed('field-space-first', 'fields', 'GET / HTTP/1.1', ` ${host}`, host),
  headed('field-no-colon', 'fields', 'GET / HTTP/1.1', host, 'GET /smuggled HTTP/1.1'),
  headed('field-no-name', 'fields', 'GET / HTTP/1.1', host, ': Transfer-Encoding: chunked'),
  headed('field-fold-only', 'fields', 'GET / HTTP/1.1', host, 'X-A: b', ' '),
  headed('host-disagrees', 'absolute form', 'GET http://b.example/ HTTP/1.1', host),
  headed('host-disagrees-port', 'absolute form', 'GET http://a.example:81/ HTTP/1.1', host),
  headed('host-user', 'absolute form', 'GET http://b.example@a.example/ HTTP/1.1', host),
  headed('host-backslash', 'absolute form', 'GET http://a.example\\@b.example/ HTTP/1.1', host),
  headed('host-absolute-space', 'absolute form', 'GET http://a.example /smuggled HTTP/1.1', host),
  headed('host-scheme-odd', 'absolute form', 'GET x://b.example/ HTTP/1.1', host),
  headed('host-double-slash', 'absolute form', 'GET //b.example/ HTTP/1.1', host),
  headed('host-twice', 'Host', 'GET / HTTP/1.1', host, 'Host: b.example'),
  headed('host-twice-other-order', 'Host', 'GET / HTTP/1.1', 'Host: b.example', host),
  headed('host-folded', 'Host', 'GET / HTTP/1.1', 'Host: a.example', ' b.example'),
  headed('host-hidden', 'Host', 'GET / HTTP/1.1', host, 'Host : b.example'),
  headed('host-space', 'Host', 'GET / HTTP/1.1', 'Host: a.example b.example'),
  headed('host-missing', 'Host', 'GET / HTTP/1.1'),
  headed('host-named', 'Host', 'GET / HTTP/1.1', host, 'Connection: Host'),
  headed(
    'upgrade-h2c',
    'upgrades',
    'GET / HTTP/1.1',
    host,
    'Connection: Upgrade, HTTP2-Settings',
    'Upgrade: h2c',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
  ),
  headed(
    'upgrade-list',
    'upgrades',
    'GET / HTTP/1.1',
    host,
    'Connection: Upgrade',
    'Upgrade: websocket, h2c',
  ),
  attempt(
    'upgrade-then-request',
    'upgrades',
    `GET / HTTP/1.1\r\n${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    smuggled,
  ),
  attempt(
    'upgrade-body',
    'upgrades',
    posted(['Connection: Upgrade', 'Upgrade: websocket', `Content-Length: ${smuggled.length}`], smuggled),
  ),
  attempt('connect', 'upgrades', `CONNECT a.example:80 HTTP/1.1\r\nHost: a.example:80\r\n\r\n${smuggled}`),
  attempt('http2-preface', 'upgrades', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  attempt(
    'close-then-request',
    'connections',
    `GET / HTTP/1.1\r\n${host}\r\nConnection: close\r\n\r\n${smuggled}\r\n\r\n`,
  ),
];

type Fields = readonly (readonly [string, string])[];
const own: Fields = [
  [':method', 'POST'],
  [':scheme', 'https'],
  [':authority', 'a.example'],
  [':path', '/'],
];

function http2(id: string, way: string, fields: Fields, body: string | null = null): Attempt {
  const steps: Http2Step[] = [{ kind: 'headers', stream: 1, fields, end: body === null }];
  if (body !== null) steps.push({ kind: 'data', stream: 1, bytes: body, end: true });
  return { id: `h2-${id}`, way, client: { http2: steps } };
}

function pseudo(name: string, value: string): Fields {
  return own.map(([known, old]) => [known, known === name ? value : old] as const);
}

const downgrades: readonly Attempt[] = [
  http2('cl-short', 'H2.CL', [...own, ['content-length', '0']], smuggled),
  http2('cl-long', 'H2.CL', [...own, ['content-length', '1000']], smuggled),
  http2(
    'cl-twice',
    'H2.CL',
    [...own, ['content-length', '0'], ['content-length', `${smuggled.length}`]],
    smuggled,
  ),
  http2('cl-list', 'H2.CL', [...own, ['content-length', `0, ${smuggled.length}`]], smuggled),
  http2('cl-plus', 'H2.CL', [...own, ['content-length', `+${smuggled.length}`]], smuggled),
  http2('cl-get', 'H2.0', [...pseudo(':method', 'GET'), ['content-length', `${smuggled.length}`]], smuggled),
  http2('te', 'H2.TE', [...own, ['transfer-encoding', 'chunked']], chunkedEmpty),
  http2(
    'te-cl',
    'H2.TE',
    [...own, ['transfer-encoding', 'chunked'], ['content-length', `${chunkedEmpty.length}`]],
    chunkedEmpty,
  ),
  http2('te-odd', 'H2.TE', [...own, ['transfer-encoding', 'xchunked']], chunkedEmpty),
  http2('te-upper', 'H2.TE', [...own, ['Transfer-Encoding', 'chunked']], chunkedEmpty),
  http2('te-underscore', 'H2.TE', [...own, ['transfer_encoding', 'chunked']], chunkedEmpty),
  http2('connection', 'H2.TE', [...own, ['connection', 'transfer-encoding']], chunkedEmpty),
  http2('upgrade', 'H2.TE', [...own, ['upgrade', 'h2c']]),
  http2('value-lines', 'injection', [...own, ['x-a', 'b\r\nTransfer-Encoding: chunked']], chunkedEmpty),
  http2('value-line-feed', 'injection', [...own, ['x-a', 'b\nTransfer-Encoding: chunked']], chunkedEmpty),
  http2('value-return', 'injection', [...own, ['x-a', 'b\rTransfer-Encoding: chunked']], chunkedEmpty),
  http2('value-zero', 'injection', [...own, ['x-a', 'b\0Transfer-Encoding: chunked']], chunkedEmpty),
  http2('value-request', 'injection', [...own, ['x-a', `b\r\n\r\n${smuggled}`]]),
  http2('value-first-byte', 'injection', [...own, ['x-a', '\r\nX-Injected: 1']]),
  http2('name-lines', 'injection', [...own, ['x-a: b\r\ntransfer-encoding', 'chunked']], chunkedEmpty),
  http2('name-colon', 'injection', [...own, ['transfer-encoding:chunked', 'x']], chunkedEmpty),
  http2('name-space', 'injection', [...own, ['transfer-encoding ', 'chunked']], chunkedEmpty),
  http2('name-zero', 'injection', [...own, ['x\0transfer-encoding', 'chunked']], chunkedEmpty),
  http2('name-empty', 'injection', [...own, ['', 'chunked']], chunkedEmpty),
  http2(
    'path-lines',
    'injection',
    pseudo(':path', '/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\nx: x'),
    chunkedEmpty,
  ),
  http2('path-space', 'injection', pseudo(':path', '/smuggled HTTP/1.1 x')),
  http2('path-absolute', 'injection', pseudo(':path', 'http://b.example/')),
  http2('path-bytes', 'injection', pseudo(':path', '/\xa0')),
  http2(
    'method-lines',
    'injection',
    pseudo(':method', 'GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nx: x\r\n'),
    chunkedEmpty,
  ),
  http2('method-space', 'injection', pseudo(':method', 'GET /smuggled HTTP/1.1')),
  http2(
    'scheme-lines',
    'injection',
    pseudo(':scheme', 'https://a.example/ HTTP/1.1\r\nX-Injected: 1\r\n\r\n'),
  ),
  http2('scheme-path', 'injection', pseudo(':scheme', 'https://b.example/smuggled?')),
  http2(
    'authority-lines',
    'injection',
    pseudo(':authority', 'a.example\r\nTransfer-Encoding: chunked'),
    chunkedEmpty,
  ),
  http2('authority-path', 'injection', pseudo(':authority', 'a.example/smuggled')),
  http2('authority-space', 'injection', pseudo(':authority', 'a.example b.example')),
  http2('authority-host', 'Host', [...own, ['host', 'b.example']]),
  http2('two-hosts', 'Host', [...own, ['host', 'a.example'], ['host', 'b.example']]),
  http2('two-paths', 'pseudo-headers', [...own, [':path', '/smuggled']]),
  http2('two-methods', 'pseudo-headers', [...own, [':method', 'GET']]),
  http2('late-pseudo', 'pseudo-headers', [...own.slice(0, 3), ['x-a', 'b'], [':path', '/smuggled']]),
  http2('response-pseudo', 'pseudo-headers', [...own, [':status', '200']]),
  http2(
    'connect-tunnel',
    'upgrades',
    [
      [':method', 'CONNECT'],
      [':authority', 'a.example:80'],
    ],
    smuggled,
  ),
  http2(
    'extended-connect',
    'upgrades',
    [[':method', 'CONNECT'], [':protocol', 'websocket'], ...own.slice(1)],
    smuggled,
  ),
  http2('cookie-lines', 'injection', [...own, ['cookie', 'a=b\r\nX-Injected: 1']]),
  {
    id: 'h2-trailer-lines',
    way: 'injection',
    client: {
      http2: [
        { kind: 'headers', stream: 1, fields: own, end: false },
        { kind: 'data', stream: 1, bytes: 'abc', end: false },
        {
          kind: 'headers',
          stream: 1,
          fields: [
            ['x-a', 'b\r\nX-Injected: 1'],
            ['content-length', '0'],
            ['transfer-encoding', 'chunked'],
          ],
          end: true,
        },
      ],
    },
  },
];

export const attempts: readonly Attempt[] = [
  ...classic,
  ...codings,
  ...lengths,
  ...chunkTricks,
  ...heads,
  ...downgrades,
];

/** Requests of HTTP/2 that would be others, or more, when they are written as HTTP/1.1. */
import type { Http2Step } from '../../test/contract/case.ts';
import { type Attempt, chunkedEmpty, smuggled } from './attempt.ts';

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

export const downgrades: readonly Attempt[] = [
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

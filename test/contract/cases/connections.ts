import { answers, answersAtOnce, type ContractCase, get, ok, post, request } from '../case.ts';

const line = 'POST /a HTTP/1.1';
const big = 12_000_000;
const websocket = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const switching =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
const continued = answersAtOnce({ kind: 'continue' }, { kind: 'awaitBody', bytes: 5 }, ok);

/** Connections: who speaks when, how fast, and for how long. */
export const connections: readonly ContractCase[] = [
  {
    id: 'keep-alive',
    holds: 'One connection carries many requests.',
    client: [get('/1'), /ok$/, get('/2'), /ok[\s\S]*ok$/, get('/3')],
    sees: { status: [200, 200, 200], closed: false },
    seen: ['/1', '/2', '/3'].map((path) => ({ line: `GET ${path} HTTP/1.1` })),
  },
  {
    id: 'pipelined',
    holds: 'Requests that come at once are answered in order, each once.',
    source: 'RFC 9112, 9.3.2',
    client: [get('/1') + request(post('Content-Length: 3'), 'abc') + get('/3')],
    origin: [
      answers('HTTP/1.1 201 A\r\nContent-Length: 2\r\n\r\n01'),
      answers('HTTP/1.1 202 B\r\nContent-Length: 2\r\n\r\n02'),
      answers('HTTP/1.1 203 C\r\nContent-Length: 2\r\n\r\n03'),
    ],
    sees: { status: [201, 202, 203], body: '03', closed: false },
    seen: [{ line: 'GET /1 HTTP/1.1' }, { line, body: 'abc' }, { line: 'GET /3 HTTP/1.1' }],
  },
  {
    id: 'pipelined-behind-close',
    holds: 'What stands behind a request with `Connection: close` is not served.',
    source: 'RFC 9112, 9.6',
    client: [get('/1', 'Connection: close') + get('/2')],
    sees: { status: [200], closed: true },
    seen: [{ line: 'GET /1 HTTP/1.1' }],
  },
  {
    id: 'empty-line-first',
    holds: 'An empty line before a request is read over.',
    source: 'RFC 9112, 2.2',
    client: [`\r\n${get('/1')}`],
    sees: { status: [200], closed: false },
    seen: [{ line: 'GET /1 HTTP/1.1' }],
  },
  {
    id: 'head-slowly',
    holds: 'A head that comes byte by byte is read.',
    client: [{ kind: 'slowly', bytes: get('/slow'), everyMs: 3 }],
    sees: { status: [200], closed: false },
    seen: [{ line: 'GET /slow HTTP/1.1' }],
  },
  {
    id: 'body-slowly',
    holds: 'A body that comes byte by byte arrives whole.',
    client: [
      request(post('Transfer-Encoding: chunked')),
      { kind: 'slowly', bytes: '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n', everyMs: 10 },
    ],
    sees: { status: [200], closed: false },
    seen: [{ line, body: 'abcde' }],
  },
  {
    id: 'half-closed',
    holds: 'A client that has said all and closed its side still hears its answer.',
    client: [get('/half'), { kind: 'end' }],
    origin: [answers({ kind: 'pause', ms: 100 }, ok)],
    sees: { status: [200], body: 'ok', closed: true },
    seen: [{ line: 'GET /half HTTP/1.1' }],
  },
  {
    id: 'body-cut',
    holds: 'A body that the client breaks off never looks whole to the server.',
    client: [request(post('Content-Length: 10'), 'half'), { kind: 'pause', ms: 50 }, { kind: 'reset' }],
    sees: { status: [] },
    seen: [{ line, cut: true }],
  },
  {
    id: 'body-cut-chunked',
    holds: 'A chunked body that the client breaks off never looks whole to the server.',
    client: [
      request(post('Transfer-Encoding: chunked'), '4\r\nhalf\r\n'),
      { kind: 'pause', ms: 50 },
      { kind: 'reset' },
    ],
    sees: { status: [] },
    seen: [{ line, cut: true }],
  },
  {
    id: 'body-big',
    holds: 'Twelve million bytes arrive at a server that at first reads none.',
    client: [request(post(`Content-Length: ${big}`)), { kind: 'fill', bytes: big }],
    origin: [answersAtOnce({ kind: 'stopReading', ms: 150 }, { kind: 'awaitBody', bytes: big }, ok)],
    sees: { status: [200], closed: false },
    seen: [{ line, bodyBytes: big }],
  },
  {
    id: 'answer-big',
    holds: 'Twelve million bytes arrive at a client that at first reads none.',
    client: [get('/big'), { kind: 'stopReading', ms: 150 }],
    origin: [answers(`HTTP/1.1 200 OK\r\nContent-Length: ${big}\r\n\r\n`, { kind: 'fill', bytes: big })],
    sees: { status: [200], bodyBytes: big, closed: false },
    seen: [{ line: 'GET /big HTTP/1.1' }],
  },
  {
    id: 'post-once',
    holds: 'A POST that the server has read is never sent a second time.',
    client: [request(post('Content-Length: 3'), 'pay')],
    origin: [answers({ kind: 'close' })],
    sees: { status: [502] },
    seen: [{ line, body: 'pay' }],
  },
  {
    id: 'post-once-reset',
    holds: 'A POST whose server resets is never sent a second time.',
    client: [request(post('Content-Length: 3'), 'pay')],
    origin: [answers({ kind: 'reset' })],
    sees: { status: [502] },
    seen: [{ line, body: 'pay' }],
  },
  {
    id: 'post-once-kept',
    holds: 'A POST on a kept connection that the server ends is never sent a second time.',
    client: [get('/1'), /ok$/, request(post('Content-Length: 3'), 'pay')],
    origin: [answers(ok), answers({ kind: 'close' })],
    sees: { status: [200, 502] },
    seen: [{ line: 'GET /1 HTTP/1.1' }, { line, body: 'pay' }],
  },
  {
    id: 'continue',
    holds: '`Expect: 100-continue` gets its 100, and the body arrives.',
    client: [request(post('Content-Length: 5', 'Expect: 100-continue')), /^HTTP\/1\.1 100 /, 'hello'],
    origin: [continued],
    sees: { status: [200], informational: [100] },
    seen: [{ line, body: 'hello' }],
  },
  {
    id: 'continue-not-awaited',
    holds: 'A client that does not wait for its 100 is served too.',
    client: [request(post('Content-Length: 5', 'Expect: 100-continue'), 'hello')],
    origin: [continued],
    sees: { status: [200], body: 'ok' },
    seen: [{ line, body: 'hello' }],
  },
  {
    id: 'websocket',
    holds: 'A WebSocket is passed through, both ways, with what came early.',
    client: [get('/ws', ...websocket), /\r\n\r\n/, 'ping'],
    origin: [answersAtOnce(`${switching}early `, { kind: 'echo' })],
    sees: {
      status: [101],
      headers: { upgrade: /^websocket$/i, 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' },
      tunnel: 'early ping',
    },
    seen: [
      {
        line: 'GET /ws HTTP/1.1',
        headers: {
          upgrade: /^websocket$/i,
          connection: /^upgrade$/i,
          'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        },
      },
    ],
  },
  {
    id: 'websocket-refused',
    holds: 'A server that does not want a WebSocket is heard.',
    client: [get('/ws', ...websocket)],
    origin: [answers('HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno')],
    sees: { status: [403], body: 'no' },
    seen: [{ line: 'GET /ws HTTP/1.1' }],
  },
  {
    id: 'websocket-smuggled',
    holds: 'Behind a WebSocket that was refused stands an ordinary request or the end, never a tunnel.',
    source: 'Mikhail Egorov, websocket smuggling (2019)',
    client: [get('/ws', ...websocket), /\r\n\r\nno/, { kind: 'pause', ms: 30 }, 'GARBAGE\r\n\r\n'],
    origin: [answers('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno'), answers(ok)],
    sees: { status: [426, 'refused?'] },
    seen: [{ line: 'GET /ws HTTP/1.1' }],
  },
  {
    id: 'upgrade-h2c',
    holds: 'Whoever asks for HTTP/2 over plain text gets HTTP/1.1, and the server is not asked.',
    source: 'Jake Miller, h2c smuggling (2020)',
    client: [
      get('/h2c', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
    ],
    sees: { status: [200], body: 'ok' },
    seen: [{ line: 'GET /h2c HTTP/1.1', headers: { upgrade: null } }],
  },
  {
    id: 'http2-plain',
    holds: 'HTTP/2 without TLS is refused.',
    client: ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    sees: { status: ['refused'], closed: true },
    seen: [],
  },
];

import {
  answers,
  answersAtOnce,
  type ContractCase,
  get,
  type OriginStep,
  ok,
  request,
  type Sees,
} from '../case.ts';

const line = 'GET / HTTP/1.1';
const close = { kind: 'close' } as const;
const reset = { kind: 'reset' } as const;

function answered(
  id: string,
  holds: string,
  steps: readonly OriginStep[],
  sees: Sees,
  source?: string,
): ContractCase {
  return {
    id,
    holds,
    client: [get()],
    origin: [answers(...steps)],
    sees,
    seen: [{ line }],
    ...(source ? { source } : {}),
  };
}

/** An answer of the server that must not reach the client. */
function isBad(id: string, holds: string, answer: string, source?: string): ContractCase {
  return answered(id, holds, [answer, close], { status: [502] }, source);
}

const head = (...lines: readonly string[]) => `${['HTTP/1.1 200 OK', ...lines].join('\r\n')}\r\n\r\n`;

/** What servers answer, well or badly. */
export const serverAnswers: readonly ContractCase[] = [
  answered(
    'answer-chunked',
    'A chunked answer arrives with the same bytes.',
    [head('Transfer-Encoding: chunked'), '3\r\nabc\r\n', '2;x=y\r\nde\r\n0\r\n\r\n'],
    { status: [200], body: 'abcde', closed: false },
  ),
  answered(
    'answer-trailers',
    'Trailers of an answer are passed on.',
    [head('Transfer-Encoding: chunked', 'Trailer: X-Sum'), '3\r\nabc\r\n0\r\nX-Sum: 6\r\n\r\n'],
    { status: [200], body: 'abc', trailers: { 'x-sum': '6' }, closed: false },
    'RFC 9110, 6.5; NGINX, proxy_trailers.t',
  ),
  answered(
    'answer-until-close',
    'An answer that ends with its connection arrives whole, and the client keeps its own.',
    ['HTTP/1.1 200 OK\r\n\r\n', 'abc', close],
    { status: [200], body: 'abc', closed: false },
  ),
  answered(
    'answer-http10',
    'An answer in HTTP/1.0 is passed on as one of HTTP/1.1.',
    ['HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc', close],
    { status: [200], body: 'abc', closed: false },
  ),
  answered(
    'answer-no-reason',
    'An answer without a reason is passed on.',
    ['HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok'],
    { status: [200], body: 'ok' },
  ),
  answered(
    'answer-odd-status',
    'A status that nobody registered is passed on.',
    ['HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nok'],
    { status: [599], body: 'ok' },
  ),
  answered(
    'answer-headers',
    'Fields keep their values and order; what belongs to the connection of the server is not passed on.',
    [
      head(
        'Connection: X-Mine, keep-alive',
        'X-Mine: 1',
        'Keep-Alive: timeout=9',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2',
        'Content-Length: 0',
      ),
    ],
    {
      status: [200],
      headers: { 'x-mine': null, 'set-cookie': 'a=1, b=2' },
      closed: false,
    },
  ),
  answered(
    'answer-connection-close',
    'A server that ends its connection does not end the one of the client.',
    [head('Connection: close', 'Content-Length: 2'), 'ok', close],
    { status: [200], body: 'ok', closed: false },
  ),
  answered(
    'answer-204',
    '204 has no body and no length.',
    ['HTTP/1.1 204 No Content\r\n\r\n'],
    { status: [204], headers: { 'transfer-encoding': null }, body: '', closed: false },
    'RFC 9110, 8.6',
  ),
  answered(
    'answer-304',
    '304 has no body, whatever length it names.',
    ['HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n'],
    { status: [304], headers: { etag: '"a"' }, body: '', closed: false },
    'HAProxy, http_bodyless_response.vtc',
  ),
  {
    id: 'answer-204-body',
    holds: 'What stands behind 204 is no answer to the next request.',
    source: 'RFC 9112, 6.3',
    client: [get('/a'), /204[\s\S]*\r\n\r\n/, { kind: 'pause', ms: 50 }, get('/b')],
    origin: [
      answers(
        'HTTP/1.1 204 No Content\r\nContent-Length: 44\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged',
      ),
      answers(ok),
    ],
    sees: { status: [204, 200], body: 'ok' },
    seen: [{ line: 'GET /a HTTP/1.1' }, { line: 'GET /b HTTP/1.1' }],
  },
  {
    id: 'answer-behind-answer',
    holds: 'What a server sends without being asked is no answer to the next request.',
    source: 'PortSwigger, response queue poisoning',
    client: [get('/a'), /\r\n\r\nok/, { kind: 'pause', ms: 50 }, get('/b')],
    origin: [answers(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged`), answers(ok)],
    sees: { status: [200, 200], body: 'ok' },
    seen: [{ line: 'GET /a HTTP/1.1' }, { line: 'GET /b HTTP/1.1' }],
  },
  {
    id: 'answer-head',
    holds: 'An answer to HEAD has no body and keeps its length; the connection goes on.',
    client: [request(['HEAD / HTTP/1.1', 'Host: a.example']), /\r\n\r\n/, get('/b')],
    origin: [answers(head('Content-Length: 5')), answers(ok)],
    sees: { status: [200, 200], body: 'ok', closed: false },
    seen: [{ line: 'HEAD / HTTP/1.1' }, { line: 'GET /b HTTP/1.1' }],
  },
  {
    id: 'answer-head-chunked',
    holds: 'A chunked answer to HEAD has no body either.',
    client: [request(['HEAD / HTTP/1.1', 'Host: a.example']), /\r\n\r\n/, get('/b')],
    origin: [answers(head('Transfer-Encoding: chunked')), answers(ok)],
    sees: { status: [200, 200], body: 'ok', closed: false },
    seen: [{ line: 'HEAD / HTTP/1.1' }, { line: 'GET /b HTTP/1.1' }],
  },
  answered(
    'answer-103',
    '103 arrives before the answer, with its fields.',
    ['HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n', { kind: 'pause', ms: 250 }, ok],
    { status: [200], informational: [103], body: 'ok' },
    'RFC 8297',
  ),
  answered(
    'answer-102-twice',
    'Informational answers do not take the place of the answer.',
    ['HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n', ok],
    { status: [200], body: 'ok' },
    'RFC 9110, 15.2',
  ),
  answered(
    'answer-100-unasked',
    '100 that nobody asked for does not take the place of the answer.',
    ['HTTP/1.1 100 Continue\r\n\r\n', ok],
    { status: [200], body: 'ok' },
    'RFC 9110, 15.2',
  ),
  answered(
    'answer-101-unasked',
    '101 that nobody asked for is an error of the server.',
    ['HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n', close],
    { status: [502] },
    'RFC 9110, 15.2.2',
  ),
  isBad(
    'bad-length-and-chunked',
    'An answer with Content-Length and Transfer-Encoding is not passed on.',
    `${head('Content-Length: 30', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    'HAProxy, http_transfer_encoding.vtc',
  ),
  isBad(
    'bad-two-lengths',
    'An answer with two Content-Length that differ is not passed on.',
    `${head('Content-Length: 2', 'Content-Length: 3')}oko`,
  ),
  isBad(
    'bad-length',
    'An answer whose Content-Length is no number is not passed on.',
    `${head('Content-Length: 2x')}ok`,
  ),
  isBad(
    'bad-coding',
    'An answer with `chunked, chunked` is not passed on.',
    `${head('Transfer-Encoding: chunked, chunked')}0\r\n\r\n`,
    'HAProxy, http_transfer_encoding.vtc',
  ),
  isBad(
    'bad-header-name',
    'An answer with a field that has no name is not passed on.',
    `${head(': x', 'Content-Length: 2')}ok`,
  ),
  isBad(
    'bad-header-space',
    'An answer with a space before a colon is not passed on as another field.',
    `${head('Content-Length : 2', 'Transfer-Encoding : chunked')}`,
  ),
  isBad(
    'bad-header-zero',
    'An answer with a zero byte in a field is not passed on.',
    `${head('X-A: a\0b', 'Content-Length: 2')}ok`,
  ),
  isBad(
    'bad-header-folded',
    'An answer with a folded field is not passed on.',
    `${head('X-A: a', ' b', 'Content-Length: 2')}ok`,
    'RFC 9112, 5.2',
  ),
  isBad(
    'bad-status',
    'An answer that begins otherwise is none.',
    'ICY 200 OK\r\nContent-Length: 2\r\n\r\nok',
  ),
  isBad('bad-status-digits', 'A status has three digits.', 'HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok'),
  isBad('bad-nothing', 'A server that closes without an answer gives 502.', ''),
  isBad('bad-head-cut', 'A head that is cut gives 502.', 'HTTP/1.1 200 OK\r\nContent-Le'),
  isBad(
    'bad-head-too-long',
    'A head of 100,000 bytes is not passed on.',
    head(`X-A: ${'v'.repeat(100_000)}`, 'Content-Length: 0'),
  ),
  answered(
    'cut-length',
    'An answer that ends before its length breaks off for the client too.',
    [head('Content-Length: 10'), 'half', { kind: 'pause', ms: 250 }, close],
    { status: [200], broken: true, closed: true },
    'HAProxy, truncated.vtc',
  ),
  answered(
    'cut-chunked',
    'A chunked answer without its end breaks off for the client too.',
    [head('Transfer-Encoding: chunked'), '4\r\nhalf\r\n', { kind: 'pause', ms: 250 }, close],
    { status: [200], broken: true, closed: true },
    'HAProxy, truncated.vtc',
  ),
  answered(
    'cut-chunk-size',
    'A bad chunk in the middle of an answer breaks it off.',
    [head('Transfer-Encoding: chunked'), '4\r\nhalf\r\n', { kind: 'pause', ms: 250 }, 'zz\r\n'],
    { status: [200], broken: true, closed: true },
  ),
  answered(
    'cut-reset',
    'A server that resets half-way breaks the answer off.',
    [head('Content-Length: 10'), 'half', { kind: 'pause', ms: 250 }, reset],
    { status: [200], broken: true, closed: true },
  ),
  answered('reset-at-once', 'A server that resets before it answers gives 502.', [reset], { status: [502] }),
  {
    id: 'server-silent',
    holds: 'A server that says nothing gives 504 within its time-out.',
    serverTimeout: '300ms',
    client: [get()],
    origin: [answers({ kind: 'pause', ms: 1_500 }, close)],
    sees: { status: [504] },
    seen: [{ line }],
  },
  {
    id: 'server-silent-half-way',
    holds: 'A server that falls silent in its answer breaks it off within its time-out.',
    serverTimeout: '300ms',
    client: [get()],
    origin: [answers(head('Content-Length: 10'), 'half', { kind: 'pause', ms: 1_500 }, close)],
    sees: { status: [200], broken: true, closed: true },
    seen: [{ line }],
  },
  {
    id: 'server-none',
    holds: 'No server that listens gives 503.',
    noServer: true,
    client: [get()],
    sees: { status: [503] },
    seen: [],
  },
  {
    id: 'answer-to-http10',
    holds: 'A client of HTTP/1.0 gets no chunks: its answer ends with the connection.',
    client: [request(['GET / HTTP/1.0', 'Host: a.example'])],
    origin: [answers(head('Transfer-Encoding: chunked'), '3\r\nabc\r\n0\r\n\r\n')],
    sees: { status: [200], headers: { 'transfer-encoding': null }, body: 'abc', closed: true },
    seen: [{ line: 'GET / HTTP/1.1' }],
  },
  {
    id: 'answer-early',
    holds: 'A server that answers before the request has ended is heard.',
    client: [
      request(['POST /a HTTP/1.1', 'Host: a.example', 'Content-Length: 4000000']),
      { kind: 'fill', bytes: 4_000_000 },
    ],
    origin: [
      answersAtOnce(
        'HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno',
        { kind: 'pause', ms: 100 },
        close,
      ),
    ],
    sees: { status: [413], body: 'no' },
    seen: [{ line: 'POST /a HTTP/1.1', cut: 'maybe' }],
  },
];

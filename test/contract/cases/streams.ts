import { answers, answersAtOnce, type ContractCase, get, ok, post, request } from '../case.ts';

const tcp = { listener: { protocol: 'TCP' } };
const line = 'GET /x HTTP/1.1';

/** Listeners that pass bytes on: what is said over them here is HTTP, which the engine must neither read nor change. */
export const streams: readonly ContractCase[] = [
  {
    id: 'tcp',
    holds: 'Not a byte is changed, and none is added.',
    site: tcp,
    client: [get('/x', 'X-Forwarded-For: 6.6.6.6', 'x_odd: 1', 'Proxy-Authorization: a')],
    sees: { status: [200], closed: false, body: 'ok' },
    seen: [
      {
        line,
        headers: {
          'x-forwarded-for': '6.6.6.6',
          x_odd: '1',
          'proxy-authorization': 'a',
          'x-forwarded-proto': null,
          via: null,
        },
      },
    ],
  },
  {
    id: 'tcp-kept',
    holds: 'A connection is one connection, however much is said on it.',
    site: tcp,
    client: [get('/x'), /ok$/, get('/x'), /ok[\s\S]*ok$/, get('/x')],
    sees: { status: [200, 200, 200], closed: false },
    seen: [{ line }, { line }, { line }],
  },
  {
    id: 'tcp-long',
    holds: 'What is long arrives whole, both ways.',
    site: tcp,
    client: [request(post('Content-Length: 3000000')), { kind: 'fill', bytes: 3_000_000 }],
    origin: [
      answers('HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n', { kind: 'fill', bytes: 3_000_000 }),
    ],
    sees: { status: [200], bodyBytes: 3_000_000 },
    seen: [{ line: 'POST /a HTTP/1.1', bodyBytes: 3_000_000 }],
  },
  {
    id: 'tcp-slow-reader',
    holds: 'A client that does not read for a while loses nothing.',
    site: tcp,
    client: [get('/x'), { kind: 'stopReading', ms: 300 }],
    origin: [
      answers('HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n', { kind: 'fill', bytes: 8_000_000 }),
    ],
    sees: { status: [200], bodyBytes: 8_000_000 },
    seen: [{ line }],
  },
  {
    id: 'tcp-half-closed',
    holds: 'A client that has said all still hears its answer.',
    site: tcp,
    client: [get('/x'), { kind: 'end' }],
    origin: [answers({ kind: 'pause', ms: 100 }, ok)],
    sees: { status: [200], body: 'ok' },
    seen: [{ line }],
  },
  {
    id: 'tcp-server-ends',
    holds: 'When the server has said all, the client hears the end.',
    site: tcp,
    client: [get('/x')],
    origin: [answers('HTTP/1.1 200 OK\r\n\r\nall of it', { kind: 'close' })],
    sees: { status: [200], body: 'all of it', closed: true },
    seen: [{ line }],
  },
  {
    id: 'tcp-server-breaks-off',
    holds: 'A connection that the server breaks off breaks off for the client.',
    site: tcp,
    client: [get('/x')],
    origin: [
      answersAtOnce(
        'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
        { kind: 'pause', ms: 50 },
        { kind: 'reset' },
      ),
    ],
    sees: { status: [200], broken: true, closed: true },
    seen: [{ line }],
  },
  {
    id: 'tcp-no-server',
    holds: 'Where nobody listens the connection ends without a word.',
    site: tcp,
    noServer: true,
    client: [get('/x')],
    sees: { status: [], closed: true },
    seen: [],
  },
  {
    id: 'tcp-denied',
    holds: 'A client of a denied network reaches no server.',
    site: { listener: { protocol: 'TCP', access: { deny: ['127.0.0.0/8'] } } },
    client: [get('/x')],
    sees: { status: [], closed: true },
    seen: [],
  },
];

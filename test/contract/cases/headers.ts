import { type ContractCase, get, isRefused, passes, refused, request } from '../case.ts';

const line = 'GET / HTTP/1.1';
const long = 'v'.repeat(4_000);
const tooLong = 'v'.repeat(70_000);

/** Fields of a request, and what belongs to one connection only. */
export const headers: readonly ContractCase[] = [
  passes('header-twice', 'Fields of the same name keep their order.', get('/', 'X-A: 1', 'X-A: 2'), {
    line,
    headers: { 'x-a': '1, 2' },
  }),
  passes('header-space', 'White space around a value does not belong to it.', get('/', 'X-A: \t 1 \t'), {
    line,
    headers: { 'x-a': '1' },
  }),
  passes('header-empty', 'An empty value stays empty.', get('/', 'X-A:'), { line, headers: { 'x-a': '' } }),
  passes('header-bytes', 'Bytes above 127 in a value stay as they are.', get('/', 'X-A: \xe4\xff'), {
    line,
    headers: { 'x-a': '\xe4\xff' },
  }),
  passes('header-underscore', 'A name with an underscore is passed on.', get('/', 'X_A: 1'), {
    line,
    headers: { x_a: '1' },
  }),
  passes(
    'header-odd-name',
    "Every sign that RFC 9110 allows in a name is passed on: `!#$%&'*+.^|~`.",
    get('/', "X!#$%&'*+.^|~: 1"),
    {
      line,
      headers: { "x!#$%&'*+.^|~": '1' },
    },
  ),
  passes('header-long', 'A field of 4,000 bytes is passed on.', get('/', `X-A: ${long}`), {
    line,
    headers: { 'x-a': long },
  }),
  passes(
    'header-many',
    'Eighty fields are passed on.',
    get('/', ...Array.from({ length: 80 }, (_, i) => `X-${i}: ${i}`)),
    { line, headers: { 'x-0': '0', 'x-79': '79' } },
  ),
  isRefused('header-too-long', 'A field of 70,000 bytes is refused.', get('/', `X-A: ${tooLong}`)),
  isRefused(
    'header-too-many',
    'Five thousand fields are refused.',
    get('/', ...Array.from({ length: 5_000 }, (_, i) => `X-${i}: ${i}`)),
  ),
  isRefused('header-parenthesis', 'A name that is no token is refused: `(`.', get('/', 'X(A: 1')),
  isRefused('header-space-in-name', 'A space in a name is refused.', get('/', 'X A: 1')),
  isRefused(
    'header-space-before-colon',
    'A space before the colon is refused.',
    get('/', 'X-A : 1'),
    'RFC 9112, 5.1',
  ),
  isRefused('header-no-name', 'A field without a name is refused.', get('/', ': 1')),
  isRefused('header-no-colon', 'A line without a colon is refused.', get('/', 'X-A')),
  isRefused(
    'header-bytes-in-name',
    'Bytes above 127 in a name are refused.',
    get('/', 'X\xef: 1'),
    'HTTP Garden, server bug 8',
  ),
  isRefused(
    'header-zero',
    'A zero byte in a value is refused.',
    get('/', 'X-A: a\0b'),
    'HTTP Garden, server bug 2',
  ),
  isRefused(
    'header-control',
    'A control byte in a value is refused.',
    get('/', 'X-A: a\x01b'),
    'RFC 9110, 5.5',
  ),
  isRefused(
    'header-bare-return',
    'A carriage return in a value is refused.',
    get('/', 'X-A: a\rB: b'),
    'HTTP Garden, server bug 13',
  ),
  isRefused(
    'header-bare-line-feed',
    'A line that ends with a bare line feed is refused.',
    'GET / HTTP/1.1\r\nHost: a.example\nX-A: 1\r\n\r\n',
    'RFC 9112, 2.2',
  ),
  isRefused('header-folded', 'A folded field is refused.', get('/', 'X-A: 1', ' 2'), 'RFC 9112, 5.2'),
  isRefused(
    'header-space-first',
    'White space before the first field is refused.',
    request(['GET / HTTP/1.1', ' Host: a.example']),
    'RFC 9112, 2.2',
  ),
  {
    id: 'connection-named',
    holds: 'A field that Connection names ends with the connection.',
    source: 'RFC 9110, 7.6.1',
    client: [get('/', 'Connection: X-Private', 'X-Private: 1', 'X-Kept: 2')],
    sees: { status: [200] },
    seen: [{ line, headers: { 'x-private': null, 'x-kept': '2' } }],
  },
  {
    id: 'connection-named-vital',
    holds: 'Naming Cookie, Authorization, Host or X-Forwarded-For in Connection does not take them away.',
    source: 'Nathan Davison, abusing hop-by-hop headers (2019)',
    client: [
      get(
        '/',
        'Connection: close, Cookie, Authorization, Host, X-Forwarded-For',
        'Cookie: a=1',
        'Authorization: Basic eA==',
      ),
    ],
    sees: { status: [200], closed: true },
    seen: [
      {
        line,
        headers: {
          cookie: 'a=1',
          authorization: 'Basic eA==',
          host: 'a.example',
          'x-forwarded-for': '127.0.0.1',
        },
      },
    ],
  },
  {
    id: 'connection-own',
    holds: 'Keep-Alive and Proxy-Connection are not passed on.',
    source: 'RFC 9110, 7.6.1',
    client: [get('/', 'Connection: keep-alive', 'Keep-Alive: timeout=9', 'Proxy-Connection: keep-alive')],
    sees: { status: [200], closed: false },
    seen: [{ line, headers: { 'keep-alive': null, 'proxy-connection': null } }],
  },
  {
    id: 'connection-close',
    holds:
      '`Connection: close` ends the connection behind the answer, and is not passed on to the server as it came.',
    client: [get('/', 'Connection: close')],
    sees: { status: [200], body: 'ok', closed: true },
    seen: [{ line }],
  },
  {
    id: 'http10',
    holds: 'HTTP/1.0 gets an answer, and the end of its connection.',
    client: [request(['GET /a HTTP/1.0', 'Host: a.example'])],
    sees: { status: [200], body: 'ok', closed: true },
    seen: [{ line: 'GET /a HTTP/1.1', headers: { host: 'a.example' } }],
  },
  {
    id: 'http10-keep-alive',
    holds: 'HTTP/1.0 that asks for it keeps its connection.',
    client: [
      request(['GET /a HTTP/1.0', 'Host: a.example', 'Connection: keep-alive']),
      /\r\n\r\nok/,
      request(['GET /b HTTP/1.0', 'Host: a.example']),
    ],
    sees: { status: [200, 200], closed: true },
    seen: [{ line: 'GET /a HTTP/1.1' }, { line: 'GET /b HTTP/1.1' }],
  },
  {
    id: 'host-missing',
    holds: 'HTTP/1.1 without Host is refused.',
    source: 'RFC 9112, 3.2',
    client: [request(['GET / HTTP/1.1'])],
    sees: refused,
    seen: [],
  },
  isRefused('host-twice', 'Two Host that differ are refused.', get('/', 'Host: b.example'), 'RFC 9112, 3.2'),
  isRefused(
    'host-twice-same',
    'The same Host twice is refused.',
    get('/', 'Host: a.example'),
    'RFC 9112, 3.2',
  ),
  isRefused('host-slash', 'A slash in Host is refused.', request(['GET / HTTP/1.1', 'Host: a.example/b'])),
  isRefused('host-user', 'A user in Host is refused.', request(['GET / HTTP/1.1', 'Host: b@a.example'])),
  isRefused(
    'host-space',
    'A space in Host is refused.',
    request(['GET / HTTP/1.1', 'Host: a.example b.example']),
  ),
  isRefused(
    'host-list',
    'A list in Host is refused.',
    request(['GET / HTTP/1.1', 'Host: a.example, b.example']),
  ),
  passes('host-port', 'Host keeps its port.', request([line, 'Host: A.Example:8080']), {
    line,
    headers: { host: 'A.Example:8080' },
  }),
  passes('host-ipv6', 'Host may be an IPv6 address.', request([line, 'Host: [::1]:8080']), {
    line,
    headers: { host: '[::1]:8080' },
  }),
];

/** What the server is told about the client. */
export const forwarded: readonly ContractCase[] = [
  passes('forwarded-for', 'X-Forwarded-For is the address of the client.', get(), {
    line,
    headers: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' },
  }),
  passes(
    'forwarded-for-forged',
    'What the client says of itself is replaced, not added to.',
    get('/', 'X-Forwarded-For: 6.6.6.6', 'X-Forwarded-For: 7.7.7.7', 'X-Forwarded-Proto: https'),
    { line, headers: { 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http' } },
  ),
  passes('forwarded-standard', 'Forwarded is passed on as it came.', get('/', 'Forwarded: for=6.6.6.6'), {
    line,
    headers: { forwarded: 'for=6.6.6.6' },
  }),
  {
    id: 'forwarded-ipv6',
    holds: 'Listener and server may have IPv6 addresses; the client is named by its own.',
    listenHost: '::1',
    serverHost: '::1',
    client: [get()],
    sees: { status: [200] },
    seen: [{ line, headers: { 'x-forwarded-for': '::1' } }],
  },
];

import { type ContractCase, get, isRefused, passes, request } from '../case.ts';

const host = 'Host: a.example';
const other = { type: 'PathPrefix', value: '/api' } as const;

function routed(id: string, holds: string, path: string, toOther: boolean): ContractCase {
  const seen = { line: `GET ${path} HTTP/1.1`, ...(toOther ? { other: true as const } : {}) };
  return { ...passes(id, holds, get(path), seen), other };
}

/** The target of a request: its forms, and which bytes of it decide. */
export const targets: readonly ContractCase[] = [
  passes(
    'absolute-form',
    'Absolute form arrives as a path, with its own host.',
    request(['GET http://a.example/x?y HTTP/1.1', host]),
    {
      line: 'GET /x?y HTTP/1.1',
      headers: { host: 'a.example' },
    },
    'RFC 9112, 3.2.2',
  ),
  passes(
    'absolute-form-no-path',
    'Absolute form without a path means `/`.',
    request(['GET http://a.example HTTP/1.1', host]),
    {
      line: 'GET / HTTP/1.1',
      headers: { host: 'a.example' },
    },
  ),
  isRefused(
    'absolute-form-mismatch',
    'Absolute form and Host that differ are refused.',
    request(['GET http://b.example/x HTTP/1.1', host]),
    'PortSwigger, HTTP host header attacks',
  ),
  isRefused(
    'absolute-form-user',
    'A user in absolute form is refused.',
    request(['GET http://b.example@a.example/ HTTP/1.1', host]),
  ),
  passes(
    'asterisk',
    '`OPTIONS *` arrives as it is.',
    request(['OPTIONS * HTTP/1.1', host]),
    { line: 'OPTIONS * HTTP/1.1' },
    'RFC 9112, 3.2.4',
  ),
  isRefused(
    'asterisk-get',
    '`GET *` is refused.',
    request(['GET * HTTP/1.1', host]),
    'HAProxy, h1_request_target_validation.vtc',
  ),
  isRefused(
    'authority-form',
    'A target without a slash is refused.',
    request(['GET a.example:80 HTTP/1.1', host]),
    'HAProxy, h1_request_target_validation.vtc',
  ),
  isRefused(
    'relative-path',
    'A path without its first slash is refused.',
    request(['GET admin/a HTTP/1.1', host]),
    'HAProxy, h1_request_target_validation.vtc',
  ),
  {
    id: 'connect',
    holds: 'CONNECT gets 405: this is no forward proxy.',
    client: [request(['CONNECT a.example:443 HTTP/1.1', 'Host: a.example:443'])],
    sees: { status: [405] },
    seen: [],
  },
  isRefused(
    'fragment',
    'A fragment in a target is refused.',
    get('/a#b'),
    'HAProxy, h1_authority_fragment_char.vtc',
  ),
  isRefused('space-in-path', 'A space in a target is refused.', get('/a b')),
  isRefused(
    'tab-in-line',
    'A tab between method and target is refused.',
    'GET\t/ HTTP/1.1\r\nHost: a.example\r\n\r\n',
    'RFC 9112, 3',
  ),
  isRefused('bytes-in-path', 'Bytes above 127 in a target are refused.', get('/\xe4')),
  isRefused('zero-in-path', 'A zero byte in a target is refused.', get('/a\0b')),
  isRefused('version-missing', 'HTTP/0.9 is refused.', 'GET /\r\n\r\n'),
  isRefused('version-two', '`HTTP/2.0` on a line of HTTP/1 is refused.', request(['GET / HTTP/2.0', host])),
  isRefused(
    'version-odd',
    '`HTTP/1.32` is refused.',
    request(['GET / HTTP/1.32', host]),
    'HTTP Garden, server bug 5',
  ),
  isRefused('version-case', '`http/1.1` is refused.', request(['GET / http/1.1', host])),
  isRefused(
    'method-odd',
    'A method that is no token is refused.',
    request(['G(T / HTTP/1.1', host]),
    'HTTP Garden, server bug 6',
  ),
  passes(
    'method-registered',
    'Methods of extensions are passed on: `PROPFIND`.',
    request(['PROPFIND /a HTTP/1.1', host, 'Content-Length: 0']),
    { line: 'PROPFIND /a HTTP/1.1' },
  ),
  passes(
    'method-own',
    'A method that nobody registered is passed on.',
    request(['FETCHALL /a HTTP/1.1', host, 'Content-Length: 0']),
    { line: 'FETCHALL /a HTTP/1.1' },
  ),
  passes('path-long', 'A path of 4,000 bytes is passed on.', get(`/${'p'.repeat(4_000)}`), {
    line: `GET /${'p'.repeat(4_000)} HTTP/1.1`,
  }),
  isRefused('path-too-long', 'A path of 70,000 bytes is refused.', get(`/${'p'.repeat(70_000)}`)),
  passes(
    'path-encoded',
    'What is encoded stays encoded, in the case it came in.',
    get('/a%2Fb%2f%2E%2e%41?q=%20%2B+'),
    { line: 'GET /a%2Fb%2f%2E%2e%41?q=%20%2B+ HTTP/1.1' },
  ),
  passes('path-dots', 'Dots and double slashes stay as they are.', get('/a/./b//c/../d'), {
    line: 'GET /a/./b//c/../d HTTP/1.1',
  }),
  passes('path-bad-encoding', 'A percent sign that encodes nothing stays.', get('/a%zz%2'), {
    line: 'GET /a%zz%2 HTTP/1.1',
  }),
  passes('query-odd', 'A query keeps quotes, brackets and question marks.', get('/?a=[1]&b="x"?{}|\\^'), {
    line: 'GET /?a=[1]&b="x"?{}|\\^ HTTP/1.1',
  }),
  routed('route-prefix', 'A prefix takes what is below it.', '/api/x', true),
  routed('route-encoded-slash', 'An encoded slash is no slash for a prefix.', '/api%2Fx', false),
  routed('route-encoded-letter', 'An encoded letter is not decoded for a prefix.', '/%61pi/x', false),
  routed('route-dots-out', 'Dots are not resolved before a prefix decides.', '/api/../x', true),
  routed('route-dots-in', 'Dots do not lead into a prefix.', '/x/../api/y', false),
  routed('route-double-slash', 'A double slash is not taken for one.', '//api/x', false),
  routed('route-case', 'Paths are told apart by case.', '/API/x', false),
];

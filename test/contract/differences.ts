import type { Difference, SeenRequest, Sees } from './case.ts';

const kept = (status: number): Sees => ({ status: [status], closed: false });
const repaired = 'It repairs what can be read in one way only, and passes on its own, unambiguous form.';

function haproxy(name: string, instead: Difference['instead'], reason = repaired): Difference {
  return { case: name, engine: 'haproxy', instead, reason };
}

function builtin(name: string, instead: Difference['instead'], reason: string): Difference {
  return { case: name, engine: 'builtin', instead, reason };
}

function nginx(name: string, instead: Difference['instead'], reason: string): Difference {
  return { case: name, engine: 'nginx', instead, reason };
}

const got = (line: string, more: Omit<SeenRequest, 'line'> = {}): readonly SeenRequest[] => [
  { line, ...more },
];
const post = 'POST /a HTTP/1.1';
const get = 'GET / HTTP/1.1';
const dropsField =
  'The library that reads HTTP/2 drops a field that is malformed and says nothing of it; the request goes on without it.';
const dropped: Difference['instead'] = {
  sees: { status: [200] },
  seen: got('GET /a HTTP/1.1', { headers: { 'transfer-encoding': null, 'x-a': null } }),
};

/** What remains different, each with its reason. A difference that is none any more fails the test. */
export const differences: readonly Difference[] = [
  ...['certificate-revoked', 'certificate-stranger', 'certificate-missing'].map((name) =>
    nginx(
      name,
      { sees: { status: [400], closed: true } },
      'It ends the handshake all the same, and says over it, in 400, that the certificate is not the right one.',
    ),
  ),
  ...['length-and-chunked', 'chunked-and-length'].map((name) =>
    haproxy(
      name,
      {
        sees: { status: [200], closed: true },
        seen: got(post, { headers: { 'content-length': null }, body: '' }),
      },
      'It takes Content-Length away, as RFC 9112 allows, and ends the connection behind the answer.',
    ),
  ),
  ...['same-length-twice', 'length-list'].map((name) =>
    haproxy(
      name,
      { sees: kept(200), seen: got(post, { headers: { 'content-length': '5' }, body: 'hello' }) },
      'It makes one Content-Length of several that are equal, as RFC 9112 allows.',
    ),
  ),
  haproxy('coding-folded', {
    sees: kept(200),
    seen: got(post, { headers: { 'transfer-encoding': 'chunked' } }),
  }),
  haproxy(
    'coding-http10',
    { sees: { status: [200], closed: true }, seen: got('POST /a HTTP/1.0') },
    'It reads the chunks, and ends the connection behind the answer.',
  ),
  haproxy('chunk-bare-line-feed', { sees: kept(200), seen: got(post, { body: 'hello' }) }),
  haproxy('header-bare-line-feed', { sees: kept(200), seen: got(get, { headers: { 'x-a': '1' } }) }),
  haproxy('header-folded', { sees: kept(200), seen: got(get, { headers: { 'x-a': /^1 +2$/ } }) }),
  haproxy('tab-in-line', { sees: kept(200), seen: got(get) }),
  haproxy('version-two', { sees: kept(200), seen: got(get) }),
  haproxy('host-twice-same', { sees: kept(200), seen: got(get, { headers: { host: 'a.example' } }) }),
  haproxy(
    'asterisk-get',
    { sees: kept(200), seen: got('GET * HTTP/1.1') },
    'It passes the target on; a server that does not know it refuses it.',
  ),
  haproxy(
    'absolute-form-user',
    { sees: kept(200), seen: got(get, { headers: { host: 'a.example' } }) },
    'It takes the user away.',
  ),
  haproxy(
    'absolute-form-no-path',
    { seen: got('GET http://a.example HTTP/1.1', { headers: { host: 'a.example' } }) },
    'It passes it on as it came; the host in it and Host agree.',
  ),
  haproxy('http10', { seen: got('GET /a HTTP/1.0') }, 'It tells the server the version of the client.'),
  haproxy(
    'http10-keep-alive',
    { seen: [{ line: 'GET /a HTTP/1.0' }, { line: 'GET /b HTTP/1.0' }] },
    'It tells the server the version of the client.',
  ),
  haproxy(
    'answer-to-http10',
    {
      sees: { status: [200], headers: { 'transfer-encoding': 'chunked' }, closed: true },
      seen: got('GET / HTTP/1.0'),
    },
    'It tells the server the version of the client, and relies on the server to send no chunks then.',
  ),
  haproxy(
    'connection-named',
    { seen: got(get, { headers: { 'x-private': '1', 'x-kept': '2' } }) },
    'It does not read which fields Connection names.',
  ),
  haproxy(
    'connection-own',
    { seen: got(get, { headers: { 'keep-alive': 'timeout=9', 'proxy-connection': 'keep-alive' } }) },
    'It passes them on; they say nothing to a server of HTTP/1.1.',
  ),
  haproxy(
    'answer-headers',
    { sees: { status: [200], headers: { 'x-mine': '1', 'set-cookie': 'a=1, b=2' }, closed: false } },
    'It does not read which fields Connection names.',
  ),
  haproxy(
    'answer-until-close',
    { sees: { status: [200], body: 'abc', closed: true } },
    'It ends the connection of the client too.',
  ),
  haproxy('bad-length-and-chunked', {
    sees: { status: [200], headers: { 'content-length': null }, body: '' },
  }),
  haproxy('bad-header-folded', { sees: { status: [200], headers: { 'x-a': /^a +b$/ }, body: 'ok' } }),
  haproxy(
    'bad-header-zero',
    { sees: { status: [], unreadable: true } },
    'It trusts its servers with control bytes.',
  ),
  haproxy(
    'bad-status-digits',
    { sees: { status: [], unreadable: true } },
    'It trusts its servers with the number of digits.',
  ),
  haproxy(
    'post-once-kept',
    { sees: { status: [200], closed: true } },
    'On a connection that it has kept for this client it ends the connection instead of answering 502, so that the client decides.',
  ),
  haproxy(
    'h2-cut',
    { sees: { status: [200] } },
    'It ends the stream as if the answer were whole; its Content-Length tells that it is not.',
  ),
  haproxy(
    'h2-host-mismatch',
    { sees: { status: [200] }, seen: got('GET /a HTTP/1.1', { headers: { host: 'a.example' } }) },
    ':authority decides, and Host is dropped.',
  ),
  haproxy(
    'h2-two-hosts',
    { sees: { status: [200] }, seen: got('GET /a HTTP/1.1', { headers: { host: 'a.example' } }) },
    'The first one decides, the other is dropped.',
  ),
  builtin(
    'method-own',
    { sees: { status: ['refused'], closed: true }, seen: [] },
    "Node's parser knows a list of methods.",
  ),
  ...[
    'h2-value-line',
    'h2-value-line-feed',
    'h2-value-zero',
    'h2-name-line',
    'h2-name-colon',
    'h2-name-space',
    'h2-name-empty',
  ].map((name) => builtin(name, dropped, dropsField)),
  nginx('chunk-bare-line-feed', { sees: kept(200), seen: got(post, { body: 'hello' }) }, repaired),
  nginx('header-bare-line-feed', { sees: kept(200), seen: got(get, { headers: { 'x-a': '1' } }) }, repaired),
  nginx(
    'version-odd',
    { sees: kept(200), seen: got(get) },
    'It takes any version that begins with 1 for 1.1, and says that to the server.',
  ),
  nginx(
    'version-missing',
    { sees: { status: [], closed: true }, seen: got(get) },
    'It answers HTTP/0.9 in kind; the server is asked in HTTP/1.1.',
  ),
  nginx(
    'header-odd-name',
    { seen: got(get, { headers: { "x!#$%&'*+.^|~": null } }) },
    'It is told to drop names with other signs than letters, digits, dash and underscore: a server could read them as something else.',
  ),
  nginx(
    'header-parenthesis',
    { sees: kept(200), seen: got(get, { headers: { 'x(a': null } }) },
    'It drops the field.',
  ),
  nginx(
    'header-no-colon',
    { sees: kept(200), seen: got(get, { headers: { 'x-a': '' } }) },
    'It takes it for a field without a value, and says it so.',
  ),
  nginx('header-bytes-in-name', { sees: kept(200), seen: got(get) }, 'It drops the field.'),
  nginx(
    'header-control',
    { sees: { status: [400] }, seen: 'unreadable' },
    'It refuses zero bytes and line ends only, and passes other control bytes on.',
  ),
  nginx(
    'connection-named',
    { seen: got(get, { headers: { 'x-private': '1', 'x-kept': '2' } }) },
    'It does not read which fields Connection names.',
  ),
  nginx(
    'connection-own',
    { seen: got(get, { headers: { 'keep-alive': null, 'proxy-connection': 'keep-alive' } }) },
    'It passes Proxy-Connection on; it says nothing to a server of HTTP/1.1.',
  ),
  nginx(
    'answer-headers',
    { sees: { status: [200], headers: { 'x-mine': '1', 'set-cookie': 'a=1, b=2' }, closed: false } },
    'It does not read which fields Connection names.',
  ),
  nginx(
    'host-user',
    { sees: kept(200), seen: got(get, { headers: { host: 'b@a.example' } }) },
    'It passes Host on as it came; routes see the same.',
  ),
  nginx(
    'absolute-form-mismatch',
    { sees: kept(200), seen: got('GET /x HTTP/1.1', { headers: { host: 'a.example' } }) },
    'Host decides about routes and is passed on; the host in the target is dropped.',
  ),
  nginx('asterisk', { sees: { status: [400] }, seen: [] }, 'It does not know this form.'),
  nginx('connect', { sees: { status: [400] }, seen: [] }, 'It refuses with another status.'),
  nginx(
    'fragment',
    { sees: kept(200), seen: got('GET /a#b HTTP/1.1') },
    'It passes the target on as it came.',
  ),
  nginx(
    'bytes-in-path',
    { sees: kept(200), seen: got('GET /\xe4 HTTP/1.1') },
    'It passes the target on as it came.',
  ),
  nginx(
    'path-bad-encoding',
    { sees: { status: [400] }, seen: [] },
    'It decodes the path for itself, and refuses what cannot be decoded.',
  ),
  nginx('answer-trailers', { sees: { status: [200], body: 'abc' } }, 'It drops trailers.'),
  nginx('answer-101-unasked', { sees: { status: [101] } }, 'It trusts its servers with switching.'),
  nginx(
    'bad-length-and-chunked',
    { sees: { status: [200], headers: { 'content-length': null }, body: '' } },
    'It reads the chunks, and drops the length.',
  ),
  ...['bad-two-lengths', 'bad-length'].map((name) =>
    nginx(name, { sees: { status: [200] } }, 'It makes one answer of it that can be read in one way only.'),
  ),
  nginx(
    'bad-coding',
    { sees: { status: [200], body: '' } },
    'It reads the chunks, and says so in its own words.',
  ),
  nginx('bad-status', { sees: { status: [], unreadable: true } }, 'It takes it for an answer of HTTP/0.9.'),
  nginx(
    'bad-status-digits',
    { sees: { status: [], unreadable: true } },
    'It trusts its servers with the number of digits.',
  ),
  nginx(
    'half-closed',
    { sees: { status: [], closed: true }, seen: null },
    'It takes a client that has closed its side for one that has left.',
  ),
  nginx('body-cut', { seen: [] }, 'It asks the server when it has the whole body.'),
  nginx(
    'h2-host-same',
    { sees: { status: [400] }, seen: [] },
    'It takes Host beside :authority for a second Host.',
  ),
  ...['h2-transfer-encoding', 'h2-connection', 'h2-upgrade', 'h2-te-gzip'].map((name) =>
    nginx(
      name,
      {
        sees: { status: [200] },
        seen: got('GET /a HTTP/1.1', { headers: { 'transfer-encoding': null, upgrade: null, te: null } }),
      },
      'It drops the field.',
    ),
  ),
  nginx(
    'h2-path-fragment',
    { sees: { status: [200] }, seen: got('GET /a#b HTTP/1.1') },
    'It passes the target on as it came.',
  ),
  nginx(
    'h2-authority-user',
    { sees: { status: [200] }, seen: got('GET /a HTTP/1.1') },
    'It passes the host on as it came; routes see the same.',
  ),
  nginx(
    'h2-pseudo-late',
    { sees: { status: [200] }, seen: got('GET /a HTTP/1.1') },
    'It reads pseudo-headers wherever they stand.',
  ),
  nginx(
    'h2-trailers',
    { sees: { status: [] }, seen: [] },
    'It knows no trailers of requests over HTTP/2, and ends the connection.',
  ),
  ...ofSomeVersions(),
];

function ofSomeVersions(): readonly Difference[] {
  return [
    {
      ...haproxy(
        'answer-204-body',
        { sees: { status: [204], closed: true }, seen: got('GET /a HTTP/1.1') },
        "HAProxy 3.0 ends the client's connection behind a 204 that something follows.",
      ),
      versions: /^3\.0\./,
    },
    {
      ...haproxy(
        'two-lengths',
        { sees: { status: [], closed: true }, seen: [] },
        'HAProxy 3.2 and later end the connection without an answer.',
      ),
      versions: /^3\.[2-9]/,
    },
    {
      ...nginx(
        'answer-103',
        { sees: { status: [200], informational: [], body: 'ok' } },
        'NGINX 1.29 and later pass 103 on only where `early_hints` says so, which versions before do not know.',
      ),
      versions: /^1\.(?:29|3\d)\./,
    },
  ];
}

/** Null for the version: what is so in all of them. */
export function differenceOf(name: string, engine: string, version: string | null): Difference | null {
  const isOf = ({ versions }: Difference) => versions === undefined || versions.test(version ?? '');
  return differences.find((one) => one.case === name && one.engine === engine && isOf(one)) ?? null;
}

import type { Difference, SeenRequest, Sees } from './case.ts';

const kept = (status: number): Sees => ({ status: [status], closed: false });
const repaired = 'It repairs what can be read in one way only, and passes on its own, unambiguous form.';

function haproxy(name: string, instead: Difference['instead'], reason = repaired): Difference {
  return { case: name, engine: 'haproxy', instead, reason };
}

function builtin(name: string, instead: Difference['instead'], reason: string): Difference {
  return { case: name, engine: 'builtin', instead, reason };
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
];

export function differenceOf(name: string, engine: string): Difference | null {
  return differences.find((one) => one.case === name && one.engine === engine) ?? null;
}

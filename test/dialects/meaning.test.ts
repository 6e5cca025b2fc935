import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { poolsOf, type Route, type RouteMatch, routeOf, type Site } from '#model';
import { decide, type Request, witnesses } from '#routing';
import { type Generation, type HaproxyWorld, haproxyWorld, nginxWorld, until } from '../world/haproxy.ts';
import { everything, listenerOf, poolOf, routeTo, serverOf, siteOf } from '../world/sites.ts';

let world: HaproxyWorld;
const closers: (() => void)[] = [];
/** Statuses that the engine gives to requests before it looks at any rule. */
let refusals: ReadonlySet<string>;

interface Served {
  readonly site: Site;
  /** The pool that answered, or the status that HAProxy gave by itself. */
  answer(request: Partial<Request>, listener?: string): Promise<string>;
  /** What `decide` says, in the same words. */
  expected(request: Partial<Request>, listener?: string): string;
}

/** Serves the routes with one server a pool that says the pool's name. */
async function serve(name: string, routes: readonly Route[], listenerNames = ['http']): Promise<Served> {
  const pools = [...new Set(routes.flatMap(poolsOf))];
  const addresses: Record<string, string> = {};
  for (const pool of pools) {
    const path = join(world.folder, `${name}-${pool}.sock`);
    const server = createServer((_request, response) => response.end(pool)).listen(path);
    await once(server, 'listening');
    chmodSync(path, 0o666);
    closers.push(() => server.close());
    addresses[`${pool}/s1`] = `unix@${path}`;
  }
  const sockets = Object.fromEntries(
    await Promise.all(listenerNames.map(async (listener) => [listener, await world.socket()] as const)),
  );
  const site = siteOf({
    listeners: listenerNames.map((listener) => listenerOf(listener, sockets[listener]?.port ?? 0)),
    pools: pools.map((pool) => poolOf(pool, [], { servers: [serverOf('s1', 80)] })),
    routes,
  });
  const generation: Generation = await world.start(site, { name, sockets, servers: addresses });
  await until('every server was checked', async () =>
    (await generation.control.servers(1_000)).every((server) => server.state === 'up'),
  );
  const full = (request: Partial<Request>): Request => ({ ...plain, ...request });
  return {
    site,
    answer: (request, listener = 'http') => rawAsk(sockets[listener]?.port ?? 0, full(request)),
    expected(request, listener = 'http') {
      const routed = routeOf(site).listeners.find((l) => l.name === listener);
      assert.ok(routed);
      const { action } = decide(routed, full(request));
      return action.kind === 'pool'
        ? action.pool
        : action.kind === 'answer'
          ? `${action.status}`
          : action.kind;
    },
  };
}

const plain: Request = {
  method: 'GET',
  scheme: 'http',
  host: 'plain.example',
  port: 80,
  path: '/',
  query: '',
  headers: {},
};

/** Byte for byte as given: no client library tidies the request. */
async function rawAsk(port: number, { method, host, path, query, headers }: Request): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const lines = [
    `${method} ${path}${query === '' ? '' : `?${query}`} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: close',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += chunk;
  const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 'nothing';
  return status === '200'
    ? text.slice(text.lastIndexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n0$/g, '')
    : status;
}

async function assertAgrees(served: Served, requests: readonly Partial<Request>[], listener?: string) {
  assert.ok(requests.length > 0);
  let refused = 0;
  for (const request of requests) {
    const answered = await served.answer(request, listener);
    if (refusals.has(answered)) refused += 1;
    else assert.equal(answered, served.expected(request, listener), JSON.stringify(request));
  }
  assert.ok(refused <= requests.length * 0.03, `${refused} of ${requests.length} were refused`);
}

const kinds: readonly Route[] = [
  routeTo('exact', { path: { type: 'Exact', value: '/exact' } }),
  routeTo('prefix', { path: { type: 'PathPrefix', value: '/api' } }),
  routeTo('longer', { path: { type: 'PathPrefix', value: '/api/v2/' } }),
  routeTo('regex', { path: { type: 'RegularExpression', value: '/item/[0-9]{2,3}|/thing' } }),
  routeTo('method', { method: 'POST', path: { type: 'PathPrefix', value: '/' } }),
  routeTo('header', { headers: [{ name: 'X-Tenant', type: 'Exact', value: 'a, b' }] }),
  routeTo('header-regex', { headers: [{ name: 'X-Trace', type: 'RegularExpression', value: '[a-f]+|0' }] }),
  routeTo('query', { queryParams: [{ name: 'mode', type: 'Exact', value: 'test' }] }),
  routeTo('query-empty', { queryParams: [{ name: 'flag', type: 'Exact', value: '' }] }),
  routeTo('query-regex', { queryParams: [{ name: 'id', type: 'RegularExpression', value: "[0-9]+|.*'x" }] }),
  routeTo('host', {}, { hostnames: ['shop.example'] }),
  routeTo('hosts', { path: { type: 'PathPrefix', value: '/s' } }, { hostnames: ['*.shop.example'] }),
  routeTo('both', {
    method: 'PUT',
    headers: [{ name: 'x-tenant', type: 'Exact', value: 'c' }],
    queryParams: [{ name: 'mode', type: 'Exact', value: 'test' }],
  }),
];

const trying: readonly Partial<Request>[] = [
  ...[
    '/exact',
    '/exact/',
    '/Exact',
    '/exactly',
    '/',
    '/api',
    '/api/',
    '/apis',
    '/api/v2',
    '/api/v2x',
    '/api//x',
  ].map((path) => ({ path })),
  ...[
    '/api/v2/',
    '/api/v2/x',
    '/API',
    '/item/1',
    '/item/12',
    '/item/1234',
    '/thing',
    '/thing/',
    '/a/thing',
  ].map((path) => ({ path })),
  ...['/%61pi', '/api%2Fv2', "/a'b", '/s', '/x{y}', '/a;b'].map((path) => ({ path })),
  ...['POST', 'post', 'PUT', 'HEADLESS', 'OPTIONS'].map((method) => ({ method, path: '/any' })),
  ...['a, b', 'a', 'b', 'a,b', 'A, b', 'a, b, c'].map((value) => ({ headers: { 'x-TENANT': value } })),
  ...['abc', 'abcg', '0', '00', 'xabc', ''].map((value) => ({ headers: { 'X-Trace': value } })),
  ...[
    'mode=test',
    'mode=tes',
    'mode=testx',
    'xmode=test',
    'a=b&mode=test',
    'mode=test&c',
    'mode',
    'MODE=test',
  ].map((query) => ({ query })),
  ...[
    'mode=live&mode=test',
    'mode=test&mode=live',
    'a;mode=test',
    'mode=test;b',
    'mode=%74est',
    '?mode=test',
  ].map((query) => ({ query })),
  ...['flag', 'flag=', 'flag=1', 'flags', 'a&flag&b', 'flag=1&flag', '&&flag'].map((query) => ({ query })),
  ...['id=1', 'id=12&x', 'id=', 'id=a', "id=a'x", "id=1&y='x", 'id=1=2', 'x=1&id=7&id=z', 'id&id=7'].map(
    (query) => ({
      query,
    }),
  ),
  ...[
    'shop.example',
    'SHOP.example:8080',
    'a.shop.example',
    'a.b.shop.example:1',
    '.shop.example',
    'ashop.example',
  ].flatMap((host) => [{ host }, { host, path: '/s' }]),
  ...['shop.example.', 'shop.example.evil', '[::1]:80', '127.0.0.1'].map((host) => ({ host, path: '/s/1' })),
  { method: 'PUT', headers: { 'x-tenant': 'c' }, query: 'mode=test' },
  { method: 'PUT', headers: { 'x-tenant': 'c' } },
];

async function kindsMeanTheSame(): Promise<void> {
  const served = await serve('kinds', kinds);
  await assertAgrees(served, trying);
  const answers = new Set(trying.map((request) => served.expected(request)));
  for (const pool of kinds.flatMap(poolsOf)) assert.ok(answers.has(pool), `no request comes to ${pool}`);
}

async function longQueries(): Promise<void> {
  const served = await serve('long', kinds);
  const began = performance.now();
  for (const filler of [
    'a&'.repeat(5_000),
    `${'m'.repeat(10_000)}&`,
    'mode&x'.repeat(1_600),
    'mod=&'.repeat(2_000),
  ])
    await assertAgrees(served, [
      { query: `${filler}mode=test` },
      { query: `${filler}id=${'7'.repeat(1_000)}&z` },
    ]);
  assert.ok(performance.now() - began < 2_000);
}

async function everyWitness(): Promise<void> {
  const served = await serve('witnesses', kinds);
  const found = witnesses(routeOf(served.site));
  assert.ok(found.length >= kinds.length - 1);
  await assertAgrees(
    served,
    found.map(({ request }) => request),
  );
}

async function listenersKeepRules(): Promise<void> {
  const routes = [
    routeTo('inside', { path: { type: 'PathPrefix', value: '/admin' } }, { listeners: ['private'] }),
    routeTo('site', {}),
  ];
  const served = await serve('listeners', routes, ['public', 'private']);
  for (const listener of ['public', 'private'])
    await assertAgrees(served, [{ path: '/admin' }, { path: '/' }], listener);
  const entrance = join(world.folder, 'listeners', 'entrance.sock');
  const seen = [];
  for (const [nth, listener] of served.site.listeners.entries()) {
    const socket = connect(entrance);
    socket.write(`PROXY TCP4 10.0.0.1 10.0.0.2 ${1_000 + nth} ${listener.port}\r\n`);
    socket.write('GET /admin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket.setEncoding('latin1')) text += chunk;
    seen.push(/inside|site/.exec(text)?.[0]);
  }
  assert.deepEqual(seen, ['site', 'inside']);
}

/** Everything that a line of HAProxy's could stumble over, more often than chance would bring it. */
const awkward = [
  ' ',
  "'",
  '"',
  '\\',
  '#',
  '$',
  ['$', '{HOME}'].join(''),
  ',',
  '{',
  '}',
  '(',
  ')',
  '%',
  '%[src]',
  '\\x27',
  '--',
  '-i',
  'é',
  '漢',
];
const anyText = fc
  .array(fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 })), {
    minLength: 1,
    maxLength: 8,
  })
  .map((parts) =>
    parts
      .join('')
      .replace(/[\p{Cc}\p{Cs}]/gu, '')
      .trim(),
  )
  .filter((text) => text !== '');
const visible = fc
  .string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 12,
  })
  .map((text) => text.replace(/[?#]/g, ''));
const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

async function arbitraryValues(): Promise<void> {
  const rounds = 60;
  const sample = <T>(arbitrary: fc.Arbitrary<T>) =>
    fc.sample(arbitrary, { numRuns: rounds, seed: 20_261_122 });
  const texts = [...new Set([...awkward.filter((text) => text.trim() !== ''), ...sample(anyText)])];
  const words = [...new Set(sample(visible).filter((text) => text !== ''))];
  const routes: Route[] = [];
  const requests: Partial<Request>[] = [];
  const add = (match: Partial<RouteMatch>, request: Partial<Request>) => {
    routes.push(
      routeTo(`p${routes.length}`, { ...everything, ...match }, { name: `route ${routes.length}\n'"#` }),
    );
    requests.push(request);
  };
  for (const value of texts) {
    add({ headers: [{ name: 'x-exact', type: 'Exact', value }] }, { headers: { 'x-exact': value } });
    const escaped = [...Buffer.from(value)]
      .map((byte) => (byte < 128 ? literal(String.fromCharCode(byte)) : `\\x${byte.toString(16)}`))
      .join('');
    add(
      { headers: [{ name: 'x-regex', type: 'RegularExpression', value: escaped }] },
      { headers: { 'x-regex': value } },
    );
  }
  for (const word of words) {
    add({ path: { type: 'Exact', value: `/e${word}` } }, { path: `/e${word}` });
    add({ path: { type: 'PathPrefix', value: `/p${word}/` } }, { path: `/p${word}/below` });
    const name = word.replace(/[&=]/g, '');
    const value = word.replace(/&/g, '');
    if (name === '') continue;
    add({ queryParams: [{ name, type: 'Exact', value }] }, { path: '/q', query: `a=b&${name}=${value}&c` });
    add(
      { queryParams: [{ name: `r${name}`, type: 'RegularExpression', value: literal(value) }] },
      { path: '/q', query: `r${name}=${value}` },
    );
  }
  const served = await serve('values', routes);
  assert.ok(requests.length > 300);
  let met = 0;
  for (const [index, request] of requests.entries()) {
    const answered = await served.answer(request);
    // Compared with the rule that was meant, not with decide: its expressions see characters, HAProxy's see bytes.
    if (answered === `p${index}`) met += 1;
    else if (!refusals.has(answered))
      assert.equal(answered, served.expected(request), JSON.stringify(request));
  }
  assert.ok(met > requests.length * 0.95, `${met} of ${requests.length} came to their own rule`);
}

for (const { engine, open, refuses } of [
  { engine: 'haproxy', open: haproxyWorld, refuses: [] },
  // A method in lower case, a host or a target that is none.
  { engine: 'nginx', open: nginxWorld, refuses: ['400'] },
])
  describe(engine, () => {
    before(async () => {
      world = await open();
      refusals = new Set(refuses);
    });
    after(async () => {
      for (const close of closers.splice(0)) close();
      await world.close();
    });
    test('every kind of match means what it means to decide', kindsMeanTheSame);
    test('a query as long as an engine takes is read to its end, and quickly', longQueries);
    test('every witness comes to the pool of its rule', everyWitness);
    test('listeners with rules of their own keep them, behind the entrance too', listenersKeepRules);
    test(
      'arbitrary values survive the text: each request finds the one rule that was written for it',
      arbitraryValues,
    );
  });

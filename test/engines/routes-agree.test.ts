import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { siteOf } from '../model/site.ts';
import { type AskOptions, ask } from '../world/ask.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';

/** What routes do, asked of every engine with the same site: what the client sees and what the server saw. */
const text = (web: number, api: number, port: number) => `site: routes
listeners: [{ name: http, address: "127.0.0.1:${port}" }]
routes:
  - name: to-https
    hostnames: [secure.example]
    redirect: { scheme: https, statusCode: 301 }
  - name: to-www
    hostnames: [old.example]
    redirect: { hostname: www.shop.example, port: 8443, path: { replaceFullPath: "/it's" } }
  - name: moved
    matches: [{ path: { value: /old } }]
    redirect: { path: { replacePrefixMatch: /new/ }, statusCode: 308 }
  - name: shortened
    matches: [{ path: { value: /short } }]
    redirect: { path: { replacePrefixMatch: / }, statusCode: 307 }
  - name: robots
    matches: [{ path: { type: Exact, value: /robots.txt } }]
    answer:
      statusCode: 200
      headers: [{ name: Cache-Control, value: "max-age=60, x=100%" }]
      body: |
        User-agent: *
        Disallow: "/it's" # 100% $HOME \\ é
  - name: maintenance
    hostnames: [down.example]
    answer: { statusCode: 503, contentType: text/html, body: ${'<p>later</p>'.repeat(1_000)} }
  - name: gone
    matches: [{ path: { value: /gone } }]
    answer: { statusCode: 410 }
  - name: api
    matches: [{ path: { value: /api } }, { path: { value: /v1/api } }]
    pool: api
    rewrite: { hostname: api.internal, path: { replacePrefixMatch: /x } }
    requestHeaders:
      set: [{ name: X-Tenant, value: "it's 100% \\"a\\", $b #c \\\\" }]
      add: [{ name: X-Via, value: edge }]
      remove: [X-Debug]
  - name: app
    matches: [{ path: { value: /app } }]
    pool: web
    rewrite: { path: { replacePrefixMatch: / } }
    responseHeaders:
      set: [{ name: Cache-Control, value: no-store }]
      add: [{ name: X-Many, value: "2 %" }]
      remove: [X-Powered-By]
  - name: everything
    matches: [{ path: { value: /under } }]
    pool: web
    rewrite: { path: { replacePrefixMatch: /over } }
  - name: one-page
    matches: [{ path: { value: /spa } }]
    pool: web
    rewrite: { path: { replaceFullPath: /index.html } }
  - name: shares
    matches: [{ path: { value: /share } }]
    pools: [{ pool: web, weight: 3 }, { pool: api, weight: 1 }]
  - { name: plain, matches: [{ path: { value: /plain } }], pool: web }
pools:
  - { name: web, servers: ["127.0.0.1:${web}"] }
  - { name: api, servers: ["127.0.0.1:${api}"] }
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`;

interface Seen {
  readonly pool: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Case {
  readonly asked: AskOptions;
  readonly status: number;
  /** Null: must not be there. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: string;
  readonly seen?: { readonly pool: string; readonly url: string } & Readonly<Record<string, string | null>>;
}

const to = (host: string, path: string, more: AskOptions = {}): AskOptions => ({
  path,
  ...more,
  headers: { host, ...more.headers },
});
const location = (value: string) => ({ location: value });
const robots = `User-agent: *\nDisallow: "/it's" # 100% $HOME \\ ${Buffer.from('é').toString('latin1')}\n`;

const cases: Readonly<Record<string, Case>> = {
  'a redirect to another scheme drops the port and keeps path and query': {
    asked: to('Secure.Example:8080', '/a//b%2Fc?x=1&y=%20'),
    status: 301,
    headers: location('https://secure.example/a//b%2Fc?x=1&y=%20'),
  },
  'a redirect to a full path keeps the query': {
    asked: to('old.example', '/cart?x=1'),
    status: 302,
    headers: location("http://www.shop.example:8443/it's?x=1"),
  },
  'a prefix is replaced in a redirect': {
    asked: to('a.example', '/old/b?x'),
    status: 308,
    headers: location('http://a.example:PORT/new/b?x'),
  },
  'a prefix that is the whole path': {
    asked: to('a.example', '/old?x'),
    status: 308,
    headers: location('http://a.example:PORT/new?x'),
  },
  'a prefix that is taken away': {
    asked: to('a.example', '/short/b'),
    status: 307,
    headers: location('http://a.example:PORT/b'),
  },
  'a prefix that is taken away and was all there was': {
    asked: to('a.example', '/short?x=1'),
    status: 307,
    headers: location('http://a.example:PORT/?x=1'),
  },
  'a POST is redirected too': {
    asked: to('a.example', '/old', { method: 'POST' }),
    status: 308,
    headers: location('http://a.example:PORT/new'),
  },
  'a fixed answer': {
    asked: to('a.example', '/robots.txt?x'),
    status: 200,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'max-age=60, x=100%' },
    body: robots,
  },
  'a fixed answer to HEAD has the same headers and no body': {
    asked: to('a.example', '/robots.txt', { method: 'HEAD' }),
    status: 200,
    headers: { 'content-length': `${robots.length}`, 'cache-control': 'max-age=60, x=100%' },
    body: '',
  },
  'a maintenance page of nearly the size that is allowed': {
    asked: to('down.example', '/api/x'),
    status: 503,
    headers: { 'content-type': 'text/html', 'content-length': '12000' },
    body: '<p>later</p>'.repeat(1_000),
  },
  'a fixed answer without a body': {
    asked: to('a.example', '/gone/x'),
    status: 410,
    headers: { 'content-length': '0', 'content-type': null },
    body: '',
  },
  'what no route takes': { asked: to('a.example', '/nothing'), status: 404 },
  'a rewritten prefix and host, headers set, added and removed': {
    asked: to('a.example', '/api/b?x=/api', {
      headers: { 'x-debug': '1', 'x-tenant': 'mine', 'x-via': 'cache', 'holdfast-target': '/evil' },
    }),
    status: 200,
    seen: {
      pool: 'api',
      url: '/x/b?x=/api',
      host: 'api.internal',
      'x-tenant': 'it\'s 100% "a", $b #c \\',
      'x-via': 'cache, edge',
      'x-debug': null,
    },
  },
  'the prefix is that of the match': {
    asked: to('a.example', '/v1/api'),
    status: 200,
    seen: { pool: 'api', url: '/x', host: 'api.internal' },
  },
  'a prefix taken away, and headers of the answer': {
    asked: to('a.example', '/app?q'),
    status: 200,
    headers: { 'cache-control': 'no-store', 'x-many': '1, 2 %', 'x-powered-by': null },
    seen: { pool: 'web', url: '/?q', host: 'a.example' },
  },
  'a rewrite is blind to what is not its prefix': {
    asked: to('a.example', '/under/under/%75nder?under'),
    status: 200,
    seen: { pool: 'web', url: '/over/under/%75nder?under' },
  },
  'a full path': {
    asked: to('a.example', '/spa/deep/link?id=7'),
    status: 200,
    seen: { pool: 'web', url: '/index.html?id=7' },
  },
  'a route without filters gets none': {
    asked: to('a.example', '/plain/api?x', { headers: { 'x-debug': '1' } }),
    status: 200,
    headers: { 'x-powered-by': 'test', 'cache-control': null },
    seen: { pool: 'web', url: '/plain/api?x', 'x-debug': '1', host: 'a.example' },
  },
};

for (const [name, open] of Object.entries(everyEngineWorld))
  describe(name, () => {
    let world: EngineWorld;
    let socket: PublicSocket;
    let generation: Generation;
    before(async () => {
      world = await open();
      socket = await world.socket();
      const server = (pool: string) =>
        world.server(pool, (request, response) => {
          response.setHeader('X-Powered-By', 'test');
          response.setHeader('X-Many', '1');
          response.end(JSON.stringify({ pool, url: request.url, headers: request.headers }));
        });
      const [web, api] = [await server('web'), await server('api')];
      const site = siteOf(text(web.port, api.port, socket.port));
      generation = await world.start(site, { name: 'g1', sockets: { http: socket } });
      await until('every server was checked', async () =>
        (await generation.control.servers(1_000)).every((one) => one.state === 'up'),
      );
    });
    after(() => world.close());

    for (const [what, { asked, status, headers = {}, body, seen }] of Object.entries(cases))
      test(what, async () => {
        const answer = await ask(socket.port, asked);
        assert.equal(answer.status, status, answer.body);
        for (const [header, value] of Object.entries(headers))
          assert.equal(
            answer.headers[header] ?? null,
            value?.replace('PORT', `${socket.port}`) ?? null,
            header,
          );
        if (body !== undefined) assert.equal(answer.body, body);
        if (!seen) return;
        const saw = JSON.parse(answer.body) as Seen;
        const { pool, url, ...named } = seen;
        assert.deepEqual({ pool: saw.pool, url: saw.url }, { pool, url });
        for (const [header, value] of Object.entries(named))
          assert.equal(saw.headers[header] ?? null, value, header);
        assert.deepEqual(
          Object.keys(saw.headers).filter((header) => header.startsWith('holdfast-')),
          [],
        );
      });

    test('shares by weight: each request by chance', async () => {
      const counts: Record<string, number> = { web: 0, api: 0 };
      for (let i = 0; i < 200; i++) {
        const { pool } = JSON.parse((await ask(socket.port, { path: '/share' })).body) as Seen;
        counts[pool] = (counts[pool] ?? 0) + 1;
      }
      // 150 expected; six standard deviations of 6.1.
      assert.ok(Math.abs((counts.web ?? 0) - 150) < 37, JSON.stringify(counts));
    });

    test('an answer that the site wants is no error of the generation, whatever its status', async () => {
      const { requests, errors } = await generation.control.evidence(1_000);
      await ask(socket.port, to('down.example', '/'));
      await until(
        'the answer is counted',
        async () => (await generation.control.evidence(1_000)).requests > requests,
      );
      assert.equal((await generation.control.evidence(1_000)).errors, errors);
      assert.equal(errors, 0);
    });
  });

import assert from 'node:assert/strict';
import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { unsupportedBy } from '#dialects';
import type { EngineName } from '#model';
import { siteOf } from '../model/site.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type PublicSocket, until } from '../world/haproxy.ts';
import { freePort } from '../world/stack.ts';

const limitMs = 20_000;

interface Seen {
  readonly line: string;
  readonly host: string;
  readonly tenant: string;
  readonly body: string;
}

let ran = 0;

for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`copies of requests: ${engine}`, () => {
    let world: EngineWorld;
    let socket: PublicSocket;
    let refused = '';
    const seen = { web: [] as Seen[], next: [] as Seen[] };
    const hanging = new Set<IncomingMessage>();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });

    const tell = (of: Seen[]) => (req: IncomingMessage, response: ServerResponse) => {
      let body = '';
      req.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      req.on('end', () => {
        const { host = '', 'x-tenant': tenant } = req.headers;
        // Health checks ask for nothing.
        of.push({ line: `${req.method} ${req.url}`, host, tenant: String(tenant ?? ''), body });
        response.end('answered');
      });
    };
    before(async () => {
      world = await open();
      socket = await world.socket();
      const web = await world.server('web', tell(seen.web));
      const next = await world.server('next', tell(seen.next));
      const hangs = await world.server('hangs', (req) => void hanging.add(req));
      const site = siteOf(`site: mirror
listeners: [{ name: http, address: "127.0.0.1:${socket.port}" }]
routes:
  - name: cart
    matches: [{ path: { value: /cart } }]
    pool: web
    rewrite: { hostname: cart.internal, path: { replacePrefixMatch: /v2 } }
    requestHeaders: { set: [{ name: X-Tenant, value: shop }] }
    mirror: { pool: next }
  - { matches: [{ path: { value: /half } }], pool: web, mirror: { pool: next, percent: 50 } }
  - { matches: [{ path: { value: /hangs } }], pool: web, mirror: { pool: hangs } }
  - { matches: [{ path: { value: /dead } }], pool: web, mirror: { pool: dead } }
  - { pool: web }
pools:
  - { name: web, servers: ["127.0.0.1:${web.port}"] }
  - { name: next, servers: ["127.0.0.1:${next.port}"] }
  - { name: hangs, servers: ["127.0.0.1:${hangs.port}"], timeouts: { server: 10m } }
  - { name: dead, servers: ["127.0.0.1:${await freePort()}"], healthCheck: { interval: 1h } }
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
      const [first] = unsupportedBy(site, engine as EngineName);
      refused = first?.message ?? '';
      if (first) return;
      ran += 1;
      await world.start(site, { name: 'g1', sockets: { http: socket } });
    });
    after(async () => {
      agent.destroy();
      await world.close();
    });

    /** All on one connection, which is kept. */
    const ask = (method: string, path: string, body = '') =>
      new Promise<string>((resolve, reject) => {
        const length = body === '' ? {} : { 'content-length': body.length };
        const headers = { host: 'shop.example', ...length };
        const sent = request(
          { port: socket.port, host: '127.0.0.1', agent, method, path, headers },
          (response) => {
            let text = `${response.statusCode} `;
            response.setEncoding('utf8').on('data', (part: string) => {
              text += part;
            });
            response.on('end', () => resolve(text)).on('error', reject);
          },
        );
        sent.on('error', reject).end(body);
      });
    const agreed = (what: string, body: () => Promise<void>) =>
      test(what, { timeout: 4 * limitMs }, async (t) => {
        if (refused !== '') return t.skip(refused);
        seen.web.length = 0;
        seen.next.length = 0;
        await body();
      });

    agreed('both get the same, and the client one answer', async () => {
      assert.equal(await ask('GET', '/cart/a?b=c'), '200 answered');
      assert.equal(await ask('POST', '/cart', 'all of it'), '200 answered');
      assert.equal(await ask('PUT', '/cart/x', 'y'.repeat(60_000)), '200 answered');
      assert.equal(await ask('HEAD', '/cart/h'), '200 ');
      await until('the copies are there', () => seen.next.length >= 4, limitMs);
      const sorted = (all: readonly Seen[]) => all.toSorted((a, b) => (a.line < b.line ? -1 : 1));
      assert.deepEqual(sorted(seen.next), sorted(seen.web));
      assert.deepEqual(seen.web.slice(0, 2), [
        { line: 'GET /v2/a?b=c', host: 'cart.internal', tenant: 'shop', body: '' },
        { line: 'POST /v2', host: 'cart.internal', tenant: 'shop', body: 'all of it' },
      ]);
    });

    agreed('a share of them, by chance', async () => {
      for (let i = 0; i < 60; i += 1) assert.equal(await ask('GET', `/half/${i}`), '200 answered');
      await ask('GET', '/cart/last');
      await until(
        'the last copy is there',
        () => seen.next.some(({ line }) => line === 'GET /v2/last'),
        limitMs,
      );
      const copies = seen.next.filter(({ line }) => line.startsWith('GET /half')).length;
      assert.ok(copies > 0 && copies < 60, `${copies} of 60`);
    });

    agreed('what is long has none', async () => {
      assert.equal(await ask('POST', '/cart/long', 'y'.repeat(200_000)), '200 answered');
      await ask('GET', '/cart/last');
      await until(
        'the next copy is there',
        () => seen.next.some(({ line }) => line === 'GET /v2/last'),
        limitMs,
      );
      assert.deepEqual(
        seen.next.filter(({ line }) => line.startsWith('POST')),
        [],
      );
    });

    agreed('servers that are dead, or never answer, harm nobody, however many copies wait', async () => {
      for (let i = 0; i < 10; i += 1) assert.equal(await ask('GET', '/dead'), '200 answered');
      for (let i = 0; i < 300; i += 1) assert.equal(await ask('POST', `/hangs/${i}`, 'body'), '200 answered');
      await until('copies came to the one that hangs', () => hanging.size >= 200, limitMs);
      assert.ok(hanging.size <= 2 * 256, `${hanging.size} copies wait`);
      assert.equal(await ask('GET', '/cart/after'), '200 answered');
    });
  });

after(() => assert.equal(ran, 2, 'every engine that can was asked'));

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe } from 'node:test';
import { siteOf } from '../model/site.ts';
import { ask } from '../world/ask.ts';
import { rawly } from '../world/builtin.ts';
import { agreed, type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { until } from '../world/haproxy.ts';

const limitMs = 20_000;
const delayMs = 700;

/** Time-outs that a site may say, asked of every engine that has them. */
for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`${engine} waits as long as a site says`, () => {
    let world: EngineWorld;
    let web: number;
    before(async () => {
      world = await open();
      // `/late` answers late, `/never` and `/own` never, `/stops` begins late and stops then.
      const server = await world.server('web', (request, response) => {
        request.on('error', () => {}).resume();
        if (request.url === '/never' || request.url === '/own') return;
        if (request.url === '/late') setTimeout(() => response.end('late'), delayMs);
        else if (request.url === '/stops') setTimeout(() => response.write('begun'), delayMs);
        else request.on('end', () => response.end('whole'));
      });
      web = server.port;
    });
    after(() => world.close());

    let started = 0;
    const start = async (rest: string, routes = '[{ name: web, pool: web }]') => {
      const http = await world.socket();
      started += 1;
      const site = siteOf(`site: times
listeners: [{ name: http, address: "127.0.0.1:${http.port}" }]
routes: ${routes}
${rest.replaceAll('WEB', `"127.0.0.1:${web}"`)}
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
      const generation = await world.start(site, { name: `t${started}`, sockets: { http } });
      await until(
        'its server is up',
        async () => (await generation.control.servers(limitMs)).every(({ state }) => state === 'up'),
        limitMs,
      );
      return http.port;
    };
    const pool = (timeouts: string) =>
      `pools: [{ name: web, servers: [WEB], retries: { max: 0 }, timeouts: { ${timeouts} } }]`;

    agreed('a route may wait longer than its pool, and shorter', async () => {
      const routes = (server: string) =>
        `[{ name: own, matches: [{ path: { value: /late } }, { path: { value: /own } }], pool: web, timeouts: { server: ${server} } }, { name: web, pool: web }]`;
      const patient = await start(pool('server: 300ms'), routes('20s'));
      const hasty = await start(pool('server: 1h'), routes('300ms'));
      assert.equal((await ask(patient, { path: '/late', timeoutMs: limitMs })).body, 'late');
      assert.equal((await ask(patient, { path: '/never', timeoutMs: limitMs })).status, 504);
      assert.equal((await ask(hasty, { path: '/own', timeoutMs: limitMs })).status, 504);
    });

    agreed('an answer may take long to begin, and not be silent then', async () => {
      const port = await start(pool('server: 300ms, firstByte: 20s'));
      assert.equal((await ask(port, { path: '/late', timeoutMs: limitMs })).body, 'late');
      const said = await rawly(port, 'GET /stops HTTP/1.1\r\nhost: a\r\n\r\n', limitMs);
      assert.match(said, /^HTTP\/1\.1 200 .*begun/s);
      assert.doesNotMatch(said, /0\r\n\r\n$/, 'it breaks off');
      const hasty = await start(pool('server: 1h, firstByte: 300ms'));
      assert.equal((await ask(hasty, { path: '/never', timeoutMs: limitMs })).status, 504);
    });

    agreed('a body that never ends has its time, also from a client that is never silent', async () => {
      const port = await start(`timeouts: { client: 60s, body: 500ms }\n${pool('server: 1m')}`);
      const quick = 'POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc';
      assert.match(await rawly(port, quick, limitMs), /^HTTP\/1\.1 200 .*whole/s);
      const socket = connect(port, '127.0.0.1');
      let said = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        said += chunk;
      });
      socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n');
      const more = setInterval(() => socket.write('x'), 50);
      try {
        await until('it is told', () => said !== '', limitMs);
      } finally {
        clearInterval(more);
        socket.destroy();
      }
      assert.match(said, /^HTTP\/1\.1 408 /);
    });
  });

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { siteOf } from '../model/site.ts';
import { ask } from '../world/ask.ts';
import { agreed, type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { until } from '../world/haproxy.ts';

const limitMs = 20_000;

/** What keeps a pool from being asked in vain, and from being emptied, by every engine that has it. */
for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`${engine} spares servers`, () => {
    let world: EngineWorld;
    before(async () => {
      world = await open();
    });
    after(() => world.close());

    let started = 0;
    const start = async (ports: readonly number[], words: string) => {
      const http = await world.socket();
      started += 1;
      const servers = ports.map((port) => `"127.0.0.1:${port}"`).join(', ');
      const site = siteOf(`site: spared
listeners: [{ name: http, address: "127.0.0.1:${http.port}" }]
routes: [{ name: web, pool: web }]
pools: [{ name: web, servers: [${servers}], retries: { max: 0 }, ${words} }]
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
      const generation = await world.start(site, { name: `b${started}`, sockets: { http } });
      const states = async () => (await generation.control.servers(limitMs)).map(({ state }) => state);
      await until(
        'its servers are up',
        async () => (await states()).every((state) => state === 'up'),
        limitMs,
      );
      return { port: http.port, states };
    };

    agreed('when most requests fail the next ones are answered at once', async () => {
      let asked = 0;
      const server = await world.server('web', (_, response) => {
        asked += 1;
        response.writeHead(500).end();
      });
      const { port } = await start([server.port], breaker('1h'));
      for (let i = 0; i < 4; i += 1) assert.equal((await ask(port)).status, 500);
      for (let i = 0; i < 4; i += 1) assert.equal((await ask(port)).status, 503);
      assert.equal(asked, 4);
    });

    agreed('until one was good', async () => {
      let broken = true;
      const server = await world.server('web', (_, response) => response.writeHead(broken ? 500 : 200).end());
      const { port } = await start([server.port], breaker('300ms'));
      await until('it opens', async () => (await ask(port)).status === 503, limitMs);
      await until('one is tried', async () => (await ask(port)).status === 500, limitMs);
      broken = false;
      await until('one is good', async () => (await ask(port)).status === 200, limitMs);
      for (let i = 0; i < 4; i += 1) assert.equal((await ask(port)).status, 200);
    });

    agreed('requests that fail now and then open nothing', async () => {
      let count = 0;
      const server = await world.server('web', (_, response) => {
        count += 1;
        response.writeHead(count % 3 === 0 ? 500 : 200).end();
      });
      const { port } = await start([server.port], breaker('1h'));
      for (let i = 0; i < 30; i += 1) assert.notEqual((await ask(port)).status, 503);
    });

    agreed('ejection leaves as many servers as it must', async () => {
      const bad = () => world.server('web', (_, response) => response.writeHead(500).end());
      const ports = await Promise.all([bad(), bad(), bad()]);
      const { port, states } = await start(
        ports.map((server) => server.port),
        'healthCheck: { interval: 1h }, ejection: { of: answers, errorsInARow: 1, serversShareMax: 0.34 }',
      );
      for (let i = 0; i < 12; i += 1) assert.equal((await ask(port)).status, 500);
      assert.deepEqual((await states()).sort(), ['down', 'up', 'up']);
    });
  });

function breaker(open: string): string {
  return `circuitBreaker: { failures: 0.5, requests: 4, window: 1h, open: ${open} }`;
}

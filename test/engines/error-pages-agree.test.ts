import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { askEntrance } from '#probe';
import { siteOf } from '../model/site.ts';
import { ask } from '../world/ask.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';

/** Own pages for what the engine itself answers, asked of every engine with the same site. */
const page = `<h1>It's us, 100% $sorry</h1>${'.'.repeat(9_000)}`;
const text = (web: number, dead: number, port: number) => `site: pages
listeners: [{ name: http, address: "127.0.0.1:${port}" }]
routes:
  - { name: answered, matches: [{ path: { value: /answered } }], answer: { statusCode: 404 } }
  - { name: dead, matches: [{ path: { value: /dead } }], pool: dead }
  - { name: office, matches: [{ path: { value: /office } }], pool: web, access: { deny: [10.0.0.1] } }
  - { name: seldom, matches: [{ path: { value: /seldom } }], pool: web, access: { rate: { requests: 1, per: 1m } } }
  - { name: upload, matches: [{ path: { value: /upload } }], pool: web, access: { bodyMax: 10B } }
  - { name: web, matches: [{ path: { value: /web } }], pool: web }
errorPages:
  - { statusCodes: [502, 503, 504], body: "${page}" }
  - { statusCodes: [403, 404, 413, 429], contentType: text/x-refused, body: "no é" }
pools:
  - { name: web, servers: ["127.0.0.1:${web}"] }
  - { name: dead, servers: ["127.0.0.1:${dead}"], timeouts: { connect: 200ms } }
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`;

for (const [name, open] of Object.entries(everyEngineWorld))
  describe(name, () => {
    let world: EngineWorld;
    let socket: PublicSocket;
    let generation: Generation;
    before(async () => {
      world = await open();
      socket = await world.socket();
      const web = await world.server('web', (request, response) => {
        response.statusCode = Number(request.url?.slice(-3)) || 200;
        response.end('the server');
      });
      const gone = await world.server('gone');
      await gone.close();
      generation = await world.start(siteOf(text(web.port, gone.port, socket.port)), {
        name: 'g1',
        sockets: { http: socket },
      });
      await until('every server was checked', async () =>
        (await generation.control.servers(1_000)).every((one) => one.state !== 'unknown'),
      );
    });
    after(() => world.close());

    const refused = Buffer.from('no é').toString('latin1');
    const said = async (path: string, more = {}) => {
      const { status, body, headers } = await ask(socket.port, { path, ...more });
      return [status, headers['content-type'] ?? null, body];
    };

    test("no live server gets the site's page", async () => {
      assert.deepEqual(await said('/dead'), [503, 'text/html; charset=utf-8', page]);
    });

    test('what no route takes, and what is refused', async () => {
      assert.deepEqual(await said('/nothing'), [404, 'text/x-refused', refused]);
      const asked = { method: 'GET', scheme: 'http', host: 'a', query: '', headers: {} } as const;
      const from = { ...asked, port: socket.port, path: '/office', sourceAddress: '10.0.0.1' };
      const answer = await askEntrance(generation.entrance, from, 5_000);
      assert.deepEqual([answer.status, answer.body], [403, 'no é']);
      assert.equal((await said('/seldom'))[0], 200);
      assert.deepEqual(await said('/seldom'), [429, 'text/x-refused', refused]);
      assert.deepEqual(
        (await said('/upload', { method: 'POST', headers: { 'content-length': '11' } })).slice(0, 2),
        [413, 'text/x-refused'],
      );
    });

    test("a server's answer and a fixed answer stay as they are", async () => {
      for (const status of [403, 404, 502, 503])
        assert.deepEqual(await said(`/web/${status}`), [status, null, 'the server']);
      assert.deepEqual(await said('/answered'), [404, null, '']);
    });
  });

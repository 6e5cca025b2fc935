import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { routeOf } from '#model';
import { askEntrance } from '#probe';
import { refusalOf, witnesses } from '#routing';
import { siteOf } from '../model/site.ts';
import { type AskOptions, ask } from '../world/ask.ts';
import { rawly } from '../world/builtin.ts';
import { type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';

/** Limits of access, asked of every engine with the same site. */
const hash =
  '$6$Zz./9$iBh2KJunrhbHcLy6c1ppX4OGqMefrutT6fwcc3KhH8niyfqnACcopaHToqnyzV974OTS/YRGpoA2sBz2hzfI10';
const text = (web: number, port: number) => `site: access
listeners:
  - { name: http, address: "127.0.0.1:${port}", access: { deny: [192.0.2.0/24, "2001:db8::/32"] } }
routes:
  - name: office
    matches: [{ path: { value: /office } }]
    pool: web
    access: { allow: [10.0.0.0/8, "2001:db9::1"], deny: [10.0.0.66, "10.9.0.0/16"] }
  - name: admin
    matches: [{ path: { value: /admin } }]
    pool: web
    access: { basicAuth: { realm: Back office, users: [{ name: anna, passwordHash: "${hash}" }] } }
  - name: upload
    matches: [{ path: { value: /upload } }]
    pool: web
    access: { bodyMax: 1KiB }
  - name: seldom
    matches: [{ path: { value: /seldom } }, { path: { value: /rarely } }]
    pool: web
    access: { rate: { requests: 5, per: 1m } }
  - name: secret
    matches: [{ path: { value: /secret } }]
    answer: { statusCode: 200, body: hush }
    access: { deny: [127.0.0.1] }
  - { name: plain, pool: web }
pools:
  - { name: web, servers: ["127.0.0.1:${web}"] }
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`;

for (const [name, open] of Object.entries(everyEngineWorld))
  describe(name, () => {
    let world: EngineWorld;
    let socket: PublicSocket;
    let generation: Generation;
    let site: ReturnType<typeof siteOf>;
    before(async () => {
      world = await open();
      socket = await world.socket();
      const web = await world.server('web', (request, response) => {
        request.resume().on('end', () => response.end('web'));
      });
      site = siteOf(text(web.port, socket.port));
      generation = await world.start(site, { name: 'g1', sockets: { http: socket } });
      await until('every server was checked', async () =>
        (await generation.control.servers(1_000)).every((one) => one.state === 'up'),
      );
    });
    after(() => world.close());

    const from = async (sourceAddress: string, path: string) =>
      (
        await askEntrance(
          generation.entrance,
          {
            method: 'GET',
            scheme: 'http',
            host: 'a.example',
            port: socket.port,
            path,
            query: '',
            headers: {},
            sourceAddress,
          },
          5_000,
        )
      ).status;
    const status = async (path: string, more: AskOptions = {}) =>
      (await ask(socket.port, { path, ...more })).status;

    test('networks: deny before allow, the listener before the route', async () => {
      const seen = await Promise.all(
        [
          ['10.1.2.3', '/office'],
          ['10.0.0.66', '/office'],
          ['10.9.1.1', '/office'],
          ['11.0.0.1', '/office'],
          ['2001:db9::1', '/office'],
          ['2001:db9::2', '/office'],
          ['11.0.0.1', '/plain'],
          ['192.0.2.9', '/plain'],
          ['2001:db8::9', '/plain'],
          ['192.0.2.9', '/nothing'],
        ].map(([address = '', path = '']) => from(address, path)),
      );
      assert.deepEqual(seen, [200, 403, 403, 403, 200, 403, 200, 403, 403, 403]);
      assert.equal(await status('/secret'), 403);
      assert.equal(await from('10.0.0.1', '/secret'), 200);
    });

    test('a password', async () => {
      const as = (credentials: string): AskOptions => ({
        headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      });
      const answer = await ask(socket.port, { path: '/admin' });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], 'Basic realm="Back office"');
      assert.equal(await status('/admin', as('anna:pass word:é')), 200);
      assert.equal(await status('/admin', as('anna:pass word:é')), 200);
      for (const wrong of ['anna:', 'anna:pass word', 'berta:pass word:é', 'anna', ':pass word:é', ''])
        assert.equal(await status('/admin', as(wrong)), 401, wrong);
      assert.equal(await status('/admin', { headers: { authorization: 'Bearer x' } }), 401);
    });

    test('the length of a body', async () => {
      const post = async (headers: string, body: string) =>
        Number(
          (
            await rawly(
              socket.port,
              `POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${headers}\r\n\r\n${body}`,
              1_000,
            )
          ).slice(9, 12),
        );
      assert.equal(await post('Content-Length: 1024', 'x'.repeat(1024)), 200);
      assert.equal(await post('Content-Length: 1025', 'x'.repeat(1025)), 413);
      assert.equal(await post('Content-Length: 99999999999', 'x'), 413);
      assert.equal(await post('Transfer-Encoding: chunked', '1\r\nx\r\n0\r\n\r\n'), 411);
      assert.equal(await status('/upload'), 200);
    });

    test('a rate, for each client, over all matches of its route', async () => {
      const seen: number[] = [];
      for (let i = 0; i < 7; i++) seen.push(await from('10.0.0.1', i % 2 === 0 ? '/seldom' : '/rarely/x'));
      assert.deepEqual(seen, [200, 200, 200, 200, 200, 429, 429]);
      assert.equal(await from('10.0.0.2', '/seldom'), 200);
      assert.equal(await from('10.0.0.1', '/plain'), 200);
      const v6: number[] = [];
      for (let i = 1; i < 7; i++) v6.push(await from(`2001:db9:0:1::${i}`, '/seldom'));
      assert.deepEqual(v6, [200, 200, 200, 200, 200, 429]);
      assert.equal(await from('2001:db9:0:2::1', '/seldom'), 200);
    });

    test('every witness gets what routing says', async () => {
      const found = witnesses(routeOf(site));
      assert.equal(found.length, 7);
      for (const { rule, listener, request } of found) {
        const refused = [listener.access, rule.filters?.access ?? null].map((access) =>
          refusalOf(access, request),
        );
        const expected = refused.find((answer) => answer !== null)?.status ?? 200;
        const answer = await askEntrance(generation.entrance, request, 5_000);
        assert.equal(answer.status, expected, JSON.stringify(request));
        assert.equal(expected === 401, rule.route === 'admin');
      }
    });
  });

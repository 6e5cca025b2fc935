import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { siteOf } from '../model/site.ts';
import { type Answer, ask } from '../world/ask.ts';
import { agreed, type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';

/** Routes that change requests or answer by themselves, beside a neighbour of any engine: take-back and net come first. */
const site = (routes: string, server: number, port: number, pool = '') =>
  siteOf(`site: shop
listeners: [{ name: http, address: "127.0.0.1:${port}" }]
routes:
${routes}
pools:
  - { name: web, ${pool}servers: ["127.0.0.1:${server}"] }
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);

const rewriting = `
  - name: api
    matches: [{ path: { value: /api } }]
    pool: web
    rewrite: { hostname: api.internal, path: { replacePrefixMatch: /x } }
    requestHeaders: { set: [{ name: X-Tenant, value: shop }], add: [{ name: X-Via, value: edge }] }
    responseHeaders: { add: [{ name: X-Once, value: edge }] }
  - { name: x, matches: [{ path: { value: /x } }], answer: { statusCode: 418 } }`;
const answering = `
  - { name: moved, matches: [{ path: { value: /moved } }], redirect: { hostname: wrong.example } }
  - { name: down, answer: { statusCode: 503, body: maintenance } }`;
const right = `
  - { name: all, pool: web }`;

for (const [name, open] of Object.entries(everyEngineWorld))
  for (const [other, openOther] of Object.entries(everyEngineWorld))
    describe(`${name} beside ${other}`, () => {
      let [world, otherWorld]: EngineWorld[] = [];
      let [socket, otherSocket]: PublicSocket[] = [];
      let server = 0;
      let dead = 0;
      before(async () => {
        [world, otherWorld] = [await open(), await openOther()];
        [socket, otherSocket] = [await world.socket(), await otherWorld.socket()];
        const echo = await world.server('web', ({ url, headers }, response) =>
          response.end(JSON.stringify({ url, host: headers.host, tenant: headers['x-tenant'], ...headers })),
        );
        server = echo.port;
        const gone = await world.server('gone');
        await gone.close();
        dead = gone.port;
      });
      after(async () => {
        await world?.close();
        await otherWorld?.close();
      });

      async function pair(bad: string, good: string, badServer: number, pool = ''): Promise<Generation> {
        assert(world && otherWorld && socket && otherSocket);
        const start = { parked: true, sockets: { http: otherSocket } };
        const tag = `g${Math.random().toString(36).slice(2, 8)}`;
        const neighbour = await otherWorld.start(site(good, server, socket.port, pool), {
          name: `${tag}-good`,
          ...start,
        });
        // An engine without rights must be let in, as the agent does.
        chmodSync(neighbour.entrance, 0o666);
        const candidate = await world.start(site(bad, badServer, socket.port, pool), {
          name: tag,
          sockets: { http: socket },
          neighbour: neighbour.entrance,
        });
        for (const one of [neighbour, candidate])
          await until('every server was checked', async () =>
            (await one.control.servers(1_000)).every(({ state }) => state !== 'unknown'),
          );
        return candidate;
      }

      test('what the net takes over was changed once, by the one that answers', async () => {
        const candidate = await pair(rewriting, rewriting, dead);
        const answer = await ask(socket?.port ?? 0, {
          path: '/api/b?q=1',
          headers: {
            host: 'shop.example',
            'holdfast-target': '/evil',
            'holdfast-host': 'evil.example',
            'holdfast-added': ',x-via,',
          },
        });
        assert.equal(answer.status, 200, answer.body);
        assert.equal(answer.headers['x-once'], 'edge');
        const saw = JSON.parse(answer.body) as Record<string, string>;
        assert.deepEqual(
          {
            url: saw.url,
            host: saw.host,
            tenant: saw.tenant,
            via: saw['x-via'],
            ours: Object.keys(saw).filter((k) => k.startsWith('holdfast')),
          },
          { url: '/x/b?q=1', host: 'api.internal', tenant: 'shop', via: 'edge', ours: [] },
        );
        assert.equal((await candidate.control.evidence(1_000)).netUses, 1);
        await candidate.kill();
      });

      agreed(
        'a sticky cookie goes through the net: given by the one that answers, and not taken away',
        async () => {
          const candidate = await pair(right, right, dead, 'stickyCookie: { name: SRV }, ');
          const own = `127.0.0.1-${server}`;
          for (const cookie of [null, own, `127.0.0.1-${dead}`, 'nobody']) {
            const answer = await ask(socket?.port ?? 0, {
              headers: cookie === null ? {} : { cookie: `SRV=${cookie}` },
            });
            assert.equal(answer.status, 200, answer.body);
            assert.equal(afterwards(answer, cookie), own);
          }
          await candidate.kill();
        },
      );

      test('the take-back comes before redirects and fixed answers', async () => {
        const candidate = await pair(answering, right, server);
        const port = socket?.port ?? 0;
        assert.equal((await ask(port, { path: '/' })).status, 503);
        assert.equal((await ask(port, { path: '/moved' })).status, 302);
        await candidate.control.takeBack(true, 1_000);
        for (const path of ['/', '/moved', '/moved/x?y']) {
          const answer = await ask(port, { path });
          assert.equal(answer.status, 200);
          assert.equal((JSON.parse(answer.body) as { url: string }).url, path);
        }
        await candidate.kill();
      });
    });

/** What a browser keeps as SRV that had this value before. */
function afterwards({ headers }: Answer, before: string | null): string | null {
  const lines = [headers['set-cookie'] ?? []].flat();
  return lines.reduce<string | null>((kept, line) => {
    const [, value] = /^SRV=([^;]*)/.exec(line) ?? [];
    if (value === undefined) return kept;
    return /expires=Thu, 01-Jan-1970|max-age=0/i.test(line) ? null : value;
  }, before);
}

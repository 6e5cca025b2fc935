import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { after, before, describe } from 'node:test';
import type { Pool } from '#model';
import { type AskOptions, ask } from '../world/ask.ts';
import { agreed, type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { type Generation, until } from '../world/haproxy.ts';
import { checkOf, httpCheckOf, poolOf, serverOf, siteOf, timeoutsOf } from '../world/sites.ts';

/** What a word of a pool means is what every engine does with it: the same cases, real processes. */
for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`${engine} does what a pool says`, () => {
    let world: EngineWorld;
    before(async () => {
      world = await open();
    });
    after(() => world.close());

    let started = 0;
    const start = async (ports: readonly number[], over: Partial<Pool> = {}) => {
      const http = await world.socket();
      const site = siteOf({ pools: [poolOf('web', ports, over)] });
      started += 1;
      const generation = await world.start(site, { name: `g${started}`, sockets: { http } });
      await known(generation);
      return { port: http.port, generation };
    };
    const servers = async (count: number, handle?: (name: string) => RequestListener) => {
      const names = Array.from({ length: count }, (_, index) => `s${index + 1}`);
      return Promise.all(names.map((name) => world.server(name, handle?.(name))));
    };

    agreed('a sticky cookie leads a client back to its server, which does not see it', async () => {
      const seen: (string | undefined)[] = [];
      const [one, two] = await servers(2, (name) => (request, response) => {
        seen.push(request.headers.cookie);
        response.end(name);
      });
      assert.ok(one && two);
      const stickyCookie = {
        name: 'SRV',
        httpOnly: true,
        secure: true,
        sameSite: 'Lax',
        maxAgeMs: 60_000,
        domain: 'shop.example',
      } as const;
      const { port } = await start([one.port, two.port], { stickyCookie });
      const first = await ask(port, { headers: { cookie: 'a=1; SRV=nobody; b=2' } });
      const [line = ''] = [first.headers['set-cookie'] ?? []].flat();
      const [pair, ...attributes] = line.split(/; */);
      assert.equal(pair, `SRV=${first.body}`);
      assert.deepEqual(attributes.map((word) => word.toLowerCase()).sort(), [
        'domain=shop.example',
        'httponly',
        'max-age=60',
        'path=/',
        'samesite=lax',
        'secure',
      ]);
      assert.equal(first.headers['cache-control'], 'private');
      for (let i = 0; i < 6; i += 1) {
        const next = await ask(port, { headers: { cookie: `a=1; ${pair}` } });
        assert.equal(next.body, first.body);
        assert.equal(next.headers['set-cookie'], undefined);
      }
      assert.equal(seen[0]?.replaceAll(' ', ''), 'a=1;b=2');
      assert.equal(seen.at(-1), 'a=1');
      await (first.body === 's1' ? one : two).close();
      const moved = await ask(port, { headers: { cookie: pair ?? '' } });
      assert.equal(moved.status, 200);
      assert.match(String(moved.headers['set-cookie']), new RegExp(`^SRV=${moved.body};`));
    });

    agreed('a server in maintenance gets no request, and is not asked how it is', async () => {
      const asked: string[] = [];
      const [one, two] = await servers(2, (name) => (request, response) => {
        asked.push(`${name} ${request.url}`);
        response.end(name);
      });
      assert.ok(one && two);
      const over = { healthCheck: checkOf({ http: httpCheckOf('/health') }) };
      const away = serverOf('s2', two.port, { maintenance: true });
      const { port } = await start([], { ...over, servers: [serverOf('s1', one.port), away] });
      for (let i = 0; i < 6; i += 1) assert.equal((await ask(port)).body, 's1');
      await until('a check', () => asked.includes('s1 /health'), 20_000);
      assert.deepEqual(
        asked.filter((line) => line.startsWith('s2')),
        [],
      );
    });

    agreed('a server that sets the sticky cookie itself has its way', async () => {
      const [server] = await servers(1, () => (_, response) => {
        response.setHeader('set-cookie', 'SRV=mine').end();
      });
      const stickyCookie = { ...plainCookie, name: 'SRV' };
      const { port } = await start([server?.port ?? 0], { stickyCookie });
      assert.deepEqual((await ask(port)).headers['set-cookie'], ['SRV=mine']);
    });

    for (const hashOn of [
      { kind: 'path' },
      { kind: 'header', name: 'X-Tenant' },
      { kind: 'cookie', name: 'tenant' },
    ] as const)
      agreed(`a hash of the ${hashOn.kind} sends what is alike to one server`, async () => {
        const three = await servers(3);
        const ports = three.map(({ port }) => port);
        const { port } = await start(ports, { algorithm: 'hash', hashOn });
        const request = (key: string): AskOptions =>
          ({
            path: { path: `/${key}` },
            header: { headers: { 'x-tenant': key } },
            cookie: { headers: { cookie: `x=1; tenant=${key}` } },
          })[hashOn.kind];
        const used = new Set<string>();
        for (let key = 0; key < 24; key += 1) {
          const { body } = await ask(port, request(`k${key}`));
          assert.equal((await ask(port, request(`k${key}`))).body, body);
          used.add(body);
        }
        assert.equal(used.size, 3);
      });

    agreed('a check asks what the site says, and believes status and body', async () => {
      const asked: IncomingMessage[] = [];
      const answering = (status: number, body: string) =>
        world.server(body, (request, response) => {
          if (request.url === '/health') asked.push(request);
          response.writeHead(request.url === '/health' ? status : 200).end(body);
        });
      const [good, wrongStatus, wrongBody] = await Promise.all([
        answering(299, 'all Is well'),
        answering(300, 'all Is well'),
        answering(200, 'all is ill'),
      ]);
      const http = httpCheckOf('/health', {
        method: 'OPTIONS',
        host: 'shop.example',
        headers: [{ name: 'X-From', value: '50% of "us"' }],
        expectStatus: [
          { from: 204, to: 204 },
          { from: 200, to: 299 },
        ],
        expectBody: 'Is well',
      });
      const ports = [good.port, wrongStatus.port, wrongBody.port];
      const { generation } = await start(ports, { healthCheck: checkOf({ http }) });
      assert.deepEqual(await states(generation), ['up', 'down', 'down']);
      const [first] = asked;
      assert.deepEqual(
        [first?.method, first?.headers.host, first?.headers['x-from']],
        ['OPTIONS', 'shop.example', '50% of "us"'],
      );
    });

    agreed('a server of another site is told by its identity', async () => {
      const answering = (site: string | null, body: string) =>
        world.server(body, (_request, response) => {
          response.writeHead(200, site === null ? {} : { 'X-Site': site }).end(body);
        });
      const [good, blog, silent, otherBody] = await Promise.all([
        answering('the "shop"', 'all is well at the shop'),
        answering('the "shop"s', 'all is well at the shop'),
        answering(null, 'all is well at the shop'),
        answering('the "shop"', 'all is well at the blog'),
      ]);
      const http = httpCheckOf('/health', {
        expectBody: 'all is well',
        identity: { header: { name: 'x-site', value: 'the "shop"' }, body: 'at the shop' },
      });
      const ports = [good.port, blog.port, silent.port, otherBody.port];
      const { generation } = await start(ports, { healthCheck: checkOf({ http }) });
      assert.deepEqual(await states(generation), ['up', 'down', 'down', 'down']);
    });

    agreed('a check may ask at another port', async () => {
      const [server, health] = await servers(2);
      assert.ok(server && health);
      const healthCheck = checkOf({ port: health.port, fall: 1 });
      const { port, generation } = await start([server.port], { healthCheck });
      assert.equal((await ask(port)).body, 's1');
      await health.close();
      await until(
        'its other port says that it is down',
        async () => (await states(generation))[0] === 'down',
      );
    });

    agreed('errors in a row eject a server until its checks were good again', async () => {
      let broken = true;
      const [bad, good] = await servers(2, (name) => (_, response) => {
        response.writeHead(name === 's1' && broken ? 500 : 200).end(name);
      });
      assert.ok(bad && good);
      const { port, generation } = await start([bad.port, good.port], {
        ejection: { of: 'answers', errorsInARow: 3 },
        healthCheck: checkOf({ intervalMs: 300, rise: 2 }),
      });
      const statuses: number[] = [];
      while (statuses.filter((status) => status === 500).length < 3) statuses.push((await ask(port)).status);
      for (let i = 0; i < 4; i += 1) assert.equal((await ask(port)).body, 's2');
      assert.deepEqual(await states(generation), ['down', 'up']);
      broken = false;
      await until('it is back', async () => (await ask(port)).body === 's1');
    });

    agreed('spare servers serve when all others are down: the first live one of them', async () => {
      const [one, two, three] = await servers(3);
      assert.ok(one && two && three);
      const list = [
        serverOf('s1', one.port),
        serverOf('s2', two.port, { spare: true }),
        serverOf('s3', three.port, { spare: true }),
      ];
      const { port, generation } = await start([], { servers: list, healthCheck: checkOf({ fall: 1 }) });
      const bodies = async () =>
        new Set(await Promise.all([1, 2, 3, 4].map(async () => (await ask(port)).body)));
      assert.deepEqual(await bodies(), new Set(['s1']));
      const before = (await generation.control.evidence(500)).pools[0];
      assert.deepEqual([before?.serversLive, before?.serversAll], [1, 1]);
      await one.close();
      await until('the spare one serves', async () => (await ask(port)).body === 's2');
      assert.deepEqual(await bodies(), new Set(['s2']));
      await two.close();
      await until('the other spare one serves', async () => (await ask(port)).body === 's3');
      assert.equal((await generation.control.evidence(500)).pools[0]?.serversLive, 0);
    });

    for (const kind of ['5xx', 'empty', 'timeout'] as const)
      agreed(
        `a failed answer (${kind}) to GET is asked for again elsewhere; one to POST is passed on`,
        async () => {
          const seen: string[] = [];
          const two = await servers(2, (name) => (request, response) => {
            seen.push(`${request.method} ${name}`);
            request.resume();
            if (name === 's2') response.end('good');
            else if (kind === '5xx') response.writeHead(503).end('bad');
            else if (kind === 'empty') request.socket.destroy();
          });
          const { port } = await start(
            two.map((server) => server.port),
            {
              retries: { max: 2, on: ['connect', kind] },
              timeouts: timeoutsOf({ serverMs: 1_500 }),
            },
          );
          for (let i = 0; i < 4; i += 1) assert.equal((await ask(port)).body, 'good', kind);
          const posted = await Promise.all([1, 2].map(() => ask(port, { method: 'POST' })));
          const expected = { '5xx': 503, empty: 502, timeout: 504 }[kind];
          assert.deepEqual(posted.map(({ status }) => status).sort(), [200, expected], kind);
          assert.ok(seen.includes('GET s1'), 'the bad one was asked');
        },
      );

    agreed('a request that would be one too many in the queue is answered 503 at once', async () => {
      let finish = () => {};
      const finished = new Promise<void>((resolve) => {
        finish = resolve;
      });
      let arrive = () => {};
      const arrived = new Promise<void>((resolve) => {
        arrive = resolve;
      });
      const [server] = await servers(1, () => (_, response) => {
        arrive();
        void finished.then(() => response.end('done'));
      });
      const { port, generation } = await start([], {
        servers: [serverOf('s1', server?.port ?? 0, { connectionsMax: 1 })],
        queuedMax: 2,
        timeouts: timeoutsOf({ queueMs: 10_000 }),
      });
      const served: ReturnType<typeof ask>[] = [ask(port)];
      const queued = async () => (await generation.control.evidence(500)).pools[0]?.queued;
      await arrived;
      for (const expected of [1, 2]) {
        await until('the one before is in', async () => (await queued()) === expected - 1);
        served.push(ask(port));
        await until('it waits', async () => (await queued()) === expected);
      }
      assert.equal((await ask(port, { timeoutMs: 2_000 })).status, 503);
      finish();
      for (const answer of await Promise.all(served)) assert.equal(answer.status, 200);
    });

    agreed('a server that came back gets a growing share', async () => {
      let healthy = true;
      const [slow, other] = await servers(2, (name) => (request, response) => {
        const sick = request.url === '/health' && name === 's1' && !healthy;
        response.writeHead(sick ? 500 : 200).end(name);
      });
      assert.ok(slow && other);
      const { port, generation } = await start([slow.port, other.port], {
        slowStartMs: 60_000,
        healthCheck: checkOf({ http: httpCheckOf('/health'), intervalMs: 50, rise: 1, fall: 1 }),
      });
      const share = async () => {
        const bodies = await Promise.all(Array.from({ length: 40 }, async () => (await ask(port)).body));
        return bodies.filter((body) => body === 's1').length / bodies.length;
      };
      assert.ok(Math.abs((await share()) - 0.5) < 0.05, 'a generation that starts is not slow');
      healthy = false;
      await until('it is down', async () => (await states(generation))[0] === 'down');
      healthy = true;
      await until('it is up', async () => (await states(generation))[0] === 'up');
      assert.ok((await share()) < 0.25);
    });

    agreed('an upgraded connection on which nobody speaks ends', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      const sockets = new Set<Duplex>();
      server.on('upgrade', (_, socket) => {
        sockets.add(socket);
        socket.on('error', () => {});
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
        );
      });
      await once(server, 'listening');
      const address = server.address();
      assert.ok(address && typeof address === 'object');
      const { port } = await start([address.port], { timeouts: timeoutsOf({ tunnelMs: 300 }) });
      const client = connect(port, '127.0.0.1');
      const key = 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13';
      client.write(
        `GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`,
      );
      let said = '';
      client.on('data', (chunk) => {
        said += chunk;
      });
      const began = performance.now();
      await once(client, 'close');
      assert.match(said, /^HTTP\/1\.1 101 /);
      const took = performance.now() - began;
      assert.ok(took > 250 && took < 60_000, `${took}`);
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
  });

const plainCookie = { httpOnly: true, secure: false, sameSite: null, maxAgeMs: null, domain: null } as const;

async function states(generation: Generation): Promise<string[]> {
  return (await generation.control.servers(1_000)).map(({ state }) => state);
}

/** Every server's first check has spoken. */
function known(generation: Generation): Promise<void> {
  return until('every server is known', async () => !(await states(generation)).includes('unknown'));
}

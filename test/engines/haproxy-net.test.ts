import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask, http2Client, keptAlive } from '../world/ask.ts';
import { type Generation, type HaproxyWorld, haproxyWorld, until } from '../world/haproxy.ts';
import { checkOf, listenerOf, poolOf, quickTimeouts, siteOf, someTls } from '../world/sites.ts';

let world: HaproxyWorld;
before(async () => {
  world = await haproxyWorld();
});
after(() => world.close());

/** Nothing listens on these ports of 127.0.0.1. */
const deadPorts = [1, 2, 3, 4];

const warm = (generation: Generation) =>
  until('every first check has ended', async () =>
    (await generation.control.servers(500)).every((server) => server.state !== 'unknown'),
  );

test('the net: all servers of a candidate do not exist, and the last good generation answers every request', async () => {
  const http = await world.socket();
  const server = await world.server('good');
  const good = await world.start(siteOf({ pools: [poolOf('web', [server.port])] }), {
    name: 'net-good',
    sockets: { http },
    parked: true,
  });
  const candidate = await world.start(siteOf({ pools: [poolOf('web', deadPorts)] }), {
    name: 'net-candidate',
    sockets: { http },
    parked: true,
    neighbour: good.entrance,
  });
  await warm(candidate);
  await candidate.control.resume(1_000);

  const answers = await Promise.all(Array.from({ length: 200 }, () => ask(http.port)));
  assert.deepEqual(new Set(answers.map((a) => `${a.status} ${a.body}`)), new Set(['200 good']));
  const evidence = await candidate.control.evidence(500);
  assert.equal(evidence.netUses, 200);
  assert.deepEqual([evidence.requests, evidence.errors, evidence.connectionErrors], [200, 0, 0]);
  assert.deepEqual([evidence.pools[0]?.serversLive, evidence.pools[0]?.serversAll], [0, 4]);
  assert.equal((await good.control.evidence(500)).entranceRequests, 200);
  assert.ok((await candidate.control.servers(500)).every((s) => s.state === 'down'));

  await candidate.control.net(false, 1_000);
  assert.equal((await ask(http.port)).status, 503);
  await candidate.control.net(true, 1_000);
  assert.equal((await ask(http.port)).body, 'good');
});

test('no loop: with nets in a circle, a request passes two private entrances and ends', async () => {
  const http = await world.socket();
  const folderOf = (name: string) => `${world.folder}/${name}/entrance.sock`;
  const names = ['circle-1', 'circle-2', 'circle-3'];
  const circle = await Promise.all(
    names.map((name, index) =>
      world.start(siteOf({ pools: [poolOf('web', deadPorts)] }), {
        name,
        sockets: { http },
        parked: true,
        neighbour: folderOf(names[(index + 1) % names.length] ?? ''),
      }),
    ),
  );
  for (const one of circle) await warm(one);
  await circle[0]?.control.resume(1_000);

  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(http.port)));
  assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([508]));
  const evidence = await Promise.all(circle.map((one) => one.control.evidence(500)));
  assert.deepEqual(
    evidence.map((e) => e.entranceRequests),
    [0, 20, 20],
  );
});

test('the net of many pools goes out and in again, read back', async () => {
  const http = await world.socket();
  const pools = Array.from({ length: 120 }, (_, index) => poolOf(`pool-${index}`, [1]));
  const { control } = await world.start(siteOf({ pools: [poolOf('web', []), ...pools] }), {
    name: 'net-many',
    sockets: { http },
    neighbour: join(world.folder, 'nobody.sock'),
  });
  await control.net(false, 1_000);
  await control.net(false, 1_000);
  await control.net(true, 1_000);
});

test('servers that vanish from a warm generation are out well before fall times interval, and the net answers', async () => {
  const http = await world.socket();
  const spare = await world.server('good');
  const servers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => world.server(name)));
  const good = await world.start(siteOf({ pools: [poolOf('web', [spare.port])] }), {
    name: 'vanish-good',
    sockets: { http },
    parked: true,
  });
  const healthCheck = checkOf({ intervalMs: 2_000, timeoutMs: 500, rise: 2, fall: 3 });
  const candidate = await world.start(
    siteOf({
      pools: [
        poolOf(
          'web',
          servers.map((s) => s.port),
          { healthCheck },
        ),
      ],
    }),
    { name: 'vanish', sockets: { http }, neighbour: good.entrance },
  );
  await warm(candidate);
  await Promise.all(servers.map((s) => s.close()));
  const began = performance.now();
  await until('the net answers', async () => (await ask(http.port)).body === 'good');
  assert.ok(performance.now() - began < 4_000, 'fall times interval is 6 s');
});

test('a single server that restarts costs no request: retries wait for it', async () => {
  const http = await world.socket();
  const first = await world.server('before');
  const healthCheck = checkOf({ intervalMs: 2_000, timeoutMs: 500, rise: 2, fall: 3 });
  const site = siteOf({
    pools: [
      poolOf('web', [first.port], {
        healthCheck,
        timeouts: quickTimeouts,
      }),
    ],
  });
  const generation = await world.start(site, { name: 'restart', sockets: { http } });
  await warm(generation);
  await first.close();
  const waiting = Array.from({ length: 10 }, () => ask(http.port));
  await until('requests are retried', async () => (await generation.control.evidence(500)).retries > 3);
  const again = await world.server('after', undefined, first.port);
  assert.equal(again.port, first.port);
  const answers = await Promise.all(waiting);
  assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200]));
});

test('take-back: requests of an open HTTP/1.1 connection are answered by the neighbour, and back again', async () => {
  const http = await world.socket();
  const goodServer = await world.server('good');
  const badServer = await world.server('bad', (_request, response) => response.writeHead(503).end('bad'));
  const good = await world.start(siteOf({ pools: [poolOf('web', [goodServer.port])] }), {
    name: 'back-good',
    sockets: { http },
    parked: true,
  });
  const bad = await world.start(siteOf({ pools: [poolOf('web', [badServer.port])] }), {
    name: 'back-bad',
    sockets: { http },
    neighbour: good.entrance,
  });
  const client = keptAlive(http.port);
  assert.equal((await client.ask()).body, 'bad');
  await bad.control.takeBack(true, 500);
  assert.equal((await client.ask()).body, 'good');
  // What no route takes is answered by HAProxy itself, and must not come before the take-back either.
  await bad.control.park(500);
  assert.equal((await client.ask()).body, 'good');
  await bad.control.takeBack(false, 500);
  assert.equal((await client.ask()).body, 'bad');
  assert.equal((await bad.control.evidence(500)).connections, 1, 'it was one connection all along');
  client.close();
});

test('take-back comes before an answer of its own: a candidate without the route does not keep its 404', async () => {
  const http = await world.socket();
  const server = await world.server('good');
  const pools = [poolOf('web', [server.port])];
  const good = await world.start(siteOf({ pools }), { name: 'own-good', sockets: { http }, parked: true });
  const bad = await world.start(siteOf({ pools, routes: [] }), {
    name: 'own-bad',
    sockets: { http },
    neighbour: good.entrance,
  });
  const client = keptAlive(http.port);
  assert.equal((await client.ask()).status, 404);
  await bad.control.takeBack(true, 500);
  assert.equal((await client.ask()).body, 'good');
  client.close();
});

test('take-back without a neighbour is refused', async () => {
  const http = await world.socket();
  const { control } = await world.start(siteOf(), { name: 'alone', sockets: { http } });
  await assert.rejects(control.takeBack(true, 500), /no neighbour/);
  await control.takeBack(false, 500);
  await assert.rejects(control.net(true, 500), /no net/);
  await control.net(false, 500);
});

test('take-back and park under TLS: an open HTTP/2 connection gets good answers, then drains without an error', async () => {
  const https = await world.socket();
  const bundle = certificate(world.folder);
  const goodServer = await world.server('good');
  const badServer = await world.server('bad');
  const tls = listenerOf('https', https.port, someTls);
  const common = { sockets: { https }, certificates: { https: [bundle] } };
  const good = await world.start(siteOf({ listeners: [tls], pools: [poolOf('web', [goodServer.port])] }), {
    name: 'h2-good',
    ...common,
    parked: true,
  });
  const bad = await world.start(siteOf({ listeners: [tls], pools: [poolOf('web', [badServer.port])] }), {
    name: 'h2-bad',
    ...common,
    neighbour: good.entrance,
  });
  const client = http2Client(https.port);
  assert.equal((await client.ask()).body, 'bad');
  await good.control.resume(500);
  await Promise.all([bad.control.takeBack(true, 500), bad.control.park(500)]);
  const answers = await Promise.all(Array.from({ length: 50 }, () => client.ask()));
  assert.deepEqual(new Set(answers.map((a) => a.body)), new Set(['good']));
  const fresh = http2Client(https.port);
  assert.equal((await fresh.ask()).body, 'good');
  assert.equal((await good.control.evidence(500)).requests, 1);
  await bad.control.drain(500);
  client.close();
  fresh.close();
  await bad.ended();
});

test('the edge sets X-Forwarded headers, whatever the client claims; the neighbour keeps what the edge has set', async () => {
  const http = await world.socket();
  const seen: unknown[] = [];
  const server = await world.server('tell', (request, response) => {
    seen.push([request.headers['x-forwarded-for'], request.headers['x-forwarded-proto']]);
    response.end();
  });
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const good = await world.start(site, { name: 'edge-good', sockets: { http }, parked: true });
  const bad = await world.start(site, { name: 'edge-bad', sockets: { http }, neighbour: good.entrance });
  const headers = { 'X-Forwarded-For': '203.0.113.7', 'X-Forwarded-Proto': 'https' };
  await ask(http.port, { headers });
  await bad.control.takeBack(true, 500);
  await ask(http.port, { headers });
  assert.equal((await good.control.evidence(500)).entranceRequests, 1);
  assert.deepEqual(seen, [
    ['127.0.0.1', 'http'],
    ['127.0.0.1', 'http'],
  ]);
});

function certificate(folder: string): string {
  const [key, cert, bundle] = ['key.pem', 'cert.pem', 'bundle.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', ...subject],
    { stdio: 'ignore' },
  );
  writeFileSync(bundle, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 });
  return bundle;
}

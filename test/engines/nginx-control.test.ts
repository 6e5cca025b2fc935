import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nginxFirstFd, nginxNames } from '#dialects';
import { sideOf } from '../../src/engines/nginx/epoll.ts';
import { ask } from '../world/ask.ts';
import { type HaproxyWorld, nginxWorld, until } from '../world/haproxy.ts';
import { poolOf, routeTo, siteOf } from '../world/sites.ts';

let world: HaproxyWorld;
before(async () => {
  world = await nginxWorld();
});
after(() => world.close());

/** For a machine that is out of breath. */
const patientMs = 20_000;
const workersOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

test('a worker that dies while parked is followed by one that is parked', async () => {
  const http = await world.socket();
  const server = await world.server('web-1');
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const { control, pid } = await world.start(site, { name: 'forked', sockets: { http }, parked: true });
  await until('it is parked', async () => (await control.state(patientMs)) === 'parked');
  const before = workersOf(pid);
  process.kill(before[0] ?? 0, 'SIGKILL');
  await until('there is a new worker', () => workersOf(pid).some((worker) => !before.includes(worker)));
  await until('all of them are parked', () =>
    workersOf(pid).every((worker) => sideOf(worker, [nginxFirstFd]) === 'parked'),
  );
  const waiting = ask(http.port);
  assert.equal(await Promise.race([waiting.then(() => 'answered'), sleep(100, 'waiting')]), 'waiting');
  await control.resume(patientMs);
  assert.equal((await waiting).body, 'web-1');
});

test('a SIGHUP from anyone is no reload: no text is read again, no worker is new', async () => {
  const http = await world.socket();
  const server = await world.server('web-1');
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const options = { name: 'reload', sockets: { http }, parked: true };
  const { control, pid, socketPath } = await world.start(site, options);
  const folder = dirname(socketPath);
  await until('it is parked', async () => (await control.state(patientMs)) === 'parked');
  await until('it has started', () => !existsSync(join(folder, nginxNames.files.start)));
  const before = workersOf(pid);
  process.kill(pid, 'SIGHUP');
  const errors = join(folder, nginxNames.files.errors);
  await until('it says why not', () => readFileSync(errors, 'utf8').includes(nginxNames.files.start));
  assert.deepEqual(workersOf(pid), before);
  assert.equal(await control.state(patientMs), 'parked');
  await control.resume(patientMs);
  assert.equal((await ask(http.port)).body, 'web-1');
});

test('evidence counts answers, refused connections, retries and broken answers', async () => {
  const http = await world.socket();
  const good = await world.server('good');
  const failing = await world.server('failing', (request, response) => {
    if (request.url === '/break') request.socket.destroy();
    else response.writeHead(request.url === '/missing' ? 404 : 500).end();
  });
  const pools = [poolOf('web', [good.port]), poolOf('bad', [failing.port]), poolOf('gone', [1, 2])];
  const to = (pool: string, value: string) => routeTo(pool, { path: { type: 'PathPrefix', value } });
  const routes = [
    to('bad', '/bad'),
    to('bad', '/missing'),
    to('bad', '/break'),
    to('gone', '/gone'),
    to('web', '/'),
  ];
  const { control } = await world.start(siteOf({ pools, routes }), { name: 'counts', sockets: { http } });
  const statuses = [];
  for (const path of ['/', '/', '/bad', '/missing']) statuses.push((await ask(http.port, { path })).status);
  // A GET on a kept connection that breaks would be tried anew.
  for (const path of ['/break', '/gone'])
    statuses.push((await ask(http.port, { path, method: 'POST' })).status);
  assert.deepEqual(statuses, [200, 200, 500, 404, 502, 503]);
  await until('all are told', async () => (await control.evidence(patientMs)).requests === 6);
  const { pools: told, connections: _, ...all } = await control.evidence(patientMs);
  assert.deepEqual(all, {
    requests: 6,
    errors: 3,
    clientErrors: 1,
    connectionErrors: 1,
    retries: 1,
    responseErrors: 1,
    netUses: 0,
    entranceRequests: 0,
    inHand: 0,
  });
  assert.deepEqual(
    told.map(({ pool, requests, errors, connectionErrors }) => [pool, requests, errors, connectionErrors]),
    [
      ['web', 2, 0, 0],
      ['bad', 3, 2, 0],
      ['gone', 1, 1, 1],
    ],
  );
  const lines = await control.errors(10, patientMs);
  assert.match(lines[0] ?? '', /^500 -- bad s1 0 GET \/bad 127\.0\.0\.1/);
  assert.match(lines[1] ?? '', /^502 broke-off bad s1 0 POST \/break/);
  assert.match(lines[2] ?? '', /^503 no-connection gone s[12] 1 POST \/gone/);
  assert.equal((await control.errors(1, patientMs)).length, 1);
});

test('servers are unknown until they were asked, then up or down with what they said', async () => {
  const http = await world.socket();
  const up = await world.server('up');
  const { control } = await world.start(siteOf({ pools: [poolOf('web', [up.port, 1])] }), {
    name: 'servers',
    sockets: { http },
  });
  assert.deepEqual(
    (await control.servers(patientMs)).map((s) => s.state),
    ['unknown', 'unknown'],
  );
  await until('both were asked', async () =>
    (await control.servers(patientMs)).every((s) => s.state !== 'unknown'),
  );
  const told = (await control.servers(patientMs)).map((s) => `${s.server} ${s.state}: ${s.lastCheck}`);
  assert.match(told[0] ?? '', /^s1 up: TCP connection to .*: connected/);
  assert.match(told[1] ?? '', /^s2 down: .*connection refused/);
  const [pool] = (await control.evidence(patientMs)).pools;
  assert.deepEqual([pool?.serversLive, pool?.serversAll], [1, 2]);
});

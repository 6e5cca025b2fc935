import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { nginxFirstFd } from '#dialects';
import { askEntrance } from '#probe';
import { sideOf } from '../../src/engines/nginx/epoll.ts';
import { ask, keptAlive } from '../world/ask.ts';
import { type HaproxyWorld, nginxWorld, until } from '../world/haproxy.ts';
import { poolOf, routeTo, siteOf } from '../world/sites.ts';

let world: HaproxyWorld;
before(async () => {
  world = await nginxWorld();
});
after(() => world.close());

const workersOf = (pid: number) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

test('a generation that starts parked takes no connection until it is resumed', async () => {
  const http = await world.socket();
  const server = await world.server('web-1');
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const { control } = await world.start(site, { name: 'parked', sockets: { http }, parked: true });

  await until('it is parked', async () => (await control.state(500)) === 'parked');
  const waiting = ask(http.port);
  const early = await Promise.race([waiting.then(() => 'answered'), sleep(100, 'waiting')]);
  assert.equal(early, 'waiting');

  await control.resume(500);
  assert.equal(await control.state(500), 'accepting');
  assert.equal((await waiting).body, 'web-1');
});

test('parks and resumes 200 times, each read back, and the connections made meanwhile lose nothing', async () => {
  const http = await world.socket();
  const server = await world.server('web-1');
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const { control } = await world.start(site, { name: 'cycles', sockets: { http } });
  const kept = keptAlive(http.port);
  let over = false;
  const load = async (once: () => Promise<{ status: number }>) => {
    let answered = 0;
    while (!over) {
      assert.equal((await once()).status, 200);
      answered += 1;
    }
    return answered;
  };
  const loads = [load(() => ask(http.port)), load(() => kept.ask())];
  for (let cycle = 0; cycle < 200; cycle += 1) {
    await control.park(1_000);
    assert.equal(await control.state(500), 'parked');
    await control.resume(1_000);
    assert.equal(await control.state(500), 'accepting');
  }
  over = true;
  for (const answered of await Promise.all(loads)) assert.ok(answered > 0);
  kept.close();
  assert.deepEqual(await control.errors(10, 500), []);
});

test('a worker that dies while parked is followed by one that is parked; a reload by anyone too', async () => {
  const http = await world.socket();
  const server = await world.server('web-1');
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const { control, pid } = await world.start(site, { name: 'forked', sockets: { http }, parked: true });
  await until('it is parked', async () => (await control.state(500)) === 'parked');
  const blows = [() => process.kill(workersOf(pid)[0] ?? 0, 'SIGKILL'), () => process.kill(pid, 'SIGHUP')];
  for (const blow of blows) {
    const before = workersOf(pid);
    blow();
    await until('there is a new worker', () => workersOf(pid).some((worker) => !before.includes(worker)));
    await until('all of them are parked', () =>
      workersOf(pid).every((worker) => sideOf(worker, [nginxFirstFd]) === 'parked'),
    );
    const waiting = ask(http.port);
    assert.equal(await Promise.race([waiting.then(() => 'answered'), sleep(100, 'waiting')]), 'waiting');
    await control.resume(500);
    assert.equal((await waiting).body, 'web-1');
    await control.park(500);
  }
});

test('the entrance answers while the public side is parked, and is no public side', async () => {
  const http = await world.socket();
  const server = await world.server('web-1');
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const { control, entrance } = await world.start(site, {
    name: 'entrance',
    sockets: { http },
    parked: true,
  });
  const answer = await askEntrance(
    entrance,
    { method: 'GET', scheme: 'http', host: 'shop.example', port: 80, path: '/', query: '', headers: {} },
    1_000,
  );
  assert.equal(answer.body, 'web-1');
  await until('it is counted', async () => (await control.evidence(500)).entranceRequests === 1);
  assert.equal((await control.evidence(500)).requests, 0);
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
  await until('all are told', async () => (await control.evidence(500)).requests === 6);
  const { pools: told, connections: _, ...all } = await control.evidence(500);
  assert.deepEqual(all, {
    requests: 6,
    errors: 3,
    clientErrors: 1,
    connectionErrors: 1,
    retries: 1,
    responseErrors: 1,
    netUses: 0,
    entranceRequests: 0,
  });
  assert.deepEqual(
    told.map(({ pool, requests, errors, connectionErrors }) => [pool, requests, errors, connectionErrors]),
    [
      ['web', 2, 0, 0],
      ['bad', 3, 2, 0],
      ['gone', 1, 1, 1],
    ],
  );
  const lines = await control.errors(10, 500);
  assert.match(lines[0] ?? '', /^500 -- bad s1 0 GET \/bad 127\.0\.0\.1/);
  assert.match(lines[1] ?? '', /^502 broke-off bad s1 0 POST \/break/);
  assert.match(lines[2] ?? '', /^503 no-connection gone s[12] 1 POST \/gone/);
  assert.equal((await control.errors(1, 500)).length, 1);
});

test('servers are unknown until they were asked, then up or down with what they said', async () => {
  const http = await world.socket();
  const up = await world.server('up');
  const { control } = await world.start(siteOf({ pools: [poolOf('web', [up.port, 1])] }), {
    name: 'servers',
    sockets: { http },
  });
  assert.deepEqual(
    (await control.servers(500)).map((s) => s.state),
    ['unknown', 'unknown'],
  );
  await until('both were asked', async () =>
    (await control.servers(500)).every((s) => s.state !== 'unknown'),
  );
  const told = (await control.servers(500)).map((s) => `${s.server} ${s.state}: ${s.lastCheck}`);
  assert.match(told[0] ?? '', /^s1 up: TCP connection to .*: connected/);
  assert.match(told[1] ?? '', /^s2 down: .*connection refused/);
  const [pool] = (await control.evidence(500)).pools;
  assert.deepEqual([pool?.serversLive, pool?.serversAll], [1, 2]);
});

test('drain lets what is under way finish, then every process ends', async () => {
  const http = await world.socket();
  let finish = () => {};
  let underWay = false;
  const server = await world.server('slow', (_request, response) => {
    finish = () => response.end('slow');
    response.flushHeaders();
    underWay = true;
  });
  const site = siteOf({ pools: [poolOf('web', [server.port])] });
  const { control, ended, pid } = await world.start(site, { name: 'drain', sockets: { http } });
  const answer = ask(http.port);
  await until('the request is under way', () => underWay);
  await control.park(500);
  await control.drain(500);
  finish();
  assert.equal((await answer).body, 'slow');
  await ended();
  assert.throws(() => process.kill(-pid, 0), /ESRCH/);
  await assert.rejects(control.resume(200));
  await assert.rejects(control.drain(200), /ESRCH/);
});

test('every call to a hung engine rejects in its time, and it answers again once it goes on', async () => {
  const http = await world.socket();
  const { control, pid } = await world.start(siteOf({ pools: [poolOf('web', [1])] }), {
    name: 'hung',
    sockets: { http },
  });
  const workers = workersOf(pid);
  for (const worker of workers) process.kill(worker, 'SIGSTOP');
  try {
    const calls = [
      () => control.state(100),
      () => control.net(false, 100),
      () => control.evidence(100),
      () => control.servers(100),
      () => control.errors(5, 100),
    ];
    for (const call of calls) {
      const began = performance.now();
      await assert.rejects(call(), /within/);
      assert.ok(performance.now() - began < 300);
    }
    // It is parked from outside, and needs nobody's help for that.
    await control.park(100);
  } finally {
    for (const worker of workers) process.kill(worker, 'SIGCONT');
  }
  await until('it answers', () =>
    control.state(200).then(
      (s) => s === 'parked',
      () => false,
    ),
  );
});

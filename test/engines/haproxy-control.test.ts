import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { haproxyEngine } from '#engines';
import { ask } from '../world/ask.ts';
import { type HaproxyWorld, haproxyWorld, until } from '../world/haproxy.ts';
import { checkOf, httpCheckOf, poolOf, routeTo, serverOf, siteOf, timeoutsOf } from '../world/sites.ts';

/** For a machine that is out of breath. */
const patientMs = 20_000;
let world: HaproxyWorld;
before(async () => {
  world = await haproxyWorld();
});
after(() => world.close());

test('a later call takes the turn: park and resume at once end as the later one says', async () => {
  const http = await world.socket();
  const { control } = await world.start(siteOf(), { name: 'turns', sockets: { http } });
  for (let round = 0; round < 20; round += 1) {
    const [early, late] = await Promise.allSettled([control.resume(patientMs), control.park(patientMs)]);
    assert.equal(late.status, 'fulfilled');
    if (early.status === 'rejected') assert.match(String(early.reason), /another call/);
    assert.equal(await control.state(patientMs), 'parked');
  }
});

test('evidence counts answers, refused connections, retries and the state of pools', async () => {
  const http = await world.socket();
  const good = await world.server('good');
  const failing = await world.server('failing', (request, response) => {
    if (request.url === '/break') request.socket.destroy();
    else response.writeHead(request.url === '/missing' ? 404 : 500).end();
  });
  const dead = await world.server('dead');
  const pools = [
    poolOf('web', [good.port]),
    poolOf('bad', [failing.port]),
    // No check comes in time to see that its server has gone.
    poolOf('gone', [dead.port], {
      healthCheck: checkOf({ intervalMs: 60_000, timeoutMs: 500, rise: 1 }),
      timeouts: timeoutsOf({ connectMs: 50, serverMs: 1_000 }),
    }),
  ];
  const to = (pool: string, value: string) => routeTo(pool, { path: { type: 'PathPrefix', value } });
  const routes = [
    to('bad', '/bad'),
    to('bad', '/missing'),
    to('bad', '/break'),
    to('gone', '/gone'),
    to('web', '/'),
  ];
  const site = siteOf({ pools, routes });
  const { control } = await world.start(site, { name: 'counts', sockets: { http } });
  await until('every server was checked', async () =>
    (await control.servers(patientMs)).every((s) => s.state === 'up'),
  );
  await dead.close();

  const statuses = [];
  for (const path of ['/', '/', '/bad', '/missing', '/break', '/gone'])
    statuses.push((await ask(http.port, { path })).status);
  assert.deepEqual(statuses, [200, 200, 500, 404, 502, 503]);

  const evidence = await control.evidence(patientMs);
  const { requests, errors, clientErrors, connectionErrors, retries, responseErrors, netUses } = evidence;
  assert.deepEqual(
    { requests, errors, clientErrors, connectionErrors, retries, responseErrors, netUses },
    {
      requests: 6,
      errors: 3,
      clientErrors: 1,
      connectionErrors: 1,
      retries: 3,
      responseErrors: 1,
      netUses: 0,
    },
  );
  const pool = (name: string) => evidence.pools.find((p) => p.pool === name);
  assert.deepEqual(
    evidence.pools.map((p) => p.pool),
    ['web', 'bad', 'gone'],
  );
  assert.equal(pool('web')?.requests, 2);
  assert.equal(pool('bad')?.errors, 2);
  assert.equal(pool('gone')?.connectionErrors, 1);
  assert.deepEqual([pool('web')?.serversLive, pool('web')?.serversAll], [1, 1]);

  const lines = await control.errors(10, patientMs);
  assert.equal(lines.length, 3, lines.join('\n'));
  assert.match(lines[0] ?? '', /500 -- bad s1 0 GET \/bad 127\.0\.0\.1$/);
  assert.match(lines[1] ?? '', /502 SH bad s1 0 GET \/break/);
  assert.match(lines[2] ?? '', /503 SC gone s1 3 GET \/gone/);
  assert.equal((await control.errors(1, patientMs)).length, 1);
});

test('servers are unknown until their first check has ended, then up or down with what the check said', async () => {
  const http = await world.socket();
  const up = await world.server('up');
  const sick = await world.server('sick', (_request, response) => response.writeHead(500).end());
  const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await until('the silent server listens', () => silent.listening);
  const address = silent.address();
  assert.ok(address && typeof address === 'object');
  const checked = checkOf({
    http: httpCheckOf('/health'),
    intervalMs: 1_000,
    timeoutMs: 300,
    rise: 1,
    fall: 1,
  });
  const pool = poolOf('web', [up.port, sick.port, address.port], { healthCheck: checked });
  const named = {
    ...pool,
    servers: [...pool.servers, serverOf('s4', up.port, { host: 'nowhere.invalid' })],
  };
  const { control } = await world.start(siteOf({ pools: [named] }), { name: 'servers', sockets: { http } });
  try {
    const first = await control.servers(patientMs);
    assert.equal(first.length, 4);
    assert.ok(first.some((s) => s.state === 'unknown'));
    await until('every check has ended', async () =>
      (await control.servers(patientMs)).every((s) => s.state !== 'unknown'),
    );
    const states = (await control.servers(patientMs)).map((s) => `${s.server} ${s.state}: ${s.lastCheck}`);
    assert.match(states[0] ?? '', /^s1 up: L7OK/);
    assert.match(states[1] ?? '', /^s2 down: L7STS 500/);
    assert.match(states[2] ?? '', /^s3 down: L7TOUT/);
    assert.equal(states[3], 's4 down: the name does not resolve');
  } finally {
    silent.close();
  }
});

test('a control that others poll, and one that is idle, keep no draining engine from ending', async () => {
  const http = await world.socket();
  const { control, pid, socketPath, ended } = await world.start(siteOf(), {
    name: 'held',
    sockets: { http },
  });
  const idle = haproxyEngine.control({ pid, control: socketPath });
  const polled = haproxyEngine.control({ pid, control: socketPath });
  await idle.evidence(patientMs);
  let over = false;
  const polls = (async () => {
    let answered = 0;
    while (!over) {
      await polled.evidence(patientMs).then(
        () => (answered += 1),
        () => {},
      );
      await sleep(20);
    }
    return answered;
  })();
  await control.drain(patientMs);
  await ended();
  over = true;
  assert.ok((await polls) > 0);
});

test('a control goes on with a new connection when its connection was cut', async () => {
  const http = await world.socket();
  const { control, socketPath } = await world.start(siteOf(), { name: 'cut', sockets: { http } });
  const killer = connect(socketPath);
  killer.end('show sess\n');
  let listing = '';
  for await (const chunk of killer) listing += chunk;
  const own = [...listing.matchAll(/^(0x[0-9a-f]+): proto=unix_stream.*fe=GLOBAL/gm)].map((m) => m[1]);
  assert.ok(own.length > 0, listing);
  for (const session of own) {
    const ender = connect(socketPath);
    ender.end(`shutdown session ${session}\n`);
    for await (const _ of ender);
  }
  await until('the control answers again', () =>
    control.state(200).then(
      () => true,
      () => false,
    ),
  );
});

test('ten looks a second cost little on both sides', async () => {
  const http = await world.socket();
  const pools = Array.from({ length: 20 }, (_, index) => poolOf(`pool-${index}`, [9, 10, 11, 12, 13]));
  const site = siteOf({ pools: [poolOf('web', []), ...pools] });
  const { control } = await world.start(site, { name: 'cost', sockets: { http } });
  await control.evidence(patientMs);
  for (let warm = 0; warm < 50; warm += 1) await control.evidence(patientMs);
  const looks = 200;
  const used = process.cpuUsage();
  for (let look = 0; look < looks; look += 1) await control.evidence(patientMs);
  const { user, system } = process.cpuUsage(used);
  const msPerLook = (user + system) / 1_000 / looks;
  assert.ok(msPerLook * 10 < 15, `ten looks take ${(msPerLook * 10).toFixed(2)} ms of a second`);
});

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createNet, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Clock, systemClock } from '#base';
import { type Evidence, inMaintenance, type PoolEvidence, type ServerEvidence } from '#engines';
import { noCounts } from '#events';
import { faultOf, look } from '../../src/agent/at-fault.ts';
import { siteOf } from '../../src/agent/good.ts';
import { textOf } from '../world/stack.ts';

/** What an engine gives for every request by its entrance; null: nothing, for ever. */
let engineSays: string | null;
/** Of each server: whether its health check is well, and its answer to everything else. */
const servers = [
  { well: true, status: 200 },
  { well: true, status: 200 },
];
const folder = mkdtempSync(join(tmpdir(), 'hf-'));
chmodSync(folder, 0o755);
const entrance = join(folder, 'entrance.sock');
const running: Server[] = [];
const ports: number[] = [];

before(async () => {
  const engine = createNet((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      if (engineSays !== null) socket.end(engineSays);
    });
  });
  await new Promise<void>((done) => engine.listen(entrance, done));
  running.push(engine);
  for (const one of servers) {
    const server = createServer((request, response) => {
      response.statusCode = request.url === '/health' ? (one.well ? 200 : 500) : one.status;
      response.end('web');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    ports.push((server.address() as AddressInfo).port);
    running.push(server);
  }
});

beforeEach(() => {
  engineSays = answer(200);
  for (const one of servers) Object.assign(one, { well: true, status: 200 });
});

after(() => {
  for (const server of running) server.close();
  rmSync(folder, { recursive: true });
});

const answer = (status: number) => `HTTP/1.1 ${status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;

/** Of a machine that is out of breath. */
const patient = { directMs: 30_000, throughMs: 30_000 };

function suspect(pool = '', route = '{ name: web, pool: web }') {
  const listed = ports.map((port, at) => `      - { name: web-${at + 1}, address: 127.0.0.1:${port} }`);
  const text = `site: t
listeners:
  - { name: http, address: "*:8080" }
routes:
  - ${route}
pools:
  - name: web
    servers:
${listed.join('\n')}
    healthCheck: { path: /health, interval: 10ms, timeout: 30s, rise: 1, fall: 1 }
${pool}balancers:
  - { name: lb-1, engine: haproxy, address: 127.0.0.1 }
`;
  return { entrance, site: siteOf(textOf(text, folder)), clock: systemClock, ...patient };
}

/** What the engine itself says of its servers. */
function controls(said: { live: number; queued?: number; lastCheck?: string }) {
  const web: PoolEvidence = {
    pool: 'web',
    requests: 0,
    errors: 0,
    connectionErrors: 0,
    retries: 0,
    responseErrors: 0,
    queued: said.queued ?? 0,
    serversLive: said.live,
    serversAll: 2,
  };
  const evidence: Evidence = { ...noCounts, entranceRequests: 0, connections: 1, pools: [web] };
  const told = servers.map(
    (_, at): ServerEvidence => ({
      pool: 'web',
      server: `web-${at + 1}`,
      state: said.live > 0 ? 'up' : 'down',
      lastCheck: said.lastCheck ?? 'L7STS 500',
      requests: 0,
      errors: 0,
    }),
  );
  return { evidence: async () => evidence, servers: async () => told };
}
const well = controls({ live: 2 });

describe('one look at an engine', () => {
  test('a good answer shows that it serves', async () => {
    assert.equal((await look(suspect())).kind, 'serves');
  });

  const faults: readonly (readonly [string, string | null, RegExp])[] = [
    ['503', answer(503), /^GET http:.*: 503 through it, and 200 from web\/web-1 asked directly$/],
    ['404', answer(404), /: 404 through it/],
    ['nonsense', 'XTTP/9.9 \x00\x01 nonsense\r\n\r\n', /: Parse Error.* through it/],
    ['the end of the connection', '', /: socket hang up through it/],
    ['nothing', null, /: no answer within 200 ms through it/],
  ];
  for (const [what, says, proof] of faults)
    test(`${what} through it, and good servers: it is at fault`, async () => {
      engineSays = says;
      const seen = await look({ ...suspect(), ...(says === null ? { throughMs: 200 } : {}) });
      assert.equal(seen.kind, 'at fault');
      if (seen.kind === 'at fault') assert.match(seen.proof, proof);
    });

  test('a database died: the servers answer so themselves, and the engine is not at fault', async () => {
    engineSays = answer(503);
    for (const one of servers) one.status = 500;
    assert.equal((await look(suspect())).kind, 'not known');
  });

  test('one server answers so: it may be the one that was asked', async () => {
    engineSays = answer(500);
    Object.assign(servers[1] ?? {}, { status: 500 });
    assert.equal((await look(suspect())).kind, 'not known');
  });

  test('one server is not well, so that no engine asks it: the other one counts', async () => {
    engineSays = answer(503);
    Object.assign(servers[1] ?? {}, { well: false, status: 500 });
    assert.equal((await look(suspect())).kind, 'at fault');
  });

  test('no server is well, though they answer: an engine that does as it is told answers 503', async () => {
    engineSays = answer(503);
    for (const one of servers) one.well = false;
    assert.equal((await look(suspect())).kind, 'not known');
  });

  test('404 from the server too: it is passed on', async () => {
    engineSays = answer(404);
    for (const one of servers) one.status = 404;
    assert.equal((await look(suspect())).kind, 'serves');
  });

  test("the site's own answer needs no server", async () => {
    engineSays = answer(503);
    const redirect = '{ name: web, redirect: { hostname: shop.example, statusCode: 301 } }';
    const seen = await look(suspect('', redirect));
    assert.match(seen.kind === 'at fault' ? seen.proof : '', /503 through it, and 301 is the site's own/);
    engineSays = answer(301);
    assert.equal((await look(suspect('', redirect))).kind, 'serves');
  });
});

describe('the proof that it is at fault', () => {
  beforeEach(() => {
    engineSays = answer(503);
  });

  test('servers that it takes for live, and 503', async () => {
    assert.match((await faultOf(suspect(), well, 'serves')) ?? '', /503 through it/);
    assert.match((await faultOf(suspect(), well, 'new')) ?? '', /503 through it/);
  });

  test('a moment that is over by the second look is no proof', async () => {
    const controlsThatMend = {
      ...well,
      evidence: async () => {
        engineSays = answer(200);
        return await well.evidence();
      },
    };
    assert.equal(await faultOf(suspect(), controlsThatMend, 'serves'), null);
  });

  test('its checks have not risen yet: it is waited for, and one that is new passes', async () => {
    const down = controls({ live: 0 });
    assert.equal(await faultOf(suspect(), down, 'new'), null);
    let [now, looks] = [0, 0];
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => now,
      sleep: async (ms, signal) => {
        if (ms === patient.directMs) return await systemClock.sleep(ms, signal);
        now += 10_000;
        looks += 1;
      },
    };
    assert.match((await faultOf({ ...suspect(), clock }, down, 'serves')) ?? '', /503 through it/);
    // Twice two intervals of 10 ms and a time-out of 30 s.
    assert.equal(looks, 7);
  });

  test('a person has taken the servers out, or a line waits for them: that is no fault', async () => {
    assert.equal(await faultOf(suspect(), controls({ live: 0, lastCheck: inMaintenance }), 'serves'), null);
    assert.equal(await faultOf(suspect(), controls({ live: 2, queued: 3 }), 'serves'), null);
  });
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { identify, isAlive, type ProcessIdentity } from '#base';
import type { Evidence } from '#engines';
import { addServers, sumEvidence } from '../../src/engines/builtin/process/sums.ts';
import { ask, keptAlive } from '../world/ask.ts';
import { type BuiltinStart, type BuiltinWorld, builtinWorld } from '../world/builtin.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { httpCheckOf, poolOf, serverOf, siteOf } from '../world/sites.ts';

const callMs = 30_000;
const size = 2;

describe('several workers of the built-in engine', () => {
  let world: BuiltinWorld;
  let http: PublicSocket;
  let generation: Generation;
  beforeEach(async () => {
    world = await builtinWorld();
    http = await world.socket();
  });
  afterEach(async () => {
    await generation.kill();
    await until('nothing of it is left', () => workersOf(generation.pid).length === 0, 20_000);
    await world.close();
  });

  const start = async (port: number, over: Partial<BuiltinStart> = {}) => {
    const site = siteOf({ pools: [poolOf('web', [port])] });
    generation = await world.start(site, { name: 'a', sockets: { http }, threads: size, ...over });
    return await workersThere(generation);
  };

  test('one control socket: their counters summed, and each of them parked, resumed, led over', async () => {
    const web = await world.server('web');
    const neighbour = await world.start(
      siteOf({ pools: [poolOf('web', [(await world.server('other')).port])] }),
      {
        name: 'b',
        sockets: { http: await world.socket() },
        generation: 2,
        threads: size,
      },
    );
    await start(web.port, { neighbour: neighbour.entrance });
    // Kept-alive connections of both: what is asked on them shows who answers.
    const clients = Array.from({ length: 20 }, () => keptAlive(http.port));
    const bodies = async () =>
      new Set((await Promise.all(clients.map((c) => c.ask()))).map(({ body }) => body));
    assert.deepEqual(await bodies(), new Set(['web']));
    await until('all are counted', async () => (await generation.control.evidence(callMs)).requests === 20);
    assert.equal((await generation.control.evidence(callMs)).connections, 20);
    assert.equal((await generation.control.servers(callMs))[0]?.requests, 20);
    await generation.control.takeBack(true, callMs);
    assert.deepEqual(await bodies(), new Set(['other']));
    await generation.control.park(callMs);
    assert.equal(await generation.control.state(callMs), 'parked');
    await assert.rejects(ask(http.port, { timeoutMs: 300 }), /no answer within/);
    await generation.control.takeBack(false, callMs);
    await generation.control.resume(callMs);
    assert.equal((await ask(http.port)).body, 'web');
    for (const client of clients) client.close();
  });

  test('one that is killed costs what it was answering, and is replaced; counters never go back', async () => {
    const web = await world.server('web');
    const [victim] = await start(web.port);
    let answered = 0;
    const failed: string[] = [];
    let loading = true;
    const load = Array.from({ length: 8 }, async () => {
      while (loading) {
        try {
          assert.equal((await ask(http.port)).status, 200);
          answered += 1;
        } catch (error) {
          failed.push(String(error));
        }
      }
    });
    let seen = 0;
    const rises = async () => {
      const { requests } = await generation.control.evidence(callMs);
      assert.ok(requests >= seen, `${requests} after ${seen}`);
      seen = requests;
    };
    await until('it is at work', () => answered > 200);
    await rises();
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await until('it is replaced', async () => {
      await rises();
      const now = workersOf(generation.pid);
      return now.length === size && now.every(({ pid }) => pid !== victim?.pid);
    });
    const before = answered;
    await until('it goes on', () => answered > before + 200);
    await rises();
    loading = false;
    await Promise.all(load);
    // At most what its clients were waiting for in that moment; each of the eight waits for one.
    assert.ok(failed.length <= 8, failed.join('\n'));
  });

  test('one that begins while all are parked is parked, and has the flags of the others', async () => {
    const web = await world.server('web');
    const [victim] = await start(web.port, { parked: true });
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    await until(
      'it is replaced',
      () =>
        workersOf(generation.pid).some(({ pid }) => pid !== victim?.pid) &&
        workersOf(generation.pid).length === size,
    );
    await until('it says so', () => /ended \(SIGKILL\) and is replaced/.test(generation.said()));
    await assert.rejects(ask(http.port, { timeoutMs: 1_000 }), /no answer within/);
    assert.equal(await generation.control.state(callMs), 'parked');
    await generation.control.resume(callMs);
    assert.equal((await ask(http.port)).status, 200);
  });

  test('without their supervisor they finish what they answer, accept nothing, and end', async () => {
    let asked = 0;
    const slow = await world.server('slow', (_request, response) => {
      asked += 1;
      setTimeout(() => response.end('late'), 500);
    });
    const workers = await start(slow.port);
    const answers = Promise.all(Array.from({ length: 6 }, () => ask(http.port)));
    await until('all wait for their answer', () => asked === 6);
    process.kill(generation.pid, 'SIGKILL');
    assert.ok((await answers).every(({ body }) => body === 'late'));
    await assert.rejects(ask(http.port, { timeoutMs: 300 }), /no answer within/);
    await until('they have ended', () => !workers.some(isAlive));
  });

  test('without their supervisor even those that hang end', async () => {
    const workers = await start((await world.server('web')).port);
    for (const { pid } of workers) process.kill(pid, 'SIGSTOP');
    process.kill(generation.pid, 'SIGKILL');
    await until('they have ended', () => !workers.some(isAlive));
  });

  test('servers are checked once, whoever notices that one is down tells all', async () => {
    let checks = 0;
    const web = await world.server('web', (request, response) => {
      if (request.url === '/health') checks += 1;
      response.end();
    });
    const healthCheck = {
      ...poolOf('web', []).healthCheck,
      http: httpCheckOf('/health'),
      intervalMs: 60_000,
      timeoutMs: 5_000,
      rise: 1,
    };
    const site = siteOf({ pools: [poolOf('web', [web.port], { healthCheck })] });
    generation = await world.start(site, { name: 'a', sockets: { http }, threads: size });
    await workersThere(generation);
    await until('it is up', async () => (await generation.control.servers(callMs))[0]?.state === 'up');
    assert.equal(checks, 1);
    await web.close();
    const { lastCheck } = await (async () => {
      await until('it is down', async () => {
        await ask(http.port);
        return (await generation.control.evidence(callMs)).pools[0]?.serversLive === 0;
      });
      return (await generation.control.servers(callMs))[0] ?? { lastCheck: '' };
    })();
    assert.equal(lastCheck, 'L4CON ECONNREFUSED');
  });

  test('a server that one of them ejects is out for all, and back for all when checks say so', async () => {
    let status = 500;
    const web = await world.server('web', (_request, response) => response.writeHead(status).end());
    const ejection = { errorsInARow: 3, of: 'answers' } as const;
    const site = siteOf({ pools: [poolOf('web', [web.port], { ejection })] });
    generation = await world.start(site, { name: 'a', sockets: { http }, threads: size });
    const live = async () => (await generation.control.servers(callMs))[0]?.state;
    const clients = Array.from({ length: 10 }, () => keptAlive(http.port));
    await until('it is out', async () => {
      await clients[0]?.ask();
      return (await live()) === 'down';
    });
    status = 200;
    await until('all of them send to it again', async () => {
      const answers = await Promise.all(clients.map((client) => client.ask()));
      return answers.every((answer) => answer.status === 200);
    });
    assert.equal(await live(), 'up');
    for (const client of clients) client.close();
  });

  test('a drained one ends with its last connection, and says what it counted to the end', async () => {
    await start((await world.server('web')).port);
    const client = keptAlive(http.port);
    await client.ask();
    await generation.control.drain(callMs);
    assert.equal((await generation.control.evidence(callMs)).connections, 1);
    const last = await client.ask();
    assert.equal(last.headers.connection, 'close');
    client.close();
    await generation.ended();
  });

  test('no more of them than a server may have connections, and one where nothing is shared', async () => {
    const server = serverOf('s1', (await world.server('web')).port, { connectionsMax: 1 });
    const site = siteOf({ pools: [poolOf('web', [], { servers: [server] })] });
    generation = await world.start(site, { name: 'a', sockets: { http }, threads: 4 });
    assert.deepEqual(workersOf(generation.pid), []);
    assert.equal((await ask(http.port)).status, 200);
  });
});

test('sums: counts of those that have ended stay, what is so now goes with them', () => {
  const evidence = (requests: number, connections: number, serversLive: number): Evidence => ({
    requests,
    errors: 1,
    clientErrors: 0,
    connectionErrors: 0,
    retries: 0,
    responseErrors: 0,
    netUses: 0,
    entranceRequests: 0,
    connections,
    pools: [
      {
        pool: 'web',
        requests,
        errors: 0,
        connectionErrors: 0,
        retries: 0,
        responseErrors: 0,
        serversLive,
        serversAll: 3,
        queued: connections,
      },
    ],
  });
  const sum = sumEvidence([evidence(10, 2, 3), evidence(20, 3, 2)], [evidence(100, 50, 0)]);
  assert.deepEqual([sum?.requests, sum?.errors, sum?.connections], [130, 3, 5]);
  const [pool] = sum?.pools ?? [];
  assert.deepEqual([pool?.requests, pool?.queued, pool?.serversLive, pool?.serversAll], [130, 5, 2, 3]);
  assert.equal(sumEvidence([], []), null);
  const server = {
    pool: 'web',
    server: 's1',
    state: 'up',
    lastCheck: 'L4OK',
    requests: 1,
    errors: 0,
  } as const;
  assert.deepEqual(addServers([server, { ...server, state: 'down', requests: 2 }]), [
    { ...server, requests: 3 },
  ]);
});

/** Every process that runs a worker's program in the group that this one leads, also when it has ended itself. */
function workersOf(supervisor: number): ProcessIdentity[] {
  let pids: number[];
  try {
    const text = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8');
    pids = text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return pids.flatMap((pid) => {
    const found = isWorker(pid) ? identify(pid) : null;
    return found ? [found] : [];
  });
}

function isWorker(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('worker.ts');
  } catch {
    return false;
  }
}

async function workersThere({ pid, said }: Generation): Promise<ProcessIdentity[]> {
  await until('all workers are there', () => said().includes(`all ${size} workers serve`), 20_000);
  return workersOf(pid);
}

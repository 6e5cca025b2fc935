import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Answer, ask, keptAlive } from '../world/ask.ts';
import { type BuiltinStart, type BuiltinWorld, builtinWorld, rawly } from '../world/builtin.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { listenerOf, poolOf, quickTimeouts, routeTo, siteOf } from '../world/sites.ts';

const cycles = 500;
const callMs = 30_000;

describe('generations of the built-in engine', () => {
  let world: BuiltinWorld;
  let http: PublicSocket;
  beforeEach(async () => {
    world = await builtinWorld();
    http = await world.socket();
  });
  afterEach(() => world.close());

  /** A generation whose server answers with its name; `ports` instead of that server. */
  async function start(
    name: string,
    options: Partial<BuiltinStart> = {},
    ports?: readonly number[],
  ): Promise<Generation> {
    const servers = ports ?? [(await world.server(name)).port];
    const site = siteOf({
      pools: [poolOf('web', servers, { timeouts: { ...quickTimeouts, serverMs: 1_000 } })],
    });
    return world.start(site, { name, sockets: { http }, ...options });
  }

  test(`${cycles} switches under load lose no request, on new and on kept connections`, async () => {
    const first = await start('first');
    const second = await start('second', { parked: true, generation: 2 });
    assert.equal(await second.control.state(callMs), 'parked');
    const load = startLoad(http.port);
    let from = first;
    let to = second;
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      await to.control.resume(callMs);
      await from.control.park(callMs);
      [from, to] = [to, from];
    }
    const { answers, failures } = await load.stop();
    assert.deepEqual(failures, []);
    assert.ok((answers.first ?? 0) > 200 && (answers.second ?? 0) > 200, JSON.stringify(answers));
    assert.equal(first.said() + second.said(), '');
  });

  test('the signals park and resume too, and a parked one serves the connections it has', async () => {
    const only = await start('only');
    const client = keptAlive(http.port);
    assert.equal((await client.ask()).body, 'only');
    process.kill(only.pid, 'SIGTTOU');
    await until('it is parked', async () => (await only.control.state(callMs)) === 'parked');
    assert.equal((await client.ask()).body, 'only');
    const waiting = ask(http.port);
    process.kill(only.pid, 'SIGTTIN');
    assert.equal((await waiting).body, 'only');
    client.close();
  });

  test('take-back: requests of a kept connection, of every kind, are answered by the older one', async () => {
    const good = await start('good', { generation: 1 });
    const bad = await start('bad', { generation: 2, neighbour: good.entrance, parked: true });
    await good.control.park(callMs);
    await bad.control.resume(callMs);
    const client = keptAlive(http.port);
    assert.equal((await client.ask()).body, 'bad');
    await bad.control.takeBack(true, callMs);
    assert.equal((await client.ask()).body, 'good');
    assert.equal((await client.ask({ method: 'POST' })).body, 'good');
    await bad.control.takeBack(false, callMs);
    assert.equal((await client.ask()).body, 'bad');
    client.close();
    const { entranceRequests, requests } = await good.control.evidence(callMs);
    assert.deepEqual({ entranceRequests, requests }, { entranceRequests: 2, requests: 0 });
  });

  test('the net catches what finds no server, counts it, and can be taken out', async () => {
    const good = await start('good', { generation: 1 });
    const dead = [await world.closedPort(), await world.closedPort()];
    const bad = await start('bad', { generation: 2, neighbour: good.entrance }, dead);
    await good.control.park(callMs);
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(http.port, { method: 'POST' })));
    assert.ok(answers.every((answer) => answer.status === 200 && answer.body === 'good'));
    const evidence = await bad.control.evidence(callMs);
    assert.equal(evidence.netUses, 60);
    assert.equal(evidence.errors, 0);
    assert.equal(evidence.pools[0]?.serversLive, 0);
    await bad.control.net(false, callMs);
    assert.equal((await ask(http.port)).status, 503);
    assert.deepEqual(await bad.control.errors(10, callMs), [`503 no-live-server web - 0 GET / 127.0.0.1`]);
  });

  test('no loop: with nets in a circle, what a neighbour sent is not sent on', async () => {
    const dead = [await world.closedPort()];
    const first = await start(
      'first',
      { generation: 1, neighbour: `${world.folder}/second/entrance.sock` },
      dead,
    );
    const second = await start('second', { generation: 2, neighbour: first.entrance, parked: true }, dead);
    assert.equal((await ask(http.port)).status, 503);
    const passed = await Promise.all([first, second].map((one) => one.control.evidence(callMs)));
    assert.deepEqual(
      passed.map((evidence) => [evidence.netUses, evidence.entranceRequests]),
      [
        [1, 0],
        [0, 1],
      ],
    );
  });

  test('take-back to a younger generation: a text that was started cold for it', async () => {
    const good = await start('good', { generation: 3, parked: true });
    const bad = await start('bad', { generation: 2, neighbour: good.entrance });
    const client = keptAlive(http.port);
    assert.equal((await client.ask()).body, 'bad');
    await bad.control.takeBack(true, callMs);
    assert.equal((await client.ask()).body, 'good');
    client.close();
  });

  test('the entrance takes the PROXY protocol 1 and 2, also parked, and keeps the forwarded headers', async () => {
    const echo = await world.server('echo', (request, response) =>
      response.end(`${request.headers['x-forwarded-for']} ${request.headers['x-forwarded-proto']}`),
    );
    const only = await start('only', { parked: true }, [echo.port]);
    const other = await world.socket();
    const several = siteOf({
      listeners: [listenerOf('http', 80), listenerOf('other', 8_080)],
      routes: [routeTo('web', {}, { listeners: ['other'] })],
      pools: [poolOf('web', [echo.port])],
    });
    const both = await world.start(several, { name: 'both', sockets: { http, other }, parked: true });
    const head = 'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\nConnection: close\r\n\r\n';
    const versionTwo = (length: number, port: number) =>
      Buffer.concat([
        Buffer.from('0d0a0d0a000d0a515549540a2111', 'hex'),
        Buffer.from([0, length, 1, 2, 3, 4, 127, 0, 0, 1, 4, 0, port >> 8, port & 255]),
      ]);
    const ways = {
      'version 1': `PROXY TCP4 1.2.3.4 127.0.0.1 1024 80\r\n${head}`,
      'version 1, unknown': `PROXY UNKNOWN\r\n${head}`,
      'version 2': Buffer.concat([versionTwo(12, 80), Buffer.from(head)]),
      'version 2 with a field': Buffer.concat([
        versionTwo(16, 80),
        Buffer.from([4, 0, 1, 0]),
        Buffer.from(head),
      ]),
      'version 2, local': Buffer.concat([
        Buffer.from('0d0a0d0a000d0a515549540a20000000', 'hex'),
        Buffer.from(head),
      ]),
    };
    for (const [way, bytes] of Object.entries(ways))
      assert.match(await rawly(only.entrance, bytes), /^HTTP\/1\.1 200 [\s\S]*9\.9\.9\.9 undefined$/, way);
    for (const [port, status] of [
      [80, 404],
      [8_080, 200],
      [81, 404],
    ] as const) {
      const came = await rawly(both.entrance, `PROXY TCP4 1.2.3.4 127.0.0.1 1024 ${port}\r\n${head}`);
      assert.match(came, new RegExp(`^HTTP/1.1 ${status} `), `port ${port}`);
    }
    assert.equal(await rawly(only.entrance, head), '', 'without the header there is no answer');
  });

  test('the entrance takes a header that comes byte by byte', async () => {
    const only = await start('only');
    const socket = connect(only.entrance);
    const came = allOf(socket);
    socket.setNoDelay(true);
    for (const byte of 'PROXY TCP4 1.2.3.4 127.0.0.1 1024 80\r\nGET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n') {
      socket.write(byte);
      await new Promise(setImmediate);
    }
    assert.match(await came, /only$/);
  });

  test('drain: no new connection, open ones finish with `Connection: close`, then the process ends', async () => {
    const slow = await world.server('slow', (_request, response) =>
      setTimeout(() => response.end('slow'), 300),
    );
    const only = await start('only', {}, [slow.port]);
    const idle = keptAlive(http.port);
    await idle.ask();
    const underWay = ask(http.port);
    await until('the request arrived', async () => (await only.control.evidence(callMs)).connections === 2);
    await only.control.drain(callMs);
    assert.equal(await only.control.state(callMs), 'parked');
    assert.equal((await underWay).body, 'slow');
    const last = await idle.ask();
    assert.deepEqual([last.body, last.headers.connection], ['slow', 'close']);
    idle.close();
    await only.ended();
  });

  test('SIGTERM without connections ends it at once', async () => {
    const only = await start('only');
    process.kill(only.pid, 'SIGTERM');
    await only.ended();
  });
});

interface Load {
  stop(): Promise<{ answers: Record<string, number>; failures: string[] }>;
}

/** 12 clients that connect for each request, 6 that keep theirs. */
function startLoad(port: number): Load {
  const answers: Record<string, number> = {};
  const failures: string[] = [];
  let stopped = false;
  const client = async (once: () => Promise<Answer>) => {
    while (!stopped) {
      try {
        const { status, body } = await once();
        if (status !== 200) failures.push(`${status}`);
        answers[body] = (answers[body] ?? 0) + 1;
      } catch (error) {
        failures.push(String(error));
      }
    }
  };
  const kept = Array.from({ length: 6 }, () => keptAlive(port));
  const clients = [
    ...Array.from({ length: 12 }, () => client(() => ask(port))),
    ...kept.map((one) => client(() => one.ask())),
  ];
  return {
    async stop() {
      stopped = true;
      await Promise.all(clients);
      for (const one of kept) one.close();
      return { answers, failures };
    },
  };
}

async function allOf(socket: Socket): Promise<string> {
  let came = '';
  socket.setEncoding('latin1').on('data', (part: string) => {
    came += part;
  });
  await once(socket, 'close');
  return came;
}

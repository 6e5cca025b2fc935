import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ask, keptAlive } from '../world/ask.ts';
import { type BuiltinStart, type BuiltinWorld, builtinWorld, rawly } from '../world/builtin.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { checkOf, poolOf, quickTimeouts, serverOf, siteOf } from '../world/sites.ts';

const callMs = 30_000;
/** Never marks anybody down while a test runs. */
const patient = checkOf({ intervalMs: 60_000, timeoutMs: 200, rise: 2, fall: 100 });

describe('the built-in engine and what goes wrong', () => {
  let world: BuiltinWorld;
  let http: PublicSocket;
  beforeEach(async () => {
    world = await builtinWorld();
    http = await world.socket();
  });
  afterEach(() => world.close());

  const start = (
    ports: readonly number[],
    pool: Parameters<typeof poolOf>[2] = {},
    options: Partial<BuiltinStart> = {},
  ): Promise<Generation> =>
    world.start(siteOf({ pools: [poolOf('web', ports, pool)] }), {
      name: 'a',
      sockets: { http },
      ...options,
    });

  const lastError = async (generation: Generation) => (await generation.control.errors(1, callMs))[0];

  test('a server that refuses connections costs a retry on another one, and no request', async () => {
    const good = await world.server('good');
    const dying = await world.server('dying');
    const generation = await start([dying.port, good.port], { healthCheck: patient });
    await until('both are up', async () =>
      (await generation.control.servers(callMs)).every((server) => server.state === 'up'),
    );
    await dying.close();
    for (let i = 0; i < 4; i += 1) {
      const answer = await ask(http.port, { method: 'POST' });
      assert.deepEqual([answer.status, answer.body], [200, 'good']);
    }
    const evidence = await generation.control.evidence(callMs);
    assert.ok(
      evidence.retries >= 1 && evidence.retries === evidence.connectionErrors,
      JSON.stringify(evidence),
    );
    assert.equal(evidence.errors, 0);
  });

  test('three failed connections in a row bring the check forward, which marks the server down', async () => {
    const good = await world.server('good');
    const dying = await world.server('dying');
    const generation = await start([dying.port, good.port], { healthCheck: patient });
    await until('both are up', async () =>
      (await generation.control.servers(callMs)).every((server) => server.state === 'up'),
    );
    await dying.close();
    for (let i = 0; i < 8; i += 1) await ask(http.port);
    await until('it is down', async () => (await generation.control.servers(callMs))[0]?.state === 'down');
    const [server] = await generation.control.servers(callMs);
    assert.equal(server?.lastCheck, 'L4CON ECONNREFUSED');
    const { retries } = await generation.control.evidence(callMs);
    await ask(http.port);
    await ask(http.port);
    assert.equal((await generation.control.evidence(callMs)).retries, retries);
  });

  test('a request whose body was sent is never sent again', async () => {
    let posts = 0;
    const breaksOff = async () => {
      const server = await world.rawServer((socket) => {
        socket.once('data', () => {
          posts += 1;
          socket.destroy();
        });
      });
      return server.port;
    };
    const generation = await start([await breaksOff(), await breaksOff()]);
    const sent = request({ port: http.port, method: 'POST', agent: false });
    sent.end('pay 5');
    const [answer] = await once(sent, 'response');
    answer.resume();
    assert.deepEqual([answer.statusCode, posts], [502, 1]);
    assert.match((await lastError(generation)) ?? '', /^502 server-broke-off web s\d 0 POST \/ /);
    assert.equal((await generation.control.evidence(callMs)).responseErrors, 1);
  });

  test('no live server: 503 at once', async () => {
    const generation = await start([await world.closedPort()]);
    await until('it is down', async () => (await generation.control.servers(callMs))[0]?.state === 'down');
    assert.equal((await ask(http.port)).status, 503);
    assert.match((await lastError(generation)) ?? '', /^503 no-live-server web - 0 GET \/ /);
  });

  test('a silent server: 504 within its time-out', async () => {
    const silent = await world.rawServer(() => {});
    const generation = await start([silent.port], { timeouts: { ...quickTimeouts, serverMs: 300 } });
    const began = performance.now();
    assert.equal((await ask(http.port)).status, 504);
    assert.ok(performance.now() - began < 2_000);
    assert.match((await lastError(generation)) ?? '', /^504 server-silent web s1 /);
  });

  test('a server that falls silent in the middle of its answer: the client sees it break off', async () => {
    const server = await world.rawServer((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf '));
    });
    const generation = await start([server.port], { timeouts: { ...quickTimeouts, serverMs: 300 } });
    await assert.rejects(ask(http.port), /aborted|ECONNRESET/);
    assert.equal((await generation.control.evidence(callMs)).responseErrors, 1);
    assert.match((await lastError(generation)) ?? '', /^200 server-silent web s1 /);
  });

  test('a server that is killed in the middle of an answer: broken off, counted, and the next one is served', async () => {
    const killed = await world.rawServer((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf \r\n');
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
    });
    const good = await world.server('good');
    const generation = await start([killed.port, good.port]);
    const results = [];
    for (let i = 0; i < 4; i += 1)
      results.push(
        await ask(http.port).then(
          (answer) => answer.body,
          () => 'broke off',
        ),
      );
    assert.deepEqual(results.sort(), ['broke off', 'broke off', 'good', 'good']);
    assert.equal((await generation.control.evidence(callMs)).responseErrors, 2);
  });

  test('an answer that breaks off in the very piece that it began in is seen to break off', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    const bad = await world.rawServer((socket) =>
      socket.once('data', () => socket.write(`${head}4\r\nhalf\r\nzz\r\n`)),
    );
    await start([bad.port]);
    const came = await rawly(http.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.match(came, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n4\r\nhalf\r\n$/);
  });

  test('an answer that is none: 502', async () => {
    const bad = await world.rawServer((socket) =>
      socket.once('data', () => socket.end('SSH-2.0-OpenSSH\r\n')),
    );
    const generation = await start([bad.port]);
    assert.equal((await ask(http.port)).status, 502);
    assert.match((await lastError(generation)) ?? '', /^502 bad-answer web s1 /);
  });

  test('a connection that the server closed while idle is not an error', async () => {
    const closing = await world.rawServer((socket) => {
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        setTimeout(() => socket.destroy(), 20);
      });
    });
    const generation = await start([closing.port]);
    const client = keptAlive(http.port);
    for (let i = 0; i < 40; i += 1) {
      assert.equal((await client.ask()).status, 200, `request ${i}`);
      await new Promise((resolve) => setTimeout(resolve, 15 + (i % 10)));
    }
    client.close();
    assert.equal((await generation.control.evidence(callMs)).errors, 0);
  });

  test('a connection that the server resets when the next request comes is not an error', async () => {
    const resetting = await world.rawServer((socket) => {
      let requests = 0;
      socket.on('data', () => {
        requests += 1;
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        else socket.resetAndDestroy();
      });
    });
    const generation = await start([resetting.port]);
    const client = keptAlive(http.port);
    for (let i = 0; i < 4; i += 1) assert.equal((await client.ask()).status, 200, `request ${i}`);
    client.close();
    assert.equal((await generation.control.evidence(callMs)).errors, 0);
  });

  test('connectionsMax: more wait, in a queue with a time-out', async () => {
    let atOnce = 0;
    let most = 0;
    const slow = await world.server('slow', (_request, response) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      setTimeout(() => {
        atOnce -= 1;
        response.end('slow');
      }, 100);
    });
    const generation = await start([], {
      servers: [serverOf('s1', slow.port, { connectionsMax: 2 })],
      timeouts: { ...quickTimeouts, queueMs: 350 },
    });
    const answers = await Promise.all(Array.from({ length: 14 }, () => ask(http.port)));
    const statuses = answers.map((answer) => answer.status);
    assert.equal(most, 2);
    assert.ok(statuses.filter((status) => status === 200).length >= 6, statuses.join());
    assert.ok(statuses.filter((status) => status === 503).length >= 2, statuses.join());
    assert.match((await lastError(generation)) ?? '', /^503 no-server-had-room-in-time web /);
    assert.equal((await generation.control.evidence(callMs)).pools[0]?.queued, 0);
  });

  test('a client that leaves gives up its server and its place in the queue', async () => {
    const silent = await world.rawServer(() => {});
    const generation = await start([], { servers: [serverOf('s1', silent.port, { connectionsMax: 1 })] });
    const leaving = [1, 2].map(() => {
      const socket = connect(http.port, '127.0.0.1');
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      return socket;
    });
    const queued = async () => (await generation.control.evidence(callMs)).pools[0]?.queued;
    await until('one waits', async () => (await queued()) === 1);
    for (const socket of leaving) socket.destroy();
    await until('nobody waits', async () => (await queued()) === 0);
    await until('all are gone', async () => (await generation.control.evidence(callMs)).connections === 0);
  });

  test('a client that is silent in its head, or in its body: 408', async () => {
    const good = await world.server('good', (incoming, response) => {
      incoming.resume().on('end', () => response.end());
    });
    await start([good.port], {}, { limits: { headMs: 400, clientMs: 400 } });
    assert.match(await rawly(http.port, 'GET / HTTP/1.1\r\nHost:'), /^HTTP\/1\.1 408 /);
    const half = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf';
    assert.match(await rawly(http.port, half), /^HTTP\/1\.1 408 /);
  });

  test('a body that drips, never silent for long, has an end too: 408', async () => {
    const good = await world.server('good', (incoming, response) => {
      incoming.resume().on('end', () => response.end());
    });
    await start([good.port], {}, { limits: { clientMs: 60_000, bodyMs: 500 } });
    const socket = connect(http.port, '127.0.0.1');
    let came = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      came += chunk;
    });
    socket.on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n');
    const drip = setInterval(() => socket.write('x'), 20);
    try {
      await until('it is told', () => came.startsWith('HTTP/1.1 408 '));
    } finally {
      clearInterval(drip);
      socket.destroy();
    }
  });

  test('a client hears 503 even while it uploads, and its connection stays in order', async () => {
    await start([await world.closedPort()]);
    const bytes = 6_400_000;
    const upload = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`;
    const last = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';
    const came = await rawly(http.port, upload + upload + last);
    assert.deepEqual(came.match(/HTTP\/1\.1 \d+/g), Array(3).fill('HTTP/1.1 503'));
  });

  test('a refused upload that waits for 100 ends its connection', async () => {
    await start([await world.closedPort()]);
    const came = await rawly(
      http.port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
    );
    assert.match(came, /^HTTP\/1\.1 503 [\s\S]*connection: close/i);
  });

  test('nothing ambiguous is passed on', async () => {
    const passed: string[] = [];
    const server = await world.server('web', (incoming, response) => {
      passed.push(incoming.url ?? '');
      response.end();
    });
    const generation = await start([server.port]);
    const refused: Readonly<Record<string, string>> = {
      'both lengths':
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'two content-lengths': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'the same content-length twice':
        'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
      'a list of content-lengths': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na',
      'a signed content-length': 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na',
      'a folded header': 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n',
      'bare line feeds': 'GET / HTTP/1.1\nHost: a\n\n',
      'a line feed in a header': 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\nX-C: d\r\n\r\n',
      'a space before the colon': 'GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nabcde',
      'no host': 'GET / HTTP/1.1\r\n\r\n',
      'two hosts': 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
      'a host with a path': 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
      'a host with a user': 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n',
      'a target for another host': 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n',
      'a fragment': 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n',
      'a coding before chunked':
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
      'chunked that is not last':
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n',
      'a chunk size that is none':
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n',
      'a method that is none': 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n',
      'a tunnel': 'CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n',
      'too much': `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(40_000)}\r\n\r\n`,
    };
    for (const [what, bytes] of Object.entries(refused))
      assert.match(await rawly(http.port, bytes), /^HTTP\/1\.1 (400|405|431|501) /, what);
    // Its head was good and is passed on; its body breaks off, so the server sees no whole request.
    assert.ok(passed.length <= 1, passed.join());
    assert.equal((await ask(http.port)).status, 200);
    assert.equal(generation.said(), '');
  });

  test('a smuggled request is not answered by anybody', async () => {
    const passed: string[] = [];
    const server = await world.server('web', (incoming, response) => {
      passed.push(incoming.url ?? '');
      incoming.resume().on('end', () => response.end('ok'));
    });
    await start([server.port]);
    const inside = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';
    for (const coding of [
      'chunked\r\nContent-Length: 4',
      ' chunked\r\nContent-length: 4',
      'xchunked',
      '\x0bchunked',
      'chunked\r\nTransfer-Encoding: x',
    ])
      await rawly(
        http.port,
        `POST /outer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${inside}`,
        500,
      );
    assert.deepEqual(
      passed.filter((url) => url.includes('smuggled')),
      [],
    );
  });
});

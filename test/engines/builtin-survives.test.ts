import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { ask } from '../world/ask.ts';
import { type BuiltinWorld, builtinWorld } from '../world/builtin.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { seededRandom } from '../world/random.ts';
import { checkOf, poolOf, serverOf, siteOf, timeoutsOf } from '../world/sites.ts';

const callMs = 30_000;
const rounds = 400;
const seed = Number(process.env.SEED ?? 20_261_122);
const manyServers = 2_000;

describe('the built-in engine survives', () => {
  let world: BuiltinWorld;
  let http: PublicSocket;
  let generation: Generation;
  before(async () => {
    world = await builtinWorld();
    http = await world.socket();
    const seeded = seededRandom(seed + 1).next;
    const honest = await world.server('web', (request, response) =>
      request.resume().on('end', () => response.end('ok')),
    );
    const wild = await world.rawServer((socket) => {
      socket.on('data', () => {
        socket.write(piece(seeded, answerPieces));
        if (seeded() < 0.4) socket.destroy();
        else if (seeded() < 0.3) socket.resetAndDestroy();
      });
    });
    const timeouts = timeoutsOf({ connectMs: 200, serverMs: 200, queueMs: 200 });
    const site = siteOf({ pools: [poolOf('web', [honest.port, wild.port], { timeouts })] });
    generation = await world.start(site, { name: 'a', sockets: { http } });
  });
  after(() => world.close());

  test(`${rounds} clients and servers that speak nonsense and leave at any moment (seed ${seed})`, async () => {
    const random = seededRandom(seed).next;
    for (let round = 0; round < rounds; round += 1) {
      const byTcp = random() < 0.7;
      const socket = byTcp ? connect(http.port, '127.0.0.1') : connect(generation.entrance);
      socket.on('error', () => {});
      socket.resume();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      for (let i = 0; i < 1 + random() * 4; i += 1) {
        socket.write(piece(random, requestPieces), 'latin1');
        if (random() < 0.5) await new Promise(setImmediate);
      }
      const reset = byTcp && random() < 0.5;
      setTimeout(() => (reset ? socket.resetAndDestroy() : socket.destroy()), random() * 30);
      if (round % 20 === 0) await closed;
    }
    await until(
      'all are gone',
      async () => (await generation.control.evidence(callMs)).connections === 0,
      15_000,
    );
    const { pools } = await generation.control.evidence(callMs);
    assert.equal(pools[0]?.queued, 0);
    assert.equal(generation.said(), '');
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => ask(http.port)));
    assert.ok(answers.filter((a) => a.status === 'fulfilled' && a.value.body === 'ok').length >= 8);
  });

  test(`a pool of ${manyServers} servers`, async () => {
    const { port } = await world.server('one');
    const servers = Array.from({ length: manyServers }, (_, i) => serverOf(`s${i}`, port));
    const healthCheck = checkOf({ intervalMs: 10_000 });
    const other = await world.socket();
    const big = await world.start(siteOf({ pools: [poolOf('web', [], { servers, healthCheck })] }), {
      name: 'big',
      sockets: { http: other },
    });
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(other.port)));
    assert.ok(answers.every((answer) => answer.body === 'one'));
    const { retries } = await big.control.evidence(callMs);
    const asked = (await big.control.servers(callMs)).filter((server) => server.requests === 1);
    assert.equal(asked.length, 50 + retries);
  });
});

function piece(random: () => number, pieces: readonly string[]): string {
  const chosen = pieces[Math.floor(random() * pieces.length)] ?? '';
  const cut = random() < 0.3 ? Math.floor(random() * chosen.length) : chosen.length;
  return chosen.slice(0, cut);
}

const requestPieces = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  '0\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1 80\r\n',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x01\x02\x03\x04\x05\x06\x07\x08\0\x01\0\x50GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  '\x16\x03\x01\0\xff',
  '\0\0\0\0',
];

const answerPieces = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokmore than said',
  'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nless',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: no link\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 999 \r\n\r\n',
  'HTTP/1.1 200 OK\r\nX-A: \xff\x01\r\n\r\n',
  'nonsense',
];

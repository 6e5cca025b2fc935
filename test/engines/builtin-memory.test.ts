import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { builtinLimits } from '#dialects';
import { ask } from '../world/ask.ts';
import { type BuiltinWorld, builtinWorld, rawly } from '../world/builtin.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { poolOf, siteOf } from '../world/sites.ts';

const callMs = 30_000;
const slowHeads = 5_000;
const slowUploads = 600;
/** Fewer: what the kernel holds of each is megabytes. */
const slowReaders = 300;
const firstReaders = 60;
/** A socket, a parser, timers. Measured 12 kB. */
const connectionKb = 16;
/** `headBytesMax`. */
const headKb = 32;
/** What is on its way and nobody takes. */
const readingKb = 64;
/** One that dawdles over its head. */
const slowHeadKb = connectionKb + headKb;
/** One whose body, or whose answer, nobody takes: its connection, the server's, a head, a reading. Measured 95 to 120 kB. */
const slowBodyKb = 2 * connectionKb + headKb + readingKb;
/** What the process itself may grow by meanwhile: compiled code, room of the heap that is free again. */
const processKbMax = 64 * 1024;
/** A megabyte each fills what the kernel holds too, at both of its sockets. */
const uploadBytes = 1024 * 1024;

/** Clients that are slow on purpose: none of them may hold more of us than is written down in docs/engines.md. */
describe('what clients that are slow cost', () => {
  let world: BuiltinWorld;
  let http: PublicSocket;
  let generation: Generation;
  let clients: Socket[] = [];
  beforeEach(async () => {
    world = await builtinWorld();
    http = await world.socket();
  });
  afterEach(async () => {
    for (const client of clients) client.destroy();
    clients = [];
    await world.close();
  });

  const crowd = async (count: number, says: string): Promise<void> => {
    while (clients.length < count) {
      const some = Array.from({ length: Math.min(250, count - clients.length) }, () =>
        connect(http.port, '127.0.0.1'),
      );
      clients.push(...some);
      await Promise.all(
        some.map(async (client) => {
          client.on('error', () => {});
          await once(client, 'connect');
          client.pause();
          client.write(says);
        }),
      );
    }
    await until(
      'all are there',
      async () => (await generation.control.evidence(callMs)).connections >= count,
      90_000,
    );
  };

  test(`${slowHeads} that do not finish their heads: ${slowHeadKb} kB each at most, and everybody else is served`, async () => {
    const web = await world.server('web');
    generation = await world.start(siteOf({ pools: [poolOf('web', [web.port])] }), {
      name: 'a',
      sockets: { http },
    });
    const before = residentKb(generation.pid);
    const said = 1_000;
    await crowd(slowHeads, `GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ${'a'.repeat(said)}`);
    const grown = residentKb(generation.pid) - before;
    assert.ok(grown < slowHeads * (connectionKb + said / 1_024) + processKbMax, `${grown} kB`);
    assert.equal((await ask(http.port)).status, 200);
  });

  test(`${slowReaders} that do not read a long answer: ${slowBodyKb} kB each at most, however much the server has`, async () => {
    let sent = 0;
    const big = await world.server('big', (_request, response) => {
      const chunk = Buffer.alloc(256 * 1024, 'x');
      const more = () => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length;
        sent += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    generation = await world.start(siteOf({ pools: [poolOf('web', [big.port])] }), {
      name: 'a',
      sockets: { http },
    });
    const read = async (count: number) => {
      await crowd(count, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      let seen = -1;
      await until('nothing moves any more', async () => {
        const still = sent === seen;
        seen = sent;
        await new Promise((resolve) => setTimeout(resolve, 200));
        return still && sent > 0;
      });
    };
    // The first of them: what the process takes at its busiest and keeps, however many come after.
    await read(firstReaders);
    const before = residentKb(generation.pid);
    await read(firstReaders + slowReaders);
    const grown = residentKb(generation.pid) - before;
    assert.ok(grown < slowReaders * slowBodyKb + processKbMax / 4, `${grown} kB`);
  });

  test(`${slowUploads} whose bodies a server does not read: ${slowBodyKb} kB each at most, however much they send`, async () => {
    const deaf = await world.rawServer((socket) => socket.pause());
    generation = await world.start(siteOf({ pools: [poolOf('web', [deaf.port])] }), {
      name: 'a',
      sockets: { http },
    });
    const before = residentKb(generation.pid);
    await crowd(slowUploads, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n');
    const piece = Buffer.alloc(uploadBytes, 'x');
    for (const client of clients) client.write(piece);
    let seen = -1;
    await until('nothing moves any more', async () => {
      const written = clients.reduce((sum, client) => sum + client.bytesWritten - client.writableLength, 0);
      const still = written === seen;
      seen = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return still;
    });
    const grown = residentKb(generation.pid) - before;
    assert.ok(grown < slowUploads * slowBodyKb + processKbMax, `${grown} kB`);
  });

  test('what docs/engines.md says of a hundred thousand is what follows from these', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/engines.md'), 'utf8');
    const { connectionsMax, headBytesMax } = builtinLimits;
    assert.equal(headKb, headBytesMax / 1_024);
    const gigabytes = (kb: number, count: number) => `${((kb * count) / 1_000_000).toFixed(1)} GB`;
    for (const kb of [slowHeadKb, slowBodyKb]) {
      const row = page.split('\n').find((line) => line.includes(`| ${kb} kB |`));
      assert.ok(row, `no row says ${kb} kB`);
      for (const count of [connectionsMax, 100_000]) assert.ok(row.includes(gigabytes(kb, count)), row);
    }
  });

  test('more clients than there is room for are closed, more requests than that are refused, the rest are served', async () => {
    const waiting: (() => void)[] = [];
    const web = await world.server('web', (_request, response) => {
      waiting.push(() => response.end('web'));
    });
    generation = await world.start(siteOf({ pools: [poolOf('web', [web.port])] }), {
      name: 'a',
      sockets: { http },
      limits: { connectionsMax: 4, requestsMax: 2 },
    });
    const served = [ask(http.port), ask(http.port)];
    await until('two are under way', () => waiting.length === 2);
    assert.equal((await ask(http.port)).status, 503);
    assert.match((await generation.control.errors(1, callMs))[0] ?? '', /^503 too-many-requests-under-way /);
    await crowd(4, '');
    assert.equal(await rawly(http.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n').catch(() => ''), '');
    for (const answer of waiting) answer();
    assert.deepEqual(
      (await Promise.all(served)).map(({ status }) => status),
      [200, 200],
    );
  });

  test('a client that sends many requests without waiting loses its connection', async () => {
    const web = await world.server(
      'web',
      (_request, response) => void setTimeout(() => response.end('web'), 50),
    );
    generation = await world.start(siteOf({ pools: [poolOf('web', [web.port])] }), {
      name: 'a',
      sockets: { http },
    });
    const one = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    const few = await rawly(
      http.port,
      `${one.repeat(9)}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    );
    assert.equal(few.split('HTTP/1.1 200').length - 1, 10);
    assert.equal(await rawly(http.port, one.repeat(1_000)).catch(() => ''), '');
    assert.equal((await ask(http.port)).status, 200);
  });

  test('a client that never takes the end of its answer is let go', async () => {
    const web = await world.server('web', (_request, response) =>
      response.end(Buffer.alloc(8 * 1024 * 1024, 'x')),
    );
    generation = await world.start(siteOf({ pools: [poolOf('web', [web.port])] }), {
      name: 'a',
      sockets: { http },
      limits: { clientMs: 300 },
    });
    await crowd(1, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('it is gone', async () => (await generation.control.evidence(callMs)).connections === 0);
  });

  test('a head of very many lines reaches its server whole', async () => {
    let came = '';
    const web = await world.rawServer((socket) =>
      socket.setEncoding('latin1').on('data', (text: string) => {
        came += text;
        if (came.endsWith('\r\n\r\n')) socket.end('HTTP/1.1 204 No Content\r\n\r\n');
      }),
    );
    generation = await world.start(siteOf({ pools: [poolOf('web', [web.port])] }), {
      name: 'a',
      sockets: { http },
    });
    const many = 'a:\r\n'.repeat(3_000);
    await rawly(http.port, `GET / HTTP/1.1\r\nHost: a\r\n${many}Connection: close\r\n\r\n`);
    assert.equal(came.split('\r\na:').length - 1, 3_000);
  });
});

function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
}

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { http2Client } from '../world/ask.ts';
import { type BuiltinWorld, builtinWorld } from '../world/builtin.ts';
import { selfSigned } from '../world/certificate.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { listenerOf, poolOf, siteOf, someTls } from '../world/sites.ts';

const callMs = 30_000;
const chunk = Buffer.alloc(64 * 1024, 'x');
const uploadChunks = 160;

describe('the built-in engine under TLS', () => {
  let world: BuiltinWorld;
  let https: PublicSocket;
  let first: Generation;
  let second: Generation;
  let seen: { cookie: string; forwarded: string; bytes: number }[] = [];

  before(async () => {
    world = await builtinWorld();
    https = await world.socket();
    const web = await world.server('web', (incoming, response) => {
      let bytes = 0;
      incoming.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      incoming.on('end', () => {
        const { cookie = '', 'x-forwarded-proto': proto, 'x-forwarded-for': by, host } = incoming.headers;
        seen.push({ cookie, forwarded: `${proto} ${by} ${host}`, bytes });
        response.writeHead(200, { 'x-server': 'web', connection: 'keep-alive' });
        if (incoming.url === '/big') for (let i = 0; i < uploadChunks; i += 1) response.write(chunk);
        response.end('web');
      });
    });
    const certificates = { https: [bundle('localhost'), bundle('*.shop.example')] };
    const tickets = join(world.folder, 'tickets');
    writeFileSync(
      tickets,
      Array.from({ length: 3 }, () => `${randomBytes(48).toString('base64')}\n`).join(''),
    );
    const tls = someTls;
    const site = siteOf({ listeners: [listenerOf('https', 443, tls)], pools: [poolOf('web', [web.port])] });
    const options = { sockets: { https }, certificates, ticketKeys: tickets };
    first = await world.start(site, { name: 'first', ...options });
    second = await world.start(site, { name: 'second', generation: 2, parked: true, ...options });
  });
  after(() => world.close());

  function bundle(name: string): string {
    const file = join(world.folder, `${name.replace('*', 'any')}.pem`);
    const { cert, key } = selfSigned(name);
    writeFileSync(file, cert + key);
    return file;
  }

  test('HTTP/1.1', async () => {
    seen = [];
    const sent = request({
      port: https.port,
      rejectUnauthorized: false,
      agent: false,
      headers: { host: 'a' },
    });
    sent.end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 200);
    assert.equal(seen[0]?.forwarded, 'https 127.0.0.1 a');
  });

  test('HTTP/2: many at once, bodies both ways, cookies joined, no header of a connection', async () => {
    seen = [];
    const session = connectHttp2(`https://localhost:${https.port}`, { rejectUnauthorized: false });
    const asked = Array.from({ length: 20 }, async (_, index) => {
      const stream = session.request({ ':method': 'POST', ':path': '/big', cookie: ['a=1', 'b=2'] });
      const answered = once(stream, 'response');
      for (let i = 0; i < (index === 0 ? uploadChunks : 1); i += 1)
        if (!stream.write(chunk)) await once(stream, 'drain');
      stream.end();
      const [headers] = await answered;
      let bytes = 0;
      stream.on('data', (part: Buffer) => {
        bytes += part.length;
      });
      await once(stream, 'end');
      assert.equal(headers[':status'], 200);
      assert.equal(headers.connection, undefined);
      return bytes;
    });
    const all = await Promise.all(asked);
    assert.deepEqual(new Set(all), new Set([uploadChunks * chunk.length + 3]));
    assert.equal(Math.max(...seen.map((one) => one.bytes)), uploadChunks * chunk.length);
    assert.deepEqual(new Set(seen.map((one) => one.cookie)), new Set(['a=1; b=2']));
    session.close();
  });

  test('the certificate is the one for the name', async () => {
    const subject = async (servername: string) => {
      const socket = connect({ port: https.port, servername, rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      return CN;
    };
    assert.equal(await subject('www.shop.example'), '*.shop.example');
    assert.equal(await subject('localhost'), 'localhost');
    assert.equal(await subject('other.example'), 'localhost');
  });

  test('a session goes on in another generation, HTTP/1.1 and HTTP/2 are drained, and the process ends', async () => {
    const session = await sessionOf(https.port);
    const http2 = http2Client(https.port);
    assert.equal((await http2.ask()).status, 200);
    await second.control.resume(callMs);
    await first.control.drain(callMs);
    await first.ended();
    http2.close();
    const socket = connect({ port: https.port, rejectUnauthorized: false, session });
    await once(socket, 'secureConnect');
    assert.equal(socket.isSessionReused(), true);
    socket.destroy();
    await until(
      'it counts no connection',
      async () => (await second.control.evidence(callMs)).connections === 0,
    );
  });

  test('handshakes that fail leave nothing behind', async () => {
    for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '']) {
      const socket = connect({ port: https.port, rejectUnauthorized: false });
      socket.on('error', () => {});
      socket.destroy();
      const plain = connectPlain(https.port, '127.0.0.1');
      plain.on('error', () => {});
      plain.resume().end(bytes);
      await once(plain, 'close');
    }
    await until(
      'it counts no connection',
      async () => (await second.control.evidence(callMs)).connections === 0,
    );
    assert.equal(second.said(), '');
  });
});

/** A TLS session that a client could resume. */
async function sessionOf(port: number): Promise<Buffer> {
  const socket: TLSSocket = connect({ port, rejectUnauthorized: false });
  const [session] = await once(socket, 'session');
  socket.destroy();
  return session;
}

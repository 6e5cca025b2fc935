import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { fieldBlock, frame } from '../contract/http2.ts';
import { http2Client } from '../world/ask.ts';
import { type BuiltinWorld, builtinWorld } from '../world/builtin.ts';
import { selfSigned } from '../world/certificate.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { listenerOf, poolOf, siteOf, someTls } from '../world/sites.ts';

const preface = Buffer.concat([
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  frame(4, 0, 0, Buffer.alloc(0)),
]);
const fields = fieldBlock([
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'a.example'],
  [':path', '/'],
]);
const grownBytesMax = 64 * 1024 * 1024;

/** One client of HTTP/2 that asks for far more than it takes: it is cut off, and costs neither memory nor others their answers. */
describe('floods over HTTP/2', () => {
  let world: BuiltinWorld;
  let https: PublicSocket;
  let generation: Generation;
  let asked = 0;

  before(async () => {
    world = await builtinWorld();
    https = await world.socket();
    const web = await world.server('web', (_request, response) => {
      asked += 1;
      setTimeout(() => response.end('web'), 20);
    });
    const { key, cert } = selfSigned();
    const bundle = join(world.folder, 'site.pem');
    writeFileSync(bundle, cert + key);
    const place = { file: 'site.yaml', line: 1, column: 1 };
    const site = siteOf({
      listeners: [
        listenerOf('https', 443, { ...someTls, certificates: [{ certificate: bundle, key: bundle, place }] }),
      ],
      pools: [poolOf('web', [web.port])],
    });
    generation = await world.start(site, {
      name: 'a',
      sockets: { https },
      certificates: { https: [bundle] },
    });
  });
  after(() => world.close());

  const client = async (): Promise<{ socket: TLSSocket; ended: () => boolean }> => {
    const socket = connect({
      host: '127.0.0.1',
      port: https.port,
      ALPNProtocols: ['h2'],
      rejectUnauthorized: false,
    });
    let ended = false;
    const end = () => {
      ended = true;
    };
    socket.on('error', end).on('end', end).on('close', end).resume();
    await once(socket, 'secureConnect');
    socket.write(preface);
    return { socket, ended: () => ended };
  };

  const floods: Readonly<Record<string, (nth: number) => Buffer>> = {
    'streams that are reset at once (CVE-2023-44487)': (nth) =>
      Buffer.concat([frame(1, 5, 2 * nth + 1, fields), frame(3, 0, 2 * nth + 1, Buffer.from([0, 0, 0, 8]))]),
    'header blocks that never end (CVE-2024-27983)': (nth) =>
      nth === 0 ? frame(1, 0, 1, fields) : frame(9, 0, 1, fieldBlock([[`x-${nth}`, 'v'.repeat(1_000)]])),
    'settings (CVE-2019-9515)': () => frame(4, 0, 0, Buffer.alloc(0)),
    'pings (CVE-2019-9512)': () => frame(6, 0, 0, Buffer.alloc(8)),
    'empty data (CVE-2019-9518)': (nth) =>
      nth === 0 ? frame(1, 4, 1, fields) : frame(0, 0, 1, Buffer.alloc(0)),
  };

  for (const [name, make] of Object.entries(floods))
    test(name, async () => {
      const rssBefore = rssOf(generation.pid);
      const askedBefore = asked;
      const { socket, ended } = await client();
      const honest = http2Client(https.port);
      for (let nth = 0; nth < 20_000 && !ended(); nth += 50) {
        const burst = Array.from({ length: 50 }, (_, i) => make(nth + i));
        if (!socket.write(Buffer.concat(burst)))
          await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
        if (nth % 5_000 === 0) assert.equal((await honest.ask()).status, 200);
      }
      assert.equal((await honest.ask()).status, 200);
      honest.close();
      assert.ok(asked - askedBefore < 3_000, `the server was asked ${asked - askedBefore} times`);
      const grownBytes = rssOf(generation.pid) - rssBefore;
      assert.ok(grownBytes < grownBytesMax, `memory grew by ${grownBytes} bytes`);
      socket.destroy();
      await until(
        'the connections are gone',
        async () => (await generation.control.evidence(2_000)).connections === 0,
      );
    });
});

function rssOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

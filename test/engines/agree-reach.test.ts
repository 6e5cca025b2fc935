import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import { systemClock } from '#base';
import type { Pool, PoolTls } from '#model';
import { probeServer } from '#probe';
import { ask } from '../world/ask.ts';
import { selfSigned } from '../world/certificate.ts';
import { agreed, type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { until } from '../world/haproxy.ts';
import { checkOf, httpCheckOf, poolOf, siteOf, timeoutsOf } from '../world/sites.ts';

const place = { file: 'site.yaml', line: 1, column: 1 };

/** How servers are reached: by every engine, and by the probe, with the same result. */
for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`${engine} reaches servers as a pool says`, () => {
    let world: EngineWorld;
    const closers: (() => void)[] = [];
    before(async () => {
      world = await open();
    });
    after(async () => {
      for (const close of closers) close();
      await world.close();
    });

    let started = 0;
    /** Asks once by an engine, and once by the probe. */
    const outcome = async (port: number, over: Partial<Pool>) => {
      const http = await world.socket();
      started += 1;
      const pool = poolOf('web', [port], {
        healthCheck: checkOf({ http: httpCheckOf('/health'), timeoutMs: 10_000 }),
        timeouts: timeoutsOf({ connectMs: 10_000, serverMs: 20_000 }),
        ...over,
      });
      const name = `g${started}`;
      const { control } = await world.start(siteOf({ pools: [pool] }), { name, sockets: { http } });
      const states = async () => (await control.servers(1_000)).map(({ state }) => state);
      await until('its server is known', async () => !(await states()).includes('unknown'));
      const [server] = pool.servers;
      assert.ok(server);
      const probed = await probeServer(server, pool, systemClock);
      const answer = await ask(http.port);
      assert.deepEqual(
        [await states(), probed.ok],
        answer.status === 200 ? [['up'], true] : [['down'], false],
      );
      return { answer, probed };
    };

    /** Answers any request with what it knows of the connection. */
    const answering = (socket: Socket | TLSSocket, say: (heard: string) => string) => {
      let heard = '';
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        heard += chunk.toString('latin1');
        const begun = heard.indexOf('GET ');
        if (begun < 0 || !heard.includes('\r\n\r\n', begun)) return;
        const body = say(heard);
        heard = '';
        socket.write(
          `HTTP/1.1 200 OK\r\ncontent-length: ${Buffer.byteLength(body, 'latin1')}\r\n\r\n${body}`,
          'latin1',
        );
      });
    };
    const listening = async (server: ReturnType<typeof createServer>) => {
      const sockets = new Set<Socket>();
      server.on('connection', (socket) => sockets.add(socket)).listen(0, '127.0.0.1');
      await once(server, 'listening');
      closers.push(() => {
        server.close();
        for (const socket of sockets) socket.destroy();
      });
      return (server.address() as AddressInfo).port;
    };
    const written = (name: string, content: string) => {
      const path = join(world.folder, name);
      writeFileSync(path, content);
      return path;
    };
    const tlsOf = (over: Partial<PoolTls>): PoolTls => ({
      authorities: null,
      verify: true,
      name: 'web.internal',
      certificate: null,
      place,
      ...over,
    });

    agreed('over TLS, with its name and authority checked', async () => {
      const own = selfSigned('web.internal');
      const names: unknown[] = [];
      const tlsServer = createTls(own, (socket) => {
        names.push(socket.servername);
        answering(socket, () => 'secure');
      });
      tlsServer.on('tlsClientError', () => {});
      const port = await listening(tlsServer);
      const ca = written('ca.pem', own.cert);
      const good = await outcome(port, { tls: tlsOf({ authorities: ca }) });
      assert.equal(good.answer.body, 'secure');
      assert.match(
        good.probed.tried,
        /^GET https:\/\/127\.0\.0\.1:\d+\/health as web\.internal expecting 200$/,
      );
      assert.deepEqual(new Set(names), new Set(['web.internal']));
      assert.equal(
        (await outcome(port, { tls: tlsOf({ authorities: ca, name: 'other.internal' }) })).answer.status,
        503,
      );
      const unchecked = tlsOf({ verify: false, name: null });
      assert.equal((await outcome(port, { tls: unchecked })).answer.status, 200);
    });

    agreed('over TLS, checked by the authorities of the system, which do not know it', async () => {
      const server = createTls(selfSigned('web.internal'), (socket) => answering(socket, () => 'secure'));
      server.on('tlsClientError', () => {});
      const port = await listening(server);
      assert.equal((await outcome(port, { tls: tlsOf({}) })).answer.status, 503);
    });

    agreed('with a certificate of its own, where servers ask for one', async () => {
      const own = selfSigned('web.internal');
      const balancer = selfSigned('balancer');
      const options = { ...own, ca: balancer.cert, requestCert: true };
      const server = createTls(options, (socket) => answering(socket, () => 'known'));
      server.on('tlsClientError', () => {});
      const port = await listening(server);
      const authorities = written('ca2.pem', own.cert);
      const bundle = written('balancer.pem', balancer.cert + balancer.key);
      const certificate = { certificate: bundle, key: bundle, place };
      assert.equal((await outcome(port, { tls: tlsOf({ authorities, certificate }) })).answer.status, 200);
      assert.notEqual((await outcome(port, { tls: tlsOf({ authorities }) })).answer.status, 200);
    });

    for (const version of ['v1', 'v2'] as const)
      agreed(`with the PROXY protocol ${version}`, async () => {
        const heads: string[] = [];
        const server = createServer((socket) =>
          answering(socket, (heard) => {
            heads.push(heard);
            return 'ok';
          }),
        );
        const port = await listening(server);
        assert.equal((await outcome(port, { proxyProtocol: version })).answer.status, 200);
        const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex').toString('latin1');
        const loopback = Buffer.from('7f000001', 'hex').toString('latin1');
        const [forClient, forUs] = {
          v1: ['PROXY TCP4 127.0.0.1 127.0.0.1 ', 'PROXY '],
          v2: [`${signature}!\x11\0\x0c${loopback}${loopback}`, `${signature} `],
        }[version];
        const began = (head: string, start = '') => head.startsWith(start);
        const own = heads.filter((head) => head.includes('GET / '));
        assert.deepEqual([own.length, own.every((head) => began(head, forClient))], [1, true]);
        const checks = heads.filter((head) => head.includes('GET /health '));
        assert.deepEqual([checks.length > 1, checks.every((head) => began(head, forUs))], [true, true]);
      });
  });

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { connect as connectTls } from 'node:tls';
import type { Listener, Site } from '#model';
import { ask } from '../world/ask.ts';
import { rawly } from '../world/builtin.ts';
import { selfSigned } from '../world/certificate.ts';
import { agreed, type EngineWorld, everyEngineWorld } from '../world/engines.ts';
import { until } from '../world/haproxy.ts';
import { listenerOf, poolOf, siteOf, someTls } from '../world/sites.ts';

const limitMs = 20_000;
const place = { file: 'site.yaml', line: 1, column: 1 };

/** What a word of a listener means is what every engine does with it: the same cases, real processes. */
for (const [engine, open] of Object.entries(everyEngineWorld))
  describe(`${engine} listens as a site says`, () => {
    let world: EngineWorld;
    let web: number;
    before(async () => {
      world = await open();
      const server = await world.server('web', (request, response) => {
        response
          .writeHead(request.url === '/bad' ? 500 : 200)
          .end(request.headers['x-forwarded-for'] as string);
      });
      web = server.port;
    });
    after(() => world.close());

    let started = 0;
    const start = async (listener: Partial<Listener>, over: Partial<Site> = {}) => {
      const http = await world.socket();
      started += 1;
      const { key, cert } = selfSigned();
      const bundle = join(world.folder, `bundle${started}.pem`);
      writeFileSync(bundle, cert + key);
      const site = siteOf({
        listeners: [{ ...listenerOf('http', http.port), ...listener }],
        pools: [poolOf('web', [web])],
        ...over,
      });
      const generation = await world.start(site, {
        name: `l${started}`,
        sockets: { http },
        certificates: { http: [bundle] },
      });
      return { port: http.port, control: generation.control };
    };
    const handshake = (port: number, options: object) =>
      new Promise<string>((resolve) => {
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
        socket.on('secureConnect', () => {
          resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
          socket.destroy();
        });
        socket.on('error', () => resolve('refused'));
      });

    agreed('clients may need TLS 1.3, and are offered HTTP/2 or not', async () => {
      const ALPNProtocols = ['h2', 'http/1.1'];
      const usual = await start({ tls: someTls });
      assert.equal(await handshake(usual.port, { ALPNProtocols, maxVersion: 'TLSv1.2' }), 'TLSv1.2 h2');
      const strict = await start({ tls: { ...someTls, minVersion: '1.3', http2: false } });
      assert.equal(await handshake(strict.port, { ALPNProtocols }), 'TLSv1.3 http/1.1');
      assert.equal(await handshake(strict.port, { ALPNProtocols, maxVersion: 'TLSv1.2' }), 'refused');
    });

    agreed(
      'a connection from a trusted network says whom it is for, also before TLS; others do not',
      async () => {
        const head = 'PROXY TCP4 192.0.2.7 192.0.2.1 4711 80\r\n';
        const request = 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';
        const trusting = await start({ proxyFrom: ['127.0.0.0/8'] });
        assert.match(await rawly(trusting.port, head + request), /^192\.0\.2\.7\r?$/m);
        assert.doesNotMatch(await refused(trusting.port, request), /^HTTP\/1\.1 200/);
        const careful = await start({ proxyFrom: ['192.0.2.0/24'] });
        assert.equal((await ask(careful.port)).body, '127.0.0.1');
        assert.doesNotMatch(await refused(careful.port, head + request), /^HTTP\/1\.1 200/);
        const secure = await start({ proxyFrom: ['127.0.0.1'], tls: someTls });
        const plain = connect(secure.port, '127.0.0.1');
        await once(plain, 'connect');
        plain.write(head);
        const socket = connectTls({ socket: plain, rejectUnauthorized: false });
        let said = '';
        socket.on('data', (chunk) => {
          said += chunk;
        });
        socket.write(request);
        await once(socket, 'close');
        assert.match(said, /192\.0\.2\.7/);
      },
    );

    agreed('a kept connection ends when its time is over', async () => {
      const timeouts = { clientMs: 20_000, requestMs: 1_000, keepAliveMs: 1_000 };
      const { port } = await start({}, { timeouts });
      const began = performance.now();
      assert.match(await rawly(port, 'GET / HTTP/1.1\r\nhost: a\r\n\r\n', limitMs), /^HTTP\/1\.1 200/);
      const took = performance.now() - began;
      assert.ok(took > 250 && took < limitMs, `${took}`);
      // NGINX closes the connection without a word.
      const late = engine === 'nginx' ? /^$/ : /^HTTP\/1\.1 408/;
      assert.match(await rawly(port, 'GET / HTTP/1.1\r\nhost', limitMs), late);
    });

    agreed('the access log has one object for each request, and the error log is as ever', async () => {
      const log = createSocket('udp4');
      const lines: string[] = [];
      log.on('message', (bytes) => lines.push(bytes.toString('utf8')));
      log.bind(0, '127.0.0.1');
      await once(log, 'listening');
      const accessLog = { kind: 'syslog', host: '127.0.0.1', port: log.address().port, place } as const;
      const { port, control } = await start({}, { accessLog });
      try {
        await ask(port, { path: '/a%22%5c?secret=1', headers: { host: 'shop.example:80' } });
        await ask(port, { path: '/bad' });
        await until('both are logged', () => lines.length >= 2, limitMs);
        const entries = lines.map((line) => {
          // Informational; HAProxy calls a failed request an error.
          assert.match(line, /^<13[14]>/);
          return JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>;
        });
        const [good, bad] = entries;
        const { time, bytes, durationMs, ...rest } = good ?? {};
        assert.ok(Math.abs(Number(time) * 1000 - Date.now()) < 10_000, `${time}`);
        assert.ok(Number(bytes) > 50 && Number(durationMs) >= 0, JSON.stringify(good));
        assert.deepEqual(rest, {
          listener: 'http',
          client: '127.0.0.1',
          method: 'GET',
          host: 'shop.example',
          path: '/a%22%5c',
          status: 200,
          pool: 'web',
          server: 's1',
          retries: '0',
          ended: '--',
        });
        assert.deepEqual([bad?.status, bad?.path], [500, '/bad']);
        const errors = () => control.errors(5, limitMs);
        await until('the error is told', async () => (await errors()).length > 0, limitMs);
        const [error = ''] = await errors();
        assert.match(error, /500 \S+ web s1 0 GET \/bad 127\.0\.0\.1(?::\d+)?\s*$/);
      } finally {
        log.close();
      }
    });
  });

/** What is said to bytes that are no good, if anything is. */
function refused(port: number, bytes: string): Promise<string> {
  return rawly(port, bytes).catch(() => '');
}

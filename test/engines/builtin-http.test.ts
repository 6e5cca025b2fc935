import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, keptAlive } from '../world/ask.ts';
import { type BuiltinWorld, builtinWorld, rawly } from '../world/builtin.ts';
import { type Generation, type PublicSocket, until } from '../world/haproxy.ts';
import { everything, poolOf, routeTo, siteOf } from '../world/sites.ts';

const bigBytes = 200 * 1024 * 1024;
const chunk = Buffer.alloc(64 * 1024, 'x');

describe('the built-in engine speaks HTTP', () => {
  let world: BuiltinWorld;
  let http: PublicSocket;
  let generation: Generation;
  let seen: { headers: string[]; url: string; body: string }[] = [];
  let bigSent = 0;

  before(async () => {
    world = await builtinWorld();
    http = await world.socket();
    const web = await world.server('web', (incoming, response) => {
      let body = '';
      incoming.on('data', (part) => {
        body += part;
      });
      incoming.on('end', () => {
        seen.push({ headers: incoming.rawHeaders, url: incoming.url ?? '', body });
        const { pathname } = new URL(incoming.url ?? '/', 'http://web');
        if (pathname === '/hop')
          response.writeHead(200, [
            ...['Connection', 'X-Mine', 'X-Mine', 'secret', 'Keep-Alive', 'timeout=9', 'X-Kept', '1'],
            ...['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2', 'Proxy-Authenticate', 'Basic'],
          ]);
        if (pathname === '/nothing') return response.writeHead(204).end();
        if (pathname === '/not-modified') return response.writeHead(304, { etag: '"a"' }).end();
        if (pathname === '/hints') response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' });
        response.end('web');
      });
    });
    const api = await world.server('api');
    const big = await world.server('big', async (_incoming, response) => {
      bigSent = 0;
      response.writeHead(200, { 'content-length': bigBytes });
      while (bigSent < bigBytes && !response.destroyed) {
        bigSent += chunk.length;
        if (!response.write(chunk)) await once(response, 'drain');
      }
      response.end();
    });
    const socketServer = await world.server('ws', (_incoming, response) => response.end('no upgrade'));
    const upgrading = await world.rawServer((socket) => {
      socket.once('data', (head) => {
        assert.match(head.toString(), /upgrade: websocket/i);
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Ws: 1\r\n\r\nhello',
        );
        socket.pipe(socket);
      });
    });
    const site = siteOf({
      routes: [
        routeTo('web'),
        routeTo('api', { path: { type: 'PathPrefix', value: '/api' } }),
        routeTo('api', { headers: [{ name: 'X-Api', type: 'Exact', value: 'yes' }] }, { name: 'by-header' }),
        routeTo(
          'api',
          { queryParams: [{ name: 'v', type: 'RegularExpression', value: '[12]' }] },
          { name: 'by-query' },
        ),
        routeTo('api', everything, { name: 'by-host', hostnames: ['*.api.example'] }),
        routeTo('big', { path: { type: 'Exact', value: '/big' } }),
        routeTo('upgrading', { path: { type: 'Exact', value: '/ws' } }),
        routeTo('ws', { path: { type: 'Exact', value: '/ws-refused' } }),
      ],
      pools: [
        poolOf('web', [web.port]),
        poolOf('api', [api.port]),
        poolOf('big', [big.port]),
        poolOf('upgrading', [upgrading.port]),
        poolOf('ws', [socketServer.port]),
      ],
    });
    generation = await world.start(site, { name: 'a', sockets: { http } });
  });
  after(() => world.close());

  test('routes by path, header, query and host', async () => {
    const cases = [
      [{ path: '/' }, 'web'],
      [{ path: '/api' }, 'api'],
      [{ path: '/api/x?y' }, 'api'],
      [{ path: '/apix' }, 'web'],
      [{ path: '/', headers: { 'x-api': 'yes' } }, 'api'],
      [{ path: '/', headers: { 'x-api': 'no' } }, 'web'],
      [{ path: '/?a=1&v=2' }, 'api'],
      [{ path: '/?v=3' }, 'web'],
      [{ path: '/', headers: { host: 'X.api.example:80' } }, 'api'],
    ] as const;
    for (const [asked, pool] of cases)
      assert.equal((await ask(http.port, asked)).body, pool, JSON.stringify(asked));
  });

  test('passes on a request as it came, without what belongs to its connection', async () => {
    seen = [];
    const { status } = await ask(http.port, {
      path: '/hop?a=%20b',
      headers: {
        Connection: 'close, X-Private',
        'X-Private': 'p',
        TE: 'trailers',
        'Proxy-Authorization': 'Basic x',
        'Keep-Alive': 'timeout=1',
        Upgrade: 'h2c',
        'X-Forwarded-For': '6.6.6.6',
        'X-Forwarded-Proto': 'https',
        'X-Kept': 'k',
        Host: 'Shop.example',
      },
    });
    assert.equal(status, 200);
    const [request] = seen;
    assert.equal(request?.url, '/hop?a=%20b');
    const headers = Object.fromEntries(
      (request?.headers ?? []).flatMap((name, i, all) => (i % 2 ? [] : [[name.toLowerCase(), all[i + 1]]])),
    );
    assert.deepEqual(headers, {
      host: 'Shop.example',
      connection: 'keep-alive',
      'x-kept': 'k',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    });
  });

  test('passes on an answer without what belongs to the connection of the server', async () => {
    const came = await rawly(http.port, 'GET /hop HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(came, /^HTTP\/1\.1 200 OK\r\n/);
    assert.match(came, /\r\nX-Kept: 1\r\n/);
    assert.match(came, /\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
    assert.doesNotMatch(came, /x-mine|timeout=9|proxy-authenticate/i);
  });

  test('HEAD, 204, 304 have no body and keep the connection in order', async () => {
    const client = keptAlive(http.port);
    for (const [method, path, status] of [
      ['HEAD', '/', 200],
      ['GET', '/nothing', 204],
      ['GET', '/not-modified', 304],
      ['HEAD', '/no-server-has-a-say', 200],
    ] as const) {
      const answer = await client.ask({ method, path });
      assert.deepEqual([answer.status, answer.body], [status, ''], `${method} ${path}`);
    }
    assert.equal((await client.ask()).body, 'web');
    client.close();
  });

  test('103 arrives before 200', async () => {
    const came = await rawly(http.port, 'GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.match(came, /^HTTP\/1\.1 103 Early Hints\r\n(.*\r\n)*?\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  test('Expect: 100-continue gets its 100 and the body arrives', async () => {
    seen = [];
    const sent = request({
      port: http.port,
      method: 'POST',
      headers: { expect: '100-continue' },
      agent: false,
    });
    sent.flushHeaders();
    await once(sent, 'continue');
    sent.end('the body');
    const [answer] = await once(sent, 'response');
    answer.resume();
    assert.equal(answer.statusCode, 200);
    assert.equal(seen[0]?.body, 'the body');
  });

  test('absolute form is passed on as a path, with its own host', async () => {
    seen = [];
    const came = await rawly(
      http.port,
      'GET http://a.example/x?y HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n',
    );
    assert.match(came, /^HTTP\/1\.1 200 /);
    assert.equal(seen[0]?.url, '/x?y');
  });

  test('HTTP/1.0 without a host is answered', async () => {
    assert.match(await rawly(http.port, 'GET / HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 [\s\S]*web$/);
  });

  test('a chunked upload of 20 MB arrives whole', async () => {
    seen = [];
    const sent = request({ port: http.port, method: 'PUT', agent: false });
    for (let i = 0; i < 320; i += 1) if (!sent.write(chunk)) await once(sent, 'drain');
    sent.end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    assert.equal(seen[0]?.body.length, 320 * chunk.length);
  });

  test('200 MB to a reader that stops costs neither memory nor bytes', async () => {
    const rssBefore = rssOf(generation.pid);
    const sent = request({ port: http.port, path: '/big', agent: false });
    sent.end();
    const [answer] = await once(sent, 'response');
    answer.pause();
    // The server stops when every buffer on the way is full.
    let last = -1;
    await until('the server is held back', async () => {
      const still = bigSent === last;
      last = bigSent;
      await sleep(200);
      return still;
    });
    assert.ok(bigSent < bigBytes / 4, `the server could send ${bigSent} bytes to a client that reads none`);
    const grownBytes = rssOf(generation.pid) - rssBefore;
    assert.ok(grownBytes < 50 * 1024 * 1024, `memory grew by ${grownBytes} bytes`);
    let came = 0;
    answer.on('data', (part: Buffer) => {
      came += part.length;
    });
    answer.resume();
    await once(answer, 'end');
    assert.equal(came, bigBytes);
  });

  test('a WebSocket is passed through both ways, and ends when one side ends', async () => {
    const socket = connect(http.port, '127.0.0.1');
    let came = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      came += part;
    });
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\nearly',
    );
    await until('both greetings arrive', () => came.endsWith('helloearly'));
    assert.match(came, /^HTTP\/1\.1 101 Switching Protocols\r\n(.*\r\n)*x-ws: 1\r\n/i);
    socket.write(' and late');
    await until('the echo arrives', () => came.endsWith('early and late'));
    socket.end();
    await once(socket, 'close');
  });

  test('a server that refuses the upgrade gives an ordinary answer', async () => {
    const came = await rawly(
      http.port,
      'GET /ws-refused HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    assert.match(came, /^HTTP\/1\.1 200 [\s\S]*no upgrade/);
  });

  test('counts what it did', async () => {
    const before = await generation.control.evidence(1_000);
    await ask(http.port);
    await ask(http.port, { path: '/api' });
    const evidence = await generation.control.evidence(1_000);
    assert.equal(evidence.requests - before.requests, 2);
    assert.equal(evidence.errors, before.errors);
    const servers = await generation.control.servers(1_000);
    assert.ok(servers.every((server) => server.state === 'up' && server.lastCheck === 'L4OK'));
    assert.equal(generation.said(), '');
  });
});

function rssOf(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}

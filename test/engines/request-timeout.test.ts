import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { unsupportedBy } from '#dialects';
import { engineNames } from '#model';
import { siteOf } from '../model/site.ts';
import { ask } from '../world/ask.ts';
import { builtinWorld } from '../world/builtin.ts';
import type { EngineWorld } from '../world/engines.ts';
import { type PublicSocket, until } from '../world/haproxy.ts';

const limitMs = 20_000;

describe('an exchange has an end', () => {
  let world: EngineWorld;
  let socket: PublicSocket;
  const open = new Set<ServerResponse>();

  before(async () => {
    world = await builtinWorld();
    socket = await world.socket();
    const web = await world.server('web', ({ url = '' }, response) => {
      open.add(response);
      response.on('close', () => open.delete(response));
      if (url.startsWith('/drips')) {
        response.write('begun');
        const more = setInterval(() => response.write('.'), 20);
        response.on('close', () => clearInterval(more));
      } else if (!url.startsWith('/hangs')) response.end('answered');
    });
    const site = siteOf(`site: whole
listeners: [{ name: http, address: "127.0.0.1:${socket.port}" }]
routes:
  - { matches: [{ path: { value: /narrow } }], pool: narrow, rewrite: { path: { replaceFullPath: /hangs } }, timeouts: { request: 300ms } }
  - { matches: [{ path: { value: /patient } }], pool: web, timeouts: { request: 1h } }
  - { pool: web, timeouts: { request: 300ms } }
pools:
  - { name: web, servers: ["127.0.0.1:${web.port}"] }
  - { name: narrow, servers: [{ address: "127.0.0.1:${web.port}", connectionsMax: 1 }], timeouts: { queue: 10m } }
balancers: [{ name: lb-1, address: 127.0.0.1 }]
`);
    assert.deepEqual(
      engineNames.filter((name) => unsupportedBy(site, name).length === 0),
      ['builtin'],
    );
    await world.start(site, { name: 'g1', sockets: { http: socket } });
  });
  after(() => world.close());

  test('a server that does not answer: 504, and nobody asks it any more', {
    timeout: 4 * limitMs,
  }, async () => {
    assert.equal((await ask(socket.port, { path: '/hangs' })).status, 504);
    await until('the server is let go', () => open.size === 0, limitMs);
  });

  test('an answer that has begun breaks off', { timeout: 4 * limitMs }, async () => {
    const client = connect(socket.port, '127.0.0.1');
    client.write('GET /drips HTTP/1.1\r\nhost: a\r\n\r\n');
    let heard = '';
    for await (const part of client) heard += part;
    assert.match(heard, /^HTTP\/1\.1 200 /);
    assert.ok(!heard.endsWith('0\r\n\r\n'), 'it does not look like a whole one');
    await until('the server is let go', () => open.size === 0, limitMs);
  });

  test('who waits for a server waits no longer either', { timeout: 4 * limitMs }, async () => {
    const both = await Promise.all([
      ask(socket.port, { path: '/narrow' }),
      ask(socket.port, { path: '/narrow' }),
    ]);
    assert.deepEqual(
      both.map(({ status }) => status),
      [504, 504],
    );
  });

  test('one that is in time is answered, also behind one that was not', {
    timeout: 4 * limitMs,
  }, async () => {
    assert.equal((await ask(socket.port, { path: '/patient' })).body, 'answered');
    const client = connect(socket.port, '127.0.0.1');
    client.write(
      'GET /hangs HTTP/1.1\r\nhost: a\r\n\r\nGET /patient HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    let heard = '';
    for await (const part of client) heard += part;
    assert.match(heard, /^HTTP\/1\.1 504 [\s\S]*HTTP\/1\.1 200 [\s\S]*answered/);
  });
});

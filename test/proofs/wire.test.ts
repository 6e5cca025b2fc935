import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { meaning } from '#routing';
import { portOf } from '../../proofs/plan/servers.ts';
import { askAll } from '../../proofs/plan/wire.ts';

test('an engine that made HEAD of a method, and whose answer never ends, has answered', async () => {
  const head = Buffer.from('HEAD / HTTP/1.1').toString('base64');
  const open = new Set<Socket>();
  const engine = createServer((socket) => {
    open.add(socket.on('error', () => undefined));
    // Of several requests of a connection it answers the first.
    socket.once('data', () =>
      socket.write(`HTTP/1.1 200 OK\r\nX-Server: 0\r\nX-Head: ${head}\r\nContent-Length: 2\r\n\r\n`),
    );
  });
  try {
    await once(engine.listen(0, '127.0.0.1'), 'listening');
    const sourceAddress = '127.0.0.1';
    const request = meaning.requestOf({
      method: 'GET',
      scheme: 'http',
      host: 'a.test',
      path: '/',
      sourceAddress,
    });
    const asked = { request, absolute: false };
    const replies = await askAll({ kind: 'port', port: portOf(engine) }, [asked, asked]);
    assert.deepEqual(
      replies.map((reply) => reply.kind === 'answer' && reply.status),
      [200, 200],
    );
  } finally {
    for (const socket of open) socket.destroy();
    engine.close();
  }
});

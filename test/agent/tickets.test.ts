import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import type { EngineName } from '#model';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf } from '../world/stack.ts';

/** TLS sessions over a switch: within an engine they go on; from one engine to another a full handshake is made, and no request is lost. */
let origin: Origin;
let stack: Stack;
let http: number;
let https: number;
let turn = 0;

const text = (engine: EngineName, server: string) => (folder: string) =>
  shopText(
    { http, https, engine, servers: [{ name: server, port: origin.port }], healthCheck: patientCheck },
    folder,
  );

before(async () => {
  origin = await startOrigin({ name: 'web' });
  [http, https] = [await freePort(), await freePort()];
  stack = await startStack({ siteText: text('haproxy', 's0'), engine: 'haproxy' });
});

after(async () => {
  await stack.stop();
  await origin.close();
});

async function switchTo(engine: EngineName): Promise<void> {
  turn += 1;
  const change = `c${turn}`;
  const site = textOf(text(engine, `s${turn}`)(stack.folder), stack.folder);
  await stack.call('candidate', { site, change }, 60_000);
  await stack.call('promote', { change }, 60_000);
  assert.equal((await stack.call('status', {})).engine, engine);
}

/** One request; the session that may be resumed, and whether this one was. */
function visit(session?: Buffer): Promise<{ reused: boolean; session: Buffer | undefined; status: string }> {
  return new Promise((resolve, reject) => {
    let next: Buffer | undefined;
    let head = '';
    let reused = false;
    const socket = connect({
      host: '127.0.0.1',
      port: https,
      servername: 'shop.example',
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
      ...(session ? { session } : {}),
    });
    socket.on('session', (given) => {
      next = given;
    });
    socket.on('secureConnect', () => {
      reused = socket.isSessionReused();
      socket.write('GET / HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n');
    });
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      head += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      resolve({ reused, session: next ?? session, status: head.slice(9, 12) });
    });
  });
}

async function over(engine: EngineName): Promise<{ reused: boolean; status: string }> {
  const { session } = await visit();
  await switchTo(engine);
  return await visit(session);
}

/** In this order: each begins where the one before it ended. Without a session a client makes a full handshake. */
const switches: readonly (readonly [EngineName, 'goes on' | 'is made anew'])[] = [
  ['haproxy', 'goes on'],
  ['builtin', 'is made anew'],
  ['builtin', 'goes on'],
  ['nginx', 'is made anew'],
  ['nginx', 'goes on'],
  ['haproxy', 'is made anew'],
];

for (const [index, [engine, session]] of switches.entries())
  test(`from ${switches[index - 1]?.[0] ?? 'haproxy'} to ${engine} a session ${session}`, async () => {
    const { reused, status } = await over(engine);
    assert.equal(status, '200');
    assert.equal(reused, session === 'goes on');
  });

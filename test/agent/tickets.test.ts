import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import type { EngineName } from '#model';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/**
 * TLS sessions over a switch: within an engine they go on, and between HAProxy and the built-in engine; from NGINX and to it a
 * full handshake is made, and no request is lost. Over a rotation of the keys they go on with every engine.
 */
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
  ['builtin', 'goes on'],
  ['builtin', 'goes on'],
  ['nginx', 'is made anew'],
  ['nginx', 'goes on'],
  ['haproxy', 'is made anew'],
];

for (const [index, [engine, session]] of switches.entries()) {
  test(`from ${switches[index - 1]?.[0] ?? 'haproxy'} to ${engine} a session ${session}`, async () => {
    const { reused, status } = await over(engine);
    assert.equal(status, '200');
    assert.equal(reused, session === 'goes on');
  });
  if (switches[index - 1]?.[0] === engine || index === 0)
    test(`with ${engine} a session goes on over a rotation of the keys, ${newProcesses(engine)}`, () =>
      overRotation(engine));
}

function newProcesses(engine: EngineName): string {
  return engine === 'nginx' ? 'with new processes of the same text' : 'with the same processes';
}

const setFile = () => join(stack.state, 'ticket-keys', newestSet());

function newestSet(): string {
  return readdirSync(join(stack.state, 'ticket-keys'))
    .filter((name) => /^\d+$/.test(name))
    .toSorted()
    .at(-1) as string;
}

/** The newest keys are of half a day ago. */
function ageKeys(): string {
  const before = newestSet();
  const longAgo = Date.now() / 1_000 - 13 * 3_600;
  utimesSync(setFile(), longAgo, longAgo);
  return before;
}

async function serving(): Promise<number[]> {
  const { generations } = await stack.call('status', {});
  return generations.filter((g) => g.role !== 'draining').map((g) => g.generation);
}

/** Both generations have them, as far as records tell. */
async function isEverywhere(set: number): Promise<void> {
  await until(`the keys of set ${set} in every generation`, async () => {
    const living = await serving();
    const told = (await stack.call('records', { after: 0 })).flatMap(({ what }) =>
      what.kind === 'ticketKeys' && what.set === set ? [what.replacedBy ?? what.generation] : [],
    );
    return living.length === 2 && living.every((one) => told.includes(one));
  });
}

async function overRotation(engine: EngineName): Promise<void> {
  const { session } = await visit();
  const before = await serving();
  const set = Number(ageKeys()) + 1;
  await isEverywhere(set);
  assert.equal(Number(newestSet()), set);
  assert.equal(statSync(setFile()).mode & 0o777, 0o600);
  assert.equal(readFileSync(setFile(), 'utf8').trim().split('\n').length, 3);
  assert.equal((await serving()).toString() === before.toString(), engine !== 'nginx');
  const first = await visit(session);
  assert.deepEqual([first.reused, first.status], [true, '200']);
  const second = await visit(first.session);
  assert.deepEqual([second.reused, second.status], [true, '200']);
}

test('the agent is killed in the middle of a rotation: the next one ends it, and sessions go on', async () => {
  let { session } = await visit();
  for (const waitMs of [0, 100, 600]) {
    const set = Number(ageKeys()) + 1;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    stack.agent().kill('SIGKILL');
    await stack.startAgent();
    await until('the next set', async () => Number(newestSet()) === set);
    const next = await visit(session);
    assert.deepEqual([next.reused, next.status], [true, '200'], `killed after ${waitMs} ms`);
    session = next.session;
  }
});

test('who removes the keys has thrown them away: old sessions end, new ones go on', async () => {
  const { session } = await visit();
  rmSync(join(stack.state, 'ticket-keys'), { recursive: true });
  await until('a full handshake', async () => !(await visit(session)).reused);
  const next = await until('new keys everywhere', async () => {
    const { session: fresh } = await visit();
    const again = await visit(fresh);
    return again.reused && again;
  });
  assert.equal(next.status, '200');
});

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { breakableHaproxy } from '../world/broken-engine.ts';
import { type Load, startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** Rung 4 of the guard's ladder: the engine itself is broken. */
const folder = mkdtempSync(join(tmpdir(), 'hf-broken-'));
chmodSync(folder, 0o755);
const haproxy = breakableHaproxy(folder);
let origin: Origin;
let http: number;
let stack: Stack;
let load: Load & { kill(): void };

const text = (server: string) => (at: string) =>
  shopText({ http, https: null, engine: 'haproxy', servers: [{ name: server, port: origin.port }] }, at);

before(async () => {
  process.env.HOLDFAST_HAPROXY = haproxy.path;
  origin = await startOrigin({ name: 'web' });
  http = await freePort();
  stack = await startStack({ siteText: text('one'), engine: 'haproxy' });
  load = await startLoadProcess({ ...usualLoad, port: http, ratePerSecond: 100, timeoutMs: 20_000 });
});

after(async () => {
  load.kill();
  await stack.stop();
  await origin.close();
  rmSync(folder, { recursive: true, force: true });
});

const carried = async () => (await stack.call('status', {})).carried;

async function killAll(): Promise<void> {
  const { generations } = await stack.call('status', {});
  for (const { pid } of generations) process.kill(pid, 'SIGKILL');
}

test('while no server answers, nothing is changed: the engine is not to blame', async () => {
  await origin.become('refuses');
  haproxy.become('crashes');
  await killAll();
  await until('it is down', async () => (await stack.call('status', {})).generations.length === 0);
  assert.equal(await carried(), null);
});

test('with a server that answers, another engine carries the site, and says since when and why', async () => {
  await origin.become('right');
  const said = await until('another engine', carried, 30_000);
  assert.equal(said.instead, 'haproxy');
  assert.equal(said.by, 'nginx');
  assert.match(said.because, /^haproxy: the engine ended while it started:\n.*SSL_broken/);
  const { status } = await fetch(`http://127.0.0.1:${http}/`);
  assert.equal(status, 200);
});

test('the agent is started again: the same engine goes on carrying it', async () => {
  const before = await stack.pidOf('active');
  stack.agent().kill('SIGKILL');
  await stack.startAgent();
  assert.equal((await stack.call('status', {})).carried?.instead, 'haproxy');
  assert.equal(await stack.pidOf('active'), before);
  const standby = await until('a standby', async () => {
    const { generations, engine } = await stack.call('status', {});
    return generations.some((g) => g.role === 'standby' && g.state === 'parked') && engine;
  });
  assert.notEqual(standby, 'haproxy');
});

test('a change brings it back once its own engine is put right, and no request fails for that', async () => {
  haproxy.become('good');
  const failedBefore = await failed();
  const site = textOf(text('renamed')(stack.folder), stack.folder);
  await stack.call('candidate', { site, change: 'back' });
  await stack.call('promote', { change: 'back' });
  const status = await stack.call('status', {});
  assert.equal(status.engine, 'haproxy');
  assert.equal(status.carried, null);
  const kinds = (await stack.call('records', { after: 0 })).map(({ what }) => what.kind);
  assert.equal(kinds.at(-1), 'carriedNoMore');
  await until('some more traffic', async () => (await load.counts()).ok > 200);
  assert.equal(await failed(), failedBefore);
});

async function failed(): Promise<number> {
  const { ended, ok } = await load.counts();
  return ended - ok;
}

test('rolled back, the engine that carried it does so again, and that is said', async () => {
  const done = await stack.call('rollback', { reason: 'not yet', change: 'back' });
  assert.equal(done?.rung, 1);
  assert.match((await carried())?.because ?? '', /not yet/);
});

import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { breakableHaproxy } from '../world/broken-engine.ts';
import { type LoadProcess, startLoadProcess, usualLoad } from '../world/load.ts';
import { shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** Whose fault a 503 is: engines are replaced for their own only. */
const folder = mkdtempSync(join(tmpdir(), 'hf-blame-'));
chmodSync(folder, 0o755);
const haproxy = breakableHaproxy(folder);
const hostOfVisitors = 'shop.example';
let databaseIsDead = false;
/** What the guard has asked of the web server itself: visitors ask by another name, and health checks by its address. */
let asked = 0;
let web: Server;
let http: number;
let stack: Stack;
let load: LoadProcess;

before(async () => {
  process.env.HOLDFAST_HAPROXY = haproxy.path;
  web = createServer(({ headers: { host = '' } }, response) => {
    if (host === 'www.example.com' || host.startsWith('www.example.com:')) asked += 1;
    response.statusCode = databaseIsDead ? 500 : 200;
    response.end('web');
  });
  await new Promise<void>((done) => web.listen(0, '127.0.0.1', done));
  http = await freePort();
  stack = await startStack({ siteText: text('one'), engine: 'haproxy' });
  const plan = { ...usualLoad, port: http, ratePerSecond: 50, timeoutMs: 20_000 };
  load = await startLoadProcess({ ...plan, hostname: hostOfVisitors });
});

after(async () => {
  load.kill();
  await stack.stop();
  web.close();
  rmSync(folder, { recursive: true, force: true });
});

const text = (server: string) => (at: string) => {
  const { port } = web.address() as AddressInfo;
  return shopText({ http, https: null, engine: 'haproxy', servers: [{ name: server, port }] }, at);
};
const pids = async () =>
  (await stack.call('status', {})).generations.map(({ role, pid }) => `${role} ${pid}`);
const kinds = async () => (await stack.call('records', { after: 0 })).map(({ what }) => what.kind);
const ok = async () => (await load.counts()).ok;

test('a database that dies just after a good change gets no engine killed or replaced', async () => {
  const site = textOf(text('renamed')(stack.folder), stack.folder);
  await stack.call('candidate', { site, change: 'good' });
  await stack.call('promote', { change: 'good' });
  const before = await until('a way back', async () => {
    const { generations } = await stack.call('status', {});
    const isWhole = ['active', 'standby'].every((role) => generations.some((g) => g.role === role));
    return isWhole && generations.length === 2 && (await pids());
  });
  databaseIsDead = true;
  asked = 0;
  // The servers count as down by now: who asks them by that name is the guard, and once would be through the engine.
  await until('the guard asks the server itself', async () => asked >= 2);
  assert.deepEqual(await pids(), before);
  databaseIsDead = false;
  const served = await ok();
  await until('it goes on', async () => (await ok()) > served + 20);
  assert.deepEqual(await pids(), before);
  assert.equal((await kinds()).includes('engineDied'), false);
});

test('an engine that answers 503 to everyone from its start on, with a good server, is replaced by another', async () => {
  haproxy.become('unavailable');
  for (const one of await pids()) process.kill(Number(one.split(' ')[1]), 'SIGKILL');
  const { because, by } = await until('another engine', async () => (await stack.call('status', {})).carried);
  assert.equal(by, 'nginx');
  assert.match(
    because,
    /^haproxy: haproxy has started and does not serve: GET .*: 503 through it, and 200 from web\/renamed asked directly$/,
  );
  const served = await ok();
  await until('it serves', async () => (await ok()) > served + 20);
});

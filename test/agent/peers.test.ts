import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { joinPeers } from '../../src/agent/peers.ts';
import { ask, keptAlive } from '../world/ask.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** What HAProxy counts of each client goes on over a switch and over a rollback, whatever becomes of the others. */
const requests = 5;

function siteText(port: number, server: number, named: string): string {
  return `site: t
listeners:
  - { name: http, address: "*:${port}" }
routes:
  - name: login
    matches: [{ path: { value: /login } }]
    pool: web
    access: { rate: { requests: ${requests}, per: 1h } }
  - { name: web, pool: web }
pools:
  - { name: web, servers: [{ name: ${named}, address: "127.0.0.1:${server}" }], healthCheck: ${patientCheck} }
balancers:
  - { name: lb-1, engine: haproxy, address: 127.0.0.1 }
guard: { canary: { steps: [1], step: 1s }, bake: 1s }
`;
}

describe('a rate over generations of HAProxy', () => {
  let origin: Origin;
  let stack: Stack;
  let port: number;
  let turn = 0;
  const stopped = new Set<number>();

  before(async () => {
    origin = await startOrigin({ name: 'web' });
    port = await freePort();
    stack = await startStack({ siteText: () => siteText(port, origin.port, 's0'), engine: 'haproxy' });
  });

  after(async () => {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    await stack.stop();
    await origin.close();
  });

  const login = async () => (await ask(port, { path: '/login' })).status;

  async function candidate(): Promise<string> {
    turn += 1;
    const change = `c${turn}`;
    const site = textOf(siteText(port, origin.port, `s${turn}`), stack.folder);
    await stack.call('candidate', { site, change }, 60_000);
    return change;
  }

  test('goes on over a switch', async () => {
    // Requests of our own that ask whether a generation answers have the same address.
    const first = await login();
    const others = await Promise.all(Array.from({ length: requests }, login));
    assert.equal(first, 200);
    assert.ok(others.includes(429));
    assert.equal(await login(), 429);
    await stack.call('promote', { change: await candidate() }, 60_000);
    assert.equal(await login(), 429);
    assert.equal((await ask(port)).status, 200, 'what has no rate is not counted');
  });

  test('goes on over a rollback', async () => {
    await stack.call('rollback', { change: null, reason: 'a test' }, 60_000);
    assert.equal(await login(), 429);
  });

  test('is the same for a connection that is led over', async () => {
    const client = keptAlive(port);
    try {
      assert.equal((await client.ask()).status, 200);
      await stack.call('promote', { change: await candidate() }, 60_000);
      assert.equal((await client.ask({ path: '/login' })).status, 429);
    } finally {
      client.close();
    }
  });

  test('checks and rehearsals do not take part', async () => {
    const site = textOf(siteText(port, origin.port, 'other'), stack.folder);
    assert.equal((await stack.call('check', { site }, 60_000)).accepted, true);
    assert.equal((await stack.call('rehearse', { site }, 60_000)).ok, true);
    const { generations } = await stack.call('status', {});
    const folder = join(stack.run, 'peers');
    const holders = readdirSync(folder).map((name) => readlinkSync(join(folder, name)));
    assert.ok(holders.length >= generations.length);
    for (const holder of holders) assert.match(holder, /\/run\/g\d+\/peers\.sock$/);
  });

  test('goes on past a generation that hangs, and one that dies', async () => {
    const hung = await stack.pidOf('standby');
    process.kill(hung, 'SIGSTOP');
    stopped.add(hung);
    assert.equal(await login(), 429);
    const change = await candidate();
    assert.equal((await ask(port)).status, 200);
    process.kill(hung, 'SIGKILL');
    stopped.delete(hung);
    await stack.call('promote', { change }, 60_000);
    assert.equal(await login(), 429);
    assert.equal((await ask(port)).status, 200);
    await until('a standby', async () =>
      (await stack.call('status', {})).generations.some((g) => g.role === 'standby'),
    );
  });
});

test('a name is given again when the generation that had it is gone, and to nobody else', () => {
  const run = mkdtempSync(join(tmpdir(), 'hf-'));
  try {
    const given = Array.from({ length: 13 }, (_, index) => {
      const folder = join(run, `g${index}`);
      const peers = joinPeers(join(run, 'peers'), folder);
      mkdirSync(folder);
      return peers?.self ?? null;
    });
    assert.equal(new Set(given.slice(0, 12)).size, 12);
    assert.equal(given[12], null, 'all names are taken');
    rmSync(join(run, 'g4'), { recursive: true });
    assert.equal(joinPeers(join(run, 'peers'), join(run, 'g13'))?.self, given[4]);
  } finally {
    rmSync(run, { recursive: true, force: true });
  }
});

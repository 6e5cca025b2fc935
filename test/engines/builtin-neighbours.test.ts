import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ask, keptAlive } from '../world/ask.ts';
import { type BuiltinWorld, builtinWorld } from '../world/builtin.ts';
import { type Generation, type HaproxyWorld, haproxyWorld } from '../world/haproxy.ts';
import { poolOf, siteOf } from '../world/sites.ts';

const callMs = 30_000;

/** A vendor's bug hits, and the same site goes on under another engine: so each must be able to help the other. */
describe('the built-in engine and HAProxy as neighbours', () => {
  let builtin: BuiltinWorld;
  let haproxy: HaproxyWorld;
  before(async () => {
    builtin = await builtinWorld();
    haproxy = await haproxyWorld();
  });
  after(async () => {
    await builtin.close();
    await haproxy.close();
  });

  const echo = (name: string) => async () => {
    const { port } = await builtin.server(name, (request, response) => {
      const { 'x-forwarded-for': by, 'x-forwarded-proto': proto } = request.headers;
      response.end(`${name} ${by} ${proto}`);
    });
    return port;
  };

  async function askTwice(port: number, newer: Generation, name: string): Promise<void> {
    const client = keptAlive(port);
    assert.match((await client.ask()).body, new RegExp(`^${name}new `));
    await newer.control.takeBack(true, callMs);
    const answer = await client.ask({ headers: { 'x-forwarded-for': '6.6.6.6' } });
    assert.equal(answer.body, `${name}old 127.0.0.1 http`);
    client.close();
  }

  test('HAProxy takes back to the built-in engine, and uses it as its net', async () => {
    const http = await builtin.socket();
    const old = siteOf({ pools: [poolOf('web', [await echo('b-old')()])] });
    const older = await builtin.start(old, { name: 'b-old', sockets: { http }, parked: true });
    const fresh = siteOf({ pools: [poolOf('web', [await echo('b-new')()])] });
    const newer = await haproxy.start(fresh, { name: 'b-new', sockets: { http }, neighbour: older.entrance });
    await askTwice(http.port, newer, 'b-');
    await newer.kill();
    const dead = siteOf({ pools: [poolOf('web', [await builtin.closedPort()])] });
    await haproxy.start(dead, { name: 'b-dead', sockets: { http }, neighbour: older.entrance });
    assert.equal((await ask(http.port)).body, 'b-old 127.0.0.1 http');
  });

  test('the built-in engine takes back to HAProxy, and uses it as its net', async () => {
    const http = await builtin.socket();
    const old = siteOf({ pools: [poolOf('web', [await echo('h-old')()])] });
    const older = await haproxy.start(old, { name: 'h-old', sockets: { http } });
    await older.control.park(callMs);
    const fresh = siteOf({ pools: [poolOf('web', [await echo('h-new')()])] });
    const options = { sockets: { http }, neighbour: older.entrance, generation: 2 };
    const newer = await builtin.start(fresh, { name: 'h-new', ...options });
    await askTwice(http.port, newer, 'h-');
    await newer.kill();
    const dead = siteOf({ pools: [poolOf('web', [await builtin.closedPort()])] });
    const net = await builtin.start(dead, { name: 'h-dead', ...options });
    assert.equal((await ask(http.port)).body, 'h-old 127.0.0.1 http');
    assert.equal((await net.control.evidence(callMs)).netUses, 1);
  });
});

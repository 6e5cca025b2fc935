import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { identify } from '#base';
import { type Load, startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, until } from '../world/stack.ts';

/** Rungs 2 and 3 of the guard's ladder: an engine that lives and does nothing. */
let origin: Origin;
let stack: Stack;
let load: Load;

before(async () => {
  origin = await startOrigin({ name: 'one' });
  const http = await freePort();
  stack = await startStack({
    siteText: (folder) => shopText({ http, https: null, engine: 'haproxy', servers: [origin] }, folder),
    engine: 'haproxy',
  });
  load = await startLoadProcess({ ...usualLoad, port: http, ratePerSecond: 200, timeoutMs: 20_000 });
});

after(async () => {
  await stack.stop();
  await origin.close();
});

const anotherThan = (...pids: number[]) =>
  until('another active engine', async () => !pids.includes(await stack.pidOf('active')), 15_000);

test('a hung active engine is killed and the standby takes over', async () => {
  const active = await stack.pidOf('active');
  process.kill(active, 'SIGSTOP');
  await anotherThan(active);
  await until('the end of the hung engine', async () => identify(active) === null);
});

test('with the standby hung too, the last good text is started cold', async () => {
  // Those that waited for the first take-over are in flight in the standby now: they are to be answered first.
  await until('the line to be served', async () => {
    const { sent, ended } = await load.counts();
    return sent - ended < 5;
  });
  const standby = await stack.pidOf('standby');
  const active = await stack.pidOf('active');
  process.kill(standby, 'SIGSTOP');
  process.kill(active, 'SIGSTOP');
  await anotherThan(active, standby);
  const kinds = await until('the record of the restart', async () => {
    const all = (await stack.call('records', { after: 0 })).map((record) => record.what.kind);
    return all.at(-1) === 'restored' && all;
  });
  assert.deepEqual(kinds, ['engineDied', 'engineDied', 'restored']);
});

test('only what was in flight in a hung engine was lost; everything else waited and was answered', async () => {
  const { counts } = await load.stop();
  assert.ok(counts.ended > 200, `${counts.ended} requests`);
  assert.ok(counts.ended - counts.ok <= 10, JSON.stringify(counts));
});

test('while every server is silent too, the engine is not to blame and is left alone', async () => {
  await until('a standby', async () => await stack.pidOf('standby'));
  const active = await stack.pidOf('active');
  await origin.become('refuses');
  process.kill(active, 'SIGSTOP');
  await assert.rejects(
    until('another active engine', async () => (await stack.pidOf('active')) !== active, 3_000),
  );
  process.kill(active, 'SIGCONT');
});

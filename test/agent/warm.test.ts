import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { EngineName } from '#model';
import { type Blackhole, startBlackhole } from '../world/blackhole.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, until } from '../world/stack.ts';

/** A new generation begins with what the one before knew of its servers. */
const requests = 20;
/** A request that waits for a server that is down waits for the connect time-out. */
const connect = '4s';
const promptMs = 3_000;
/** Its check comes every 3 s and waits 2 s for an answer, and only then it can be told: nothing outside shows when. */
const knownAfterMs = 7_000;

for (const engine of ['haproxy', 'builtin', 'nginx'] as const satisfies readonly EngineName[])
  describe(`warm health under ${engine}`, () => {
    let origin: Origin;
    let silent: Blackhole;
    let http: number;
    let stack: Stack;

    before(async () => {
      origin = await startOrigin({ name: 'good' });
      silent = await startBlackhole();
      http = await freePort();
      const servers = [
        { name: 'good', port: origin.port },
        { name: 'silent', port: silent.port },
      ];
      const healthCheck = '{ path: /health, interval: 3s, timeout: 2s, rise: 1, fall: 1 }';
      const pool = `${healthCheck}\n    timeouts: { connect: ${connect} }`;
      stack = await startStack({
        siteText: (folder) => shopText({ http, https: null, engine, servers, healthCheck: pool }, folder),
        engine,
      });
    });

    after(async () => {
      await stack.stop();
      await Promise.all([origin.close(), silent.close()]);
    });

    test('started cold, it sends nothing to a server that is known to be down', async () => {
      await until('the active one to know it', async () => (await slowestMs(http)) < promptMs, 120_000);
      // A cold start may come before the agent has asked what is known; one that forgets is always slow.
      await until(
        'a cold start that knows it',
        async () => {
          await setTimeout(knownAfterMs);
          return (await afterColdStartMs()) < promptMs;
        },
        150_000,
      );
    });

    async function afterColdStartMs(): Promise<number> {
      const { generations } = await stack.call('status', {});
      const was = new Set(generations.map(({ pid }) => pid));
      for (const pid of was) process.kill(pid, 'SIGKILL');
      await until('a cold start', async () =>
        (await stack.call('status', {})).generations.some((g) => g.role === 'active' && !was.has(g.pid)),
      );
      return await slowestMs(http);
    }

    test('when that server is well again, it gets requests', async () => {
      await silent.close();
      const back = await startOrigin({ name: 'back', port: silent.port });
      try {
        await until('its requests', async () => {
          const answer = await fetch(`http://127.0.0.1:${http}/`);
          return (await answer.text()).includes('back');
        });
      } finally {
        await back.close();
      }
    });
  });

/** The slowest of some requests, all at once; each must be answered well. */
async function slowestMs(http: number): Promise<number> {
  const began = performance.now();
  const all = Array.from({ length: requests }, () => fetch(`http://127.0.0.1:${http}/`));
  for (const { status } of await Promise.all(all)) assert.equal(status, 200);
  return performance.now() - began;
}

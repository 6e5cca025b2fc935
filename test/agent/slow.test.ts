import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EngineName } from '#model';
import { startLoadProcess, usualLoad } from '../world/load.ts';
import { startOrigin, type Way } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, startStack, textOf, until } from '../world/stack.ts';

/** Servers that take a second and a half, or never answer: no error says so while a canary lasts. */
async function causeOf(engine: EngineName, way: Way): Promise<string> {
  const [good, bad] = await Promise.all([
    startOrigin({ name: 'good' }),
    startOrigin({ name: 'bad', way, slowMs: 1_500 }),
  ]);
  const http = await freePort();
  const site = (port: number) => (folder: string) => {
    const servers = [{ name: 'web', port }];
    // Without checks to tell, it is the requests that have to show it.
    const healthCheck = patientCheck.replace('timeout: 5s', 'timeout: 60s');
    return shopText({ http, https: null, engine, servers, healthCheck }, folder);
  };
  const stack = await startStack({ siteText: site(good.port), engine });
  const load = await startLoadProcess({ ...usualLoad, port: http, ratePerSecond: 60, timeoutMs: 20_000 });
  const change = 'slow';
  try {
    await until('some traffic', async () => (await load.counts()).ok > 60);
    await stack.call('candidate', { site: textOf(site(bad.port)(stack.folder), stack.folder), change });
    const taken = await until('the guard takes it back', async () => {
      const { takenBack } = await stack.call('observe', { change });
      if (!takenBack) await stack.call('expose', { change, share: 0.5, leaseMs: 5_000, requestsMax: null });
      return takenBack;
    });
    return taken.evidence.cause;
  } finally {
    load.kill();
    await stack.stop();
    await good.close();
    await bad.close();
  }
}

test('HAProxy: a candidate whose servers answer late is taken back', async () => {
  assert.match(await causeOf('haproxy', 'slow'), /^(?:slower|hung)$/);
});

test('built-in engine: a candidate whose servers answer late is taken back', async () => {
  assert.match(await causeOf('builtin', 'slow'), /^(?:slower|hung)$/);
});

test('NGINX: a candidate whose servers never answer is taken back', async () => {
  assert.equal(await causeOf('nginx', 'blackhole'), 'hung');
});

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** Each version of the site has a server of its own, so each answer says which version gave it. */
const versions: Origin[] = [];
/** What was under way, and on a busy machine each connection's last answer before it closes. */
const settledMs = 400;
let stack: Stack;
let http: number;
let https: number;

const siteOf = (origin: Origin) => (folder: string) =>
  shopText({ http, https, engine: 'haproxy', servers: [{ name: 'one', port: origin.port }] }, folder);

before(async () => {
  versions.push(await startOrigin({ name: 'before' }), await startOrigin({ name: 'after' }));
  [http, https] = [await freePort(), await freePort()];
  const [first] = versions;
  assert.ok(first);
  stack = await startStack({ siteText: siteOf(first), engine: 'haproxy' });
});

after(async () => {
  await stack.stop();
  for (const origin of versions) await origin.close();
});

for (const kind of ['kept', 'h2'] as const) {
  test(`promotion and rollback move open connections too: ${kind}`, async () => {
    const next = versions[1];
    assert.ok(next);
    const site = textOf(siteOf(next)(stack.folder), stack.folder);
    const change = `change-${kind}`;
    const port = kind === 'h2' ? https : http;
    const load = await startLoadProcess({
      ...usualLoad,
      kind,
      tls: kind === 'h2',
      port,
      ratePerSecond: 200,
      connections: 8,
      hostname: 'shop.example',
    });
    await stack.call('candidate', { site, change });
    const exposedAt = Date.now();
    await stack.call('expose', { change, share: 1, leaseMs: 5_000, requestsMax: null });
    await stack.call('promote', { change });
    const promotedAt = Date.now();
    await until('the generation before to end', async () => {
      const { generations } = await stack.call('status', {});
      return generations.length === 2 && generations.every((g) => g.role !== 'draining');
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const backAt = Date.now();
    await stack.call('rollback', { reason: 'tried', change });
    const doneAt = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const { records } = await load.stop();
    const between = (from: number, to: number) =>
      records.filter((r) => r.sentAt > from + settledMs && r.endedAt < to - 50 && r.outcome === 'ok');
    const names = (some: typeof records) => [...new Set(some.map((r) => r.marker.trim()))];
    assert.deepEqual(names(between(0, exposedAt + 50)), ['before']);
    assert.deepEqual(names(between(promotedAt, backAt)), ['after']);
    assert.deepEqual(names(between(doneAt, Date.now())), ['before']);
    const broken = records.filter((r) => r.outcome !== 'ok' && r.outcome !== 'refused stream');
    assert.deepEqual(broken, []);
  });
}

import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import type { EngineName } from '#model';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

/** What is tried of the way back, and of routes that nobody asks, while a candidate has all traffic. */
const engines: readonly EngineName[] = ['haproxy', 'nginx'];

for (const engine of engines)
  suite(`${engine}: while a candidate has all traffic`, () => {
    let stack: Stack;
    let origins: readonly Origin[];
    const text = (folder: string, servers: readonly Origin[], more = '') =>
      shopText({ ...ports, engine, servers }, folder).replace('routes:\n', `routes:\n${more}`);
    let ports: { http: number; https: number };

    before(async () => {
      origins = await Promise.all(['one', 'two'].map((name) => startOrigin({ name })));
      ports = { http: await freePort(), https: await freePort() };
      stack = await startStack({ siteText: (folder) => text(folder, origins), engine });
    });
    after(async () => {
      await stack.stop();
      for (const origin of origins) await origin.close();
    });

    test('the parked generation answers in a slice of public traffic, once, and routes are asked by the entrance', async () => {
      const site = textOf(text(stack.folder, origins.slice(0, 1)), stack.folder);
      await stack.call('candidate', { site, change: 'c1' });
      const keep = setInterval(() => void expose('c1').catch(() => {}), 500);
      try {
        await expose('c1');
        const first = await until('a way back', async () => {
          const found = await stack.call('wayBack', { parked: 'c1' });
          return found.ok ? found : null;
        });
        const what = first.tried.map((one) => one.what);
        assert.deepEqual(what.slice(1, 3), ['its pools have live servers', 'its certificates hold']);
        assert.equal(what.at(-1), 'a request in a slice of public traffic', JSON.stringify(first.tried));
        assert.match(first.tried.at(-1)?.answered ?? '', /has served, after \d+ of ours$/);
        const second = await stack.call('wayBack', { parked: 'c1' });
        assert.ok(second.ok, JSON.stringify(second.tried));
        assert.ok(second.tried.every((one) => !one.what.includes('slice')));
        const routes = await stack.call('tryRoutes', { change: 'c1' });
        assert.ok(routes.asked.length > 0);
        assert.ok(routes.asked.every(({ status, worse }) => status === 200 && !worse));
      } finally {
        clearInterval(keep);
        await stack.call('rollback', { reason: 'seen', change: 'c1' });
      }
    });

    test('a route that fails with the candidate alone is told with what the incumbent says', async () => {
      const closed = await freePort();
      const dead = { name: 'gone', port: closed } as Origin;
      const site = textOf(text(stack.folder, [dead]), stack.folder);
      await stack.call('candidate', { site, change: 'c2' });
      try {
        const { asked } = await stack.call('tryRoutes', { change: 'c2' });
        assert.ok(asked.length > 0);
        assert.ok(
          asked.every(({ status, worse, incumbent }) => worse && status !== 200 && incumbent === 200),
          JSON.stringify(asked),
        );
      } finally {
        await stack.call('rollback', { reason: 'seen', change: 'c2' });
      }
    });

    const expose = (change: string) =>
      stack.call('expose', { change, share: 1, leaseMs: 20_000, requestsMax: null });
  });

test('the last good text is started cold in a sandbox: told when that fails, and when it works again', async (t) => {
  const origin = await startOrigin({ name: 'one' });
  t.after(() => origin.close());
  const [http, https] = [await freePort(), await freePort()];
  const stack = await startStack({
    siteText: (folder) => {
      const shim = join(folder, 'haproxy');
      writeFileSync(shim, shimText(folder));
      chmodSync(shim, 0o755);
      process.env.HOLDFAST_HAPROXY = shim;
      return shopText({ http, https, engine: 'haproxy', servers: [origin] }, folder);
    },
    engine: 'haproxy',
  });
  t.after(async () => {
    delete process.env.HOLDFAST_HAPROXY;
    await stack.stop();
  });
  const broken = join(stack.folder, 'broken');
  writeFileSync(broken, 'yes');
  const failed = await stack.call('wayBack', { cold: true });
  assert.equal(failed.ok, false);
  assert.match(failed.tried.at(-1)?.answered ?? '', /symbol lookup error/);
  assert.equal((await stack.call('status', {})).coldStart?.ok, false);
  writeFileSync(broken, '');
  const works = await stack.call('wayBack', { cold: true });
  assert.equal(works.ok, true, JSON.stringify(works.tried));
  assert.match(works.tried.at(-1)?.answered ?? '', /^answered after \d+ ms, with \d+ MB; killed$/);
  const told = (await stack.call('records', { after: 0 })).flatMap(({ what }) =>
    what.kind === 'coldStart' ? [what.ok] : [],
  );
  assert.deepEqual(told, [false, true]);
});

/** HAProxy, but a start with private sockets alone fails while a file says so. */
function shimText(folder: string): string {
  return `#!/bin/bash
if [ -s ${folder}/broken ]; then
  case "$*" in *scratch*) case "$*" in *-c*) ;; *) echo 'symbol lookup error' >&2; exit 127;; esac;; esac
fi
exec /usr/sbin/haproxy "$@"
`;
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask } from '../world/ask.ts';
import { startOrigin } from '../world/origins.ts';
import { patientCheck } from '../world/shop.ts';
import { freePort, startStack, textOf } from '../world/stack.ts';

/** A client that a cookie leads to its server is led there by the next generation too, and by the one before after a rollback. */
const clientsMax = 9;

for (const engine of ['haproxy', 'builtin'] as const)
  test(`sticky sessions go on over a switch and a rollback, under load: ${engine}`, async (t) => {
    const origins = await Promise.all([0, 1, 2].map((number) => startOrigin({ name: `s${number}` })));
    t.after(() => Promise.all(origins.map((origin) => origin.close())));
    const port = await freePort();
    const siteText = (server: string) => `site: t
listeners: [{ name: http, address: "*:${port}" }]
routes: [{ name: web, pool: web }]
pools:
  - name: web
    stickyCookie: { name: SRV }
    servers: [${origins.map((o) => `{ name: ${o.name}, address: "127.0.0.1:${o.port}" }`).join(', ')}]
    timeouts: { server: ${server} }
    healthCheck: ${patientCheck}
balancers: [{ name: lb-1, engine: ${engine}, address: 127.0.0.1 }]
guard: { canary: { steps: [1], step: 1s }, bake: 1s }
`;
    const stack = await startStack({ siteText: () => siteText('20s'), engine });
    t.after(() => stack.stop());
    let isOver = false;
    const client = async () => {
      const first = await ask(port);
      const [line = ''] = [first.headers['set-cookie'] ?? []].flat();
      const cookie = line.split(';')[0] ?? '';
      assert.match(cookie, /^SRV=s\d$/);
      const answers = [first];
      while (!isOver) answers.push(await ask(port, { headers: { cookie } }));
      return answers.map(({ status, body }) => `${status} ${body.trim()}`);
    };
    const clients = Promise.all(Array.from({ length: clientsMax }, client));
    clients.catch(() => {});
    const site = textOf(siteText('21s'), stack.folder);
    await stack.call('candidate', { site, change: 'c1' }, 60_000);
    await stack.call('expose', { change: 'c1', share: 0.5, leaseMs: 30_000, requestsMax: null }, 30_000);
    await stack.call('promote', { change: 'c1' }, 60_000);
    await stack.call('rollback', { change: 'c1', reason: 'a test' }, 60_000);
    isOver = true;
    const seen = await clients;
    for (const answers of seen) assert.deepEqual([...new Set(answers)].length, 1, answers.join(', '));
    const servers = new Set(seen.map(([first]) => first));
    assert.ok(servers.size > 1, 'clients are spread over servers');
  });

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ApiLocation } from '#base';
import type { LiveView } from '#contract';
import { type FaultEvent, type JournalEntry, scopeWords } from '#events';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, type, type UpSite, up } from '../world/up.ts';
import { visit } from '../world/visitors.ts';

/** Two balancers, HAProxy and NGINX, before the same three servers. */
let folders: Folders;
let origins: Origin[];
let site: UpSite;
let port: number;

before(async () => {
  folders = makeFolders();
  origins = await Promise.all(['one', 'two', 'three'].map((name) => startOrigin({ name })));
  port = await freePort();
  const file = join(folders.folder, 'site.yaml');
  const text = shopText({ http: port, https: null, engine: 'haproxy', servers: origins }, folders.folder);
  const second = '  - { name: lb-2, engine: nginx, address: 127.0.0.2 }';
  writeFileSync(file, text.replace(/^ {2}- \{ name: lb-1.*$/m, `$&\n${second}`));
  site = await up([file, '--port', String(await freePort())], folders.env);
});

after(async () => {
  await site.stop();
  for (const origin of origins) await origin.close();
  folders.remove();
});

for (const { engine, address } of [
  { engine: 'HAProxy', address: '127.0.0.1' },
  { engine: 'NGINX', address: '127.0.0.2' },
])
  test(`${engine}: a server that dies is seen and named, and the fault ends when it is back`, async () => {
    const known = (await faults()).length;
    const visitors = visit(`http://${address}:${port}/`, 4);
    try {
      await until('visits', async () => visitors.answered() > 50, 20_000);
      const victim = origins[1];
      assert.ok(victim);
      await victim.become('refuses');
      const located = await told('fault.located', known);
      assert.ok(located.kind === 'fault.located');
      const { verdict, evidence } = located;
      assert.deepEqual(verdict.culprits.map(scopeWords), ['server web/two'], verdict.sentence);
      assert.match(verdict.sentence, /server two of pool web does not answer when asked directly/);
      assert.ok(verdict.certain);
      for (const balancer of ['lb-1', 'lb-2'])
        assert.ok(
          evidence.some((line) => line.startsWith(`web/two asked from ${balancer}: connection refused`)),
        );
      assert.equal((await told('fault.seen', known)).fault, located.fault);
      await victim.become('right');
      assert.equal((await told('fault.ended', known)).fault, located.fault);
    } finally {
      await visitors.stop();
    }
  });

test('what is counted is read by Prometheus, and watch shows it', async () => {
  const visitors = visit(`http://127.0.0.1:${port}/`);
  try {
    const { url } = location();
    let text = '';
    await until(
      'the pool in the numbers',
      async () => {
        text = await (await fetch(`${url}/metrics`)).text();
        return /haproxy_backend_http_requests_total\{proxy="web",balancer="lb-1"\} [1-9]/.test(text);
      },
      20_000,
    );
    const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
    assert.equal(checked.status, 0, `${checked.stdout}${checked.stderr}`);
    const open = await fetch(`${url}/metrics`, { headers: { accept: 'application/openmetrics-text' } });
    assert.match(await open.text(), /# TYPE holdfast_requests counter\n(?:.*\n)*# EOF\n$/);
    const { out } = await type(['watch', '--once'], { env: folders.env }).ended;
    assert.match(out, /lb-1 {2}[\d.]+ requests\/s/);
    assert.match(out, /pool web +[\d.]+\/s +0 errors\/s/);
    const { out: json } = await type(['watch', '--once', '--json'], { env: folders.env }).ended;
    const view = JSON.parse(json) as LiveView;
    assert.deepEqual(
      view.balancers.map(({ balancer, answers }) => [balancer, answers]),
      [
        ['lb-1', true],
        ['lb-2', true],
      ],
    );
  } finally {
    await visitors.stop();
  }
});

function location(): ApiLocation {
  return JSON.parse(readFileSync(join(folders.env.HOLDFAST_RUN, 't/api.json'), 'utf8')) as ApiLocation;
}

async function faults(): Promise<readonly FaultEvent[]> {
  const { url, token } = location();
  const answer = await fetch(`${url}/v1/journal`, { headers: { authorization: `Bearer ${token}` } });
  const { entries } = (await answer.json()) as { entries: readonly JournalEntry[] };
  return entries.flatMap(({ event }) => ('fault' in event ? [event] : []));
}

/** The first of that kind after so many. */
async function told(kind: FaultEvent['kind'], known: number): Promise<FaultEvent> {
  let found: FaultEvent | undefined;
  await until(
    kind,
    async () => {
      found = (await faults()).slice(known).find((event) => event.kind === kind);
      return found !== undefined;
    },
    60_000,
  );
  assert.ok(found);
  return found;
}

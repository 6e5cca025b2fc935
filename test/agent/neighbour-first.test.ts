import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, type Stack, startStack, textOf } from '../world/stack.ts';

/** An HAProxy that writes down where its neighbour is in the moment in which it starts. */
const folder = mkdtempSync(join(tmpdir(), 'hf-'));
const seen = join(folder, 'seen');
const patientMs = 120_000;
let origin: Origin;
let stack: Stack;

before(async () => {
  chmodSync(folder, 0o755);
  writeFileSync(seen, '');
  chmodSync(seen, 0o666);
  const haproxy = join(folder, 'haproxy');
  writeFileSync(
    haproxy,
    `#!/bin/bash
for word in "$@"; do
  case "$word" in -v|-c) exec /usr/sbin/haproxy "$@";; esac
done
readlink neighbour.sock >> ${seen} || echo nobody >> ${seen}
exec /usr/sbin/haproxy "$@"
`,
  );
  chmodSync(haproxy, 0o755);
  process.env.HOLDFAST_HAPROXY = haproxy;
  origin = await startOrigin({ name: 'web' });
  const http = await freePort();
  stack = await startStack({ siteText: text(http, 'one'), engine: 'haproxy' });
});

after(async () => {
  await stack.stop();
  await origin.close();
  rmSync(folder, { recursive: true });
});

const text = (http: number, name: string) => (of: string) => {
  const servers = [{ name, port: origin.port }];
  return shopText({ http, https: null, engine: 'haproxy', servers, healthCheck: patientCheck }, of);
};

test("a candidate's net leads to the incumbent before it takes its first request", async () => {
  const site = textOf(text(await freePort(), 'two')(stack.folder), stack.folder);
  await stack.call('candidate', { site, change: 'c1' }, patientMs);
  const { generations } = await stack.call('status', {});
  const active = generations.find(({ role }) => role === 'active');
  const entrance = join(stack.run, `g${active?.generation}`, 'entrance.sock');
  assert.equal(readFileSync(seen, 'utf8').trim().split('\n').at(-1), entrance);
});

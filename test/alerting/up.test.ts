import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { AlertView, EscalationView, OnCallView } from '#contract';
import { type Origin, startOrigin } from '../world/origins.ts';
import { type Receiver, startReceiver } from '../world/receiver.ts';
import { shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, type, type UpSite, up } from '../world/up.ts';

/** The whole way with real processes: a forced bad change, the guard's take-back, a person's phone. */
let folders: Folders;
let origin: Origin;
let receiver: Receiver;
let site: UpSite;
let port: number;

const textOf = (servers: readonly { readonly name: string; readonly port: number }[]) =>
  shopText({ http: port, https: null, engine: 'haproxy', servers }, folders.folder);

before(async () => {
  folders = makeFolders();
  origin = await startOrigin({ name: 'one' });
  receiver = await startReceiver();
  port = await freePort();
  writeFileSync(join(folders.folder, 'secret'), 'shared\n', { mode: 0o600 });
  writeFileSync(
    join(folders.folder, 'oncall.yaml'),
    `
notifiers:
  - name: hook
    webhook: { url: "${receiver.url}/page", secret: { file: ${join(folders.folder, 'secret')} } }
  - name: bell
    command: { run: [/bin/sh, -c, 'cat >> ${join(folders.folder, 'bell')}'] }
allowedHosts: ["127.0.0.1:${receiver.port}"]
people:
  - name: sue
    contacts: [{ notifier: hook, to: "555" }, { notifier: bell }]
policies:
  - name: standard
    steps:
      - page: [person: sue]
        ackWithin: 10m
`,
  );
  const file = join(folders.folder, 'site.yaml');
  writeFileSync(file, textOf([origin]));
  site = await up([file, '--port', String(await freePort())], folders.env);
});

after(async () => {
  await site?.stop();
  await origin.close();
  await receiver.close();
  folders.remove();
});

async function holdfast<T>(
  ...args: readonly string[]
): Promise<{ readonly exit: number | string; readonly out: string; readonly json: T }> {
  const { exit, out, err } = await type([...args, '--json'], { env: folders.env }).ended;
  assert.ok(out, err);
  return { exit, out, json: JSON.parse(out) as T };
}

test('who is on call, and a test message to each contact', async () => {
  const { json } = await holdfast<OnCallView>('oncall');
  assert.equal(json.file, join(folders.folder, 'oncall.yaml'));
  assert.deepEqual(json.policies[0]?.steps[0]?.reaches, ['sue hook 555', 'sue bell']);
  const tested = await holdfast<{ results: { ok: boolean }[] }>('notify', '--test');
  assert.equal(tested.exit, 0, tested.out);
  assert.equal(receiver.got.at(-1)?.body.what, 'test');
  assert.ok(existsSync(join(folders.folder, 'bell')));
});

test("a guard's take-back rings the phone, signed, in three lines; ack stops it", async () => {
  const bad = join(folders.folder, 'bad.yaml');
  writeFileSync(bad, textOf([{ name: 'gone', port: await freePort() }]));
  const asking = new AbortController();
  const visitors = (async () => {
    while (!asking.signal.aborted)
      await fetch(`http://127.0.0.1:${port}/`).then(
        (r) => r.text(),
        () => {},
      );
  })();
  const applied = await type(['apply', bad, '--force', '--reason', 'test'], { env: folders.env }).ended;
  asking.abort();
  await visitors;
  assert.equal(applied.exit, 1, applied.out + applied.err);
  const pages = () => receiver.got.filter(({ body }) => body.what === 'page');
  await until('the page', async () => pages().length > 0, 60_000);
  const [page] = pages();
  assert.ok(page);
  assert.equal(page.body.site, 't');
  assert.equal(page.body.person, 'sue');
  for (const line of ['users', 'cause', 'action']) assert.ok(String(page.body[line]).length > 5, line);
  const [, seconds = '', signature] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(page.headers['holdfast-signature'])) ?? [];
  assert.equal(signature, createHmac('sha256', 'shared').update(`${seconds}.${page.text}`).digest('hex'));
  // Each contact is reached on its own: the bell may ring after the hook.
  const bell = join(folders.folder, 'bell');
  await until('the bell', async () => readFileSync(bell, 'utf8').includes('"what":"page"'), 60_000);

  const acked = await holdfast<EscalationView>('ack', '--comment', 'on it');
  assert.equal(acked.json.state, 'acknowledged');
  const shown = await holdfast<{ alerts: AlertView[]; escalations: EscalationView[] }>('alerts');
  assert.ok(
    shown.json.alerts.some(({ labels }) => labels.alertname === 'PipelineFrozen'),
    shown.out,
  );
  // Another escalation may have its own page; none comes twice.
  const keys = pages().map(({ headers }) => headers['idempotency-key']);
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(!JSON.stringify((await holdfast('journal', 'show')).json).includes('shared'));
});

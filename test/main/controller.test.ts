import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type ApiLocation, systemClock } from '#base';
import type { StatusView } from '#contract';
import { openJournal } from '#store';
import { startController } from '../../src/main/controller.ts';
import { fiveServers, fourServers, shop, siteText } from '../world/changes.ts';
import { type Receiver, startReceiver } from '../world/receiver.ts';
import { holdfast, type SiteOnWire, siteOnWire } from '../world/site-on-wire.ts';

const entry = fileURLToPath(new URL('../../src/main/cli.ts', import.meta.url));
const waitMsMax = 60_000;

/** Steps that last, so that something can happen in the middle. */
const slow = (servers: readonly string[]) =>
  shop(servers)
    .replace(
      'steps: [0.1, 0.5], firstSliceRequests: 20, step: 2s',
      'steps: [1], firstSliceRequests: 1, step: 1s',
    )
    .replace('bake: 5s', 'bake: 2s');

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = systemClock.monotonicMs() + waitMsMax;
  while (!(await holds())) {
    assert.ok(systemClock.monotonicMs() < giveUpAt, `waited for: ${what}`);
    await systemClock.sleep(20);
  }
}

describe('the controller', () => {
  let wire: SiteOnWire;
  let ends: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    wire = await siteOnWire('shop', siteText(slow(fourServers)));
    ends = [];
  });
  afterEach(async () => {
    for (const end of ends.reverse()) await end();
    await wire.close();
  });

  const start = async (more: { readonly onCall?: string } = {}) => {
    const controller = await startController({
      ...more,
      siteName: 'shop',
      balancers: ['lb-1', 'lb-2'],
      paths: wire.paths,
      apiPort: 0,
    });
    ends.push(controller.close);
    return controller;
  };
  const status = async () => JSON.parse((await holdfast(wire.env, ['status', '--json'])).out) as StatusView;
  const write = (text: string) => {
    const file = join(wire.folder, 'shop.yaml');
    writeFileSync(file, text);
    return file;
  };

  it('says where its API is to its own user only, and takes that back when it ends', async () => {
    const controller = await start();
    assert.equal(statSync(wire.paths.api).mode & 0o777, 0o600);
    const location = JSON.parse(readFileSync(wire.paths.api, 'utf8')) as ApiLocation;
    assert.deepEqual([location.url, location.pid], [controller.url, process.pid]);
    ends = [];
    await controller.close();
    assert.throws(() => statSync(wire.paths.api));
  });

  it('journal held by another process: the site goes on, changes are refused with HF201, and it is opened when it is free', async () => {
    const folder = join(wire.paths.state, 'journal');
    const other = await openJournal({ folder, clock: systemClock });
    ends.push(() => other.close());
    await start();
    const { journal, state } = await status();
    assert.deepEqual([journal.ok, state], [false, 'serving']);
    assert.match(journal.why, /^HF201/);
    const refused = await holdfast(wire.env, ['apply', write(slow(fiveServers))]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^HF201/);
    assert.equal(wire.balancers[0]?.asked.includes('candidate'), false);
    await other.close();
    await until('the journal is open', async () => (await status()).journal.ok);
  });

  it('journal damaged: the site goes on, changes are refused with HF202, verify says where; whoever is on call is told, and told when a new one is begun', async () => {
    const receiver = await startReceiver();
    ends.push(() => receiver.close());
    const onCall = join(wire.folder, 'oncall.yaml');
    writeFileSync(onCall, onCallText(receiver));
    const came = (what: string) =>
      receiver.got.some(({ body, text }) => body.what === what && text.includes('HF202'));
    const folder = join(wire.paths.state, 'journal');
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, 'journal.db'),
      'this is no database, and long enough to be taken for one '.repeat(20),
    );
    await start({ onCall });
    assert.match((await status()).journal.why, /^HF202/);
    await until('the page', () => came('page'));
    assert.match((await holdfast(wire.env, ['alerts'])).out, /JournalNotOpen/);
    const refused = await holdfast(wire.env, ['apply', write(slow(fiveServers))]);
    assert.match(refused.err, /^HF202/);
    const verified = await holdfast(wire.env, ['journal', 'verify']);
    assert.equal(verified.code, 1);
    assert.match(verified.out, /✖ from entry/);
    const back = await holdfast(wire.env, ['rollback']);
    assert.match(back.out, /lb-1: had nothing to take back/, 'a rollback asks the balancers all the same');
    renameSync(folder, `${folder}.damaged`);
    await until('a new journal is open', async () => (await status()).journal.ok);
    await until('it is told to be over', () => came('resolved'));
  });

  it('journal damaged in use: the change is refused with HF202; once it was put aside, a new one is begun', async () => {
    await start();
    const folder = join(wire.paths.state, 'journal');
    await until('the journal is open', async () => (await status()).journal.ok);
    for (const name of ['journal.db', 'journal.db-wal']) {
      const path = join(folder, name);
      writeFileSync(path, Buffer.alloc(statSync(path).size, 'damaged '), { flag: 'r+' });
    }
    const refused = await holdfast(wire.env, ['apply', write(slow(fiveServers))]);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^HF202 .*is damaged/);
    assert.equal((await status()).journal.ok, false);
    assert.equal(wire.balancers[0]?.asked.includes('candidate'), false);
    renameSync(folder, `${folder}.damaged`);
    await until('a new journal is open', async () => (await status()).journal.ok);
    const again = await holdfast(wire.env, ['apply', write(slow(fiveServers))]);
    assert.equal(again.code, 0, again.out + again.err);
  });

  it('kill -9 in the middle of a canary: the next controller ends the change, and apply says so', async () => {
    const first = spawnController(wire);
    ends.push(first.end);
    await first.ready();
    const applying = holdfast(wire.env, ['apply', write(slow(fiveServers))]);
    const [lb1] = wire.balancers;
    await until('the candidate is exposed', () => (lb1?.candidate?.share ?? 0) > 0);
    await first.end();
    const second = spawnController(wire);
    ends.push(second.end);
    const { code, out } = await applying;
    assert.equal(code, 1, out);
    assert.match(out, /Rolled back: the controller ended during canary\./);
    assert.equal(lb1?.candidate, null);
    const verified = await holdfast(wire.env, ['journal', 'verify']);
    assert.equal(verified.code, 0, verified.out);
  });
});

function onCallText({ url, port }: Receiver): string {
  return `
notifiers: [{ name: hook, webhook: { url: "${url}" } }]
allowedHosts: ["127.0.0.1:${port}"]
people: [{ name: sue, contacts: [{ notifier: hook }] }]
policies: [{ name: standard, steps: [{ page: [person: sue], ackWithin: 10m }] }]
`;
}

/** A controller as a process of its own, ended with SIGKILL. */
function spawnController({ env, paths }: SiteOnWire): { ready(): Promise<void>; end(): Promise<void> } {
  const child: ChildProcess = spawn(
    process.execPath,
    [entry, 'controller', '--site', 'shop', '--port', '0', '--balancer', 'lb-1', '--balancer', 'lb-2'],
    { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const exited = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  return {
    ready: () =>
      until(`the controller answers; it said: ${said}`, () => {
        try {
          return (JSON.parse(readFileSync(paths.api, 'utf8')) as ApiLocation).pid === child.pid;
        } catch {
          return false;
        }
      }),
    async end() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

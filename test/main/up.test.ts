import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ApiLocation } from '#base';
import { ask } from '../world/ask.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, processesOf, type, type UpSite, up } from '../world/up.ts';

let folders: Folders;
let origin: Origin;
let site: UpSite;
let port: number;

before(async () => {
  folders = makeFolders();
  origin = await startOrigin({ name: 'one' });
  port = await freePort();
  const file = join(folders.folder, 'site.yaml');
  writeFileSync(
    file,
    shopText({ http: port, https: null, engine: 'haproxy', servers: [origin] }, folders.folder),
  );
  site = await up([file, '--port', String(await freePort())], folders.env);
});

after(async () => {
  await site.stop();
  await origin.close();
  folders.remove();
});

function agentPid(): number {
  const { pid } = JSON.parse(readFileSync(join(folders.env.HOLDFAST_RUN, 't/lb-1/agent.pid'), 'utf8')) as {
    pid: number;
  };
  return pid;
}

test('an agent that hangs is killed and started again, and the site never notices', async () => {
  const hung = agentPid();
  process.kill(hung, 'SIGSTOP');
  const statuses = new Set<number>();
  await until(
    'another agent',
    async () => {
      statuses.add(
        await ask(port).then(
          ({ status }) => status,
          () => 0,
        ),
      );
      return agentPid() !== hung;
    },
    40_000,
  );
  assert.deepEqual([...statuses], [200]);
  await until('its answer', async () => (await site.status()).state === 'serving', 20_000);
  assert.match(site.up.out(), /the agent of lb-1 does not answer and is killed/);
});

test('a controller that hangs is killed and started again, and that is told', async () => {
  const { pid: hung } = location();
  process.kill(hung, 'SIGSTOP');
  const statuses = new Set<number>();
  await until(
    'another controller',
    async () => {
      statuses.add(
        await ask(port).then(
          ({ status }) => status,
          () => 0,
        ),
      );
      return existsSync(locationFile()) && location().pid !== hung;
    },
    60_000,
  );
  assert.deepEqual([...statuses], [200]);
  assert.match(site.up.out(), /the controller does not answer and is killed/);
  // The agent that hung before is told too.
  const told = /"kind":"process\.replaced"[^}]*"process":"the controller"/;
  await until('its entry', async () => told.test(await got('/v1/journal')), 20_000);
  await until('its alert', async () => /ProcessHung/.test(await got('/api/v2/alerts')), 20_000);
});

test('what was changed behind its back is told, taken back, and kept where that is wanted', async () => {
  const file = join(folders.folder, 'site.yaml');
  const [text, boot] = [readFileSync(file, 'utf8'), bootFile()];
  const drift = async (...args: string[]) => await type(['drift', ...args], { env: folders.env }).ended;
  assert.equal((await drift()).exit, 0);

  writeFileSync(
    file,
    text.replace('name: web, pool: web', 'name: web, hostnames: [shop.example], pool: web'),
  );
  await tell('set server web/one weight 7');
  chmodSync(boot, 0o600);
  writeFileSync(boot, `${readFileSync(boot, 'utf8')}\n# a hand was here\n`);
  const told = await drift();
  assert.equal(told.exit, 2, told.err);
  assert.match(told.out, /site\.yaml: edited, and not applied; wanted: as it was applied/);
  assert.match(told.out, /server web\/one of generation \d+: weight 7; wanted: weight 1/);
  assert.match(told.out, /haproxy\.cfg, of the next boot: was edited/);
  assert.match(told.out, /holdfast apply .*site\.yaml/, 'the plan of the edited file, and what to do');
  const status = await type(['status'], { env: folders.env }).ended;
  assert.match(status.out, /drift\s+3 changed behind our back/);

  const back = await drift('--revert');
  assert.equal(back.exit, 0, `${back.out}${back.err}`);
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.match(await tell('get weight web/one'), /^1 /);
  assert.ok(!readFileSync(boot, 'utf8').includes('a hand was here'));
  assert.equal((await drift()).exit, 0);

  await tell('set server web/one weight 9');
  assert.match((await drift('--adopt')).out, /set server web\/one weight 9/);
  await until('it in the text of the next boot', async () =>
    /server one .* weight 9/.test(readFileSync(boot, 'utf8')),
  );
  assert.equal((await drift()).exit, 0);
  assert.match(await got('/v1/journal'), /"found":\["[^\]]+"\],"kind":"drift\.seen"/);
});

function locationFile(): string {
  return join(folders.env.HOLDFAST_RUN, 't/api.json');
}

function location(): ApiLocation {
  return JSON.parse(readFileSync(locationFile(), 'utf8')) as ApiLocation;
}

async function got(path: string): Promise<string> {
  const { url, token } = location();
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } });
  return await answer.text();
}

function bootFile(): string {
  return join(folders.env.HOLDFAST_STATE, 't/lb-1/last-good/haproxy.cfg');
}

/** A hand at the running engine's own socket, which Holdfast does not see. */
async function tell(command: string): Promise<string> {
  const run = join(folders.env.HOLDFAST_RUN, 't/lb-1');
  const { balancers } = await site.status();
  const [one] = balancers;
  assert.ok(one && 'generations' in one);
  const active = one.generations.find(({ role }) => role === 'active');
  const socket = connect(join(run, `g${active?.generation}`, 'control.sock'));
  socket.end(`${command}\n`);
  let said = '';
  for await (const chunk of socket) said += String(chunk);
  return said;
}

test('Ctrl-C leaves no process and no socket behind', async () => {
  assert.match(await site.stop(), /Stopped\. Nothing is left running\./);
  await assert.rejects(ask(port));
  assert.deepEqual(processesOf(folders.folder), []);
});

test('a start finds the file half-written, or gone: what was proven good before is served', async () => {
  const file = join(folders.folder, 'site.yaml');
  writeFileSync(file, 'site: t\nlisteners: [');
  const args = [file, '--port', String(await freePort())];
  site = await up(args, folders.env);
  assert.equal((await ask(port)).status, 200);
  assert.match(site.up.err(), /site\.yaml is not a site: what was proven good before is served/);
  await site.stop();
  rmSync(file);
  site = await up(args, folders.env);
  assert.equal((await ask(port)).status, 200);
  assert.match(site.up.err(), /HF00\d .*site\.yaml.*: what was proven good before is served/);
  await site.stop();
  const elsewhere = join(folders.folder, 'elsewhere');
  mkdirSync(elsewhere);
  const refused = await type(['up', join(elsewhere, 'site.yaml')], { env: folders.env }).ended;
  assert.equal(refused.exit, 1, 'of another folder nothing is known');
});

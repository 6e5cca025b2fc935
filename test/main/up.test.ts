import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ask } from '../world/ask.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, type UpSite, up } from '../world/up.ts';

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
  await until(
    'another agent',
    async () => {
      assert.equal((await ask(port)).status, 200);
      return agentPid() !== hung;
    },
    40_000,
  );
  await until('its answer', async () => (await site.status()).state === 'serving', 20_000);
  assert.match(site.up.out(), /the agent of lb-1 does not answer and is killed/);
});

test('Ctrl-C leaves no process and no socket behind', async () => {
  assert.match(await site.stop(), /Stopped\. Nothing is left running\./);
  await assert.rejects(ask(port));
  assert.deepEqual(processesOf(folders.folder), []);
});

/** Command lines that name the folder, but for our own. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(folder) ? [line] : [];
    } catch {
      return [];
    }
  });
}

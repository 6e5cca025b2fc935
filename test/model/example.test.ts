import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseSite, readSiteFile } from '#model';

const shop = fileURLToPath(new URL('../../examples/shop/', import.meta.url));

test('the example shop is valid, names the schema of editors, and its servers are the ones that run', async () => {
  const { file, folder, text } = await readSiteFile(`${shop}site.yaml`);
  const { site, diagnostics } = parseSite(text, file, folder);
  assert.deepEqual(diagnostics, []);
  assert.match(text, /^# yaml-language-server: \$schema=\.\.\/\.\.\/schema\/site\.schema\.json\n/);
  const source = await readFile(`${shop}servers.ts`, 'utf8');
  const names = [...(/const servers = \[(.*)\]/.exec(source)?.[1] ?? '').matchAll(/[\w-]+/g)].map(
    ([name]) => name,
  );
  const running = names.map((name, i) => `${name} ${9101 + i}`);
  const wanted = site?.pools.flatMap((pool) => pool.servers.map((server) => `${server.name} ${server.port}`));
  assert.deepEqual(running, wanted);
});

/** Below the ports that the kernel gives to clients: up there four in a row are seldom free while load tests run. */
function somePort(): number {
  return 20_000 + 4 * Math.floor(Math.random() * 2_500);
}

/** Needs four ports in a row, and tries others when one is taken. */
async function withServers(use: (servers: ChildProcess, port: number) => Promise<void>): Promise<void> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const port = somePort();
    const servers = spawn(process.execPath, [`${shop}servers.ts`, String(port)], { stdio: 'pipe' });
    try {
      const first = await Promise.race([once(servers.stdout, 'data'), once(servers, 'exit')]);
      if (!String(first[0]).startsWith('ready: ')) continue;
      await use(servers, port);
      return;
    } finally {
      servers.kill('SIGKILL');
    }
  }
  assert.fail('no four ports in a row were free');
}

test('its servers answer with their names, and end with whoever started them', async () => {
  await withServers(async (servers, port) => {
    const answer = await fetch(`http://127.0.0.1:${port + 2}/api/cart`);
    assert.equal(await answer.text(), 'api-1\n');
    assert.equal((await fetch(`http://127.0.0.1:${port + 3}/health`)).status, 200);
    servers.stdin?.end();
    assert.deepEqual(await once(servers, 'exit'), [0, null]);
  });
});

test('its servers end on SIGTERM', async () => {
  await withServers(async (servers) => {
    servers.kill('SIGTERM');
    assert.deepEqual(await once(servers, 'exit'), [0, null]);
  });
});

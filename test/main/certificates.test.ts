import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { selfSigned } from '../world/certificate.ts';
import { type Load, startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { patientCheck, shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, type, type UpSite, up } from '../world/up.ts';

/** Certificates of a running site, renewed on disk as a certificate client does it. */
let folders: Folders;
let origin: Origin;
let https: number;
let site: UpSite;
let load: Load & { kill(): void };
let first: Shown;
let old: { readonly cert: string; readonly key: string };

interface Shown {
  readonly fingerprint: string;
  readonly serial: string;
}

before(async () => {
  folders = makeFolders();
  origin = await startOrigin({ name: 'web' });
  const http = await freePort();
  https = await freePort();
  const more = 'guard:\n  canary: { steps: [0.5, 1], step: 1s }\n  bake: 1s\n';
  const servers = [{ name: 'web', port: origin.port }];
  const text = shopText(
    { http, https, engine: 'haproxy', servers, more, healthCheck: patientCheck },
    folders.folder,
  );
  const file = join(folders.folder, 'site.yaml');
  writeFileSync(file, text);
  // Before the load: while a key is made, nothing else happens in this process, and its server is in it.
  old = expired();
  site = await up([file, '--port', '0'], folders.env);
  load = await startLoadProcess({
    ...usualLoad,
    port: https,
    tls: true,
    hostname: 'shop.example',
    ratePerSecond: 60,
    timeoutMs: 20_000,
  });
  first = await shown();
});

after(async () => {
  load.kill();
  await site.stop();
  await origin.close();
  folders.remove();
});

/** What a client is shown in a handshake. */
function shown(): Promise<Shown> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port: https, servername: 'shop.example', rejectUnauthorized: false },
      () => {
        const { fingerprint256, serialNumber } = socket.getPeerCertificate();
        socket.destroy();
        resolve({ fingerprint: fingerprint256, serial: serialNumber });
      },
    );
    socket.on('error', reject);
  });
}

/** One file after the other, each whole at any moment. */
function renew({ cert, key }: { cert?: string | null; key?: string }): void {
  for (const [name, content] of [
    ['key.pem', key],
    ['cert.pem', cert],
  ] as const) {
    const path = join(folders.folder, name);
    if (content === null) rmSync(path);
    if (typeof content !== 'string') continue;
    writeFileSync(`${path}.new`, content, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
}

const trouble = async () => (await site.status()).renewalTrouble.join('\n');

async function failed(): Promise<number> {
  const { ended, ok } = await load.counts();
  return ended - ok;
}

const file = (name: string) => readFileSync(join(folders.folder, name), 'utf8');

test('status shows how long each certificate is valid', async () => {
  const { out } = await type(['status'], { env: folders.env }).ended;
  assert.match(out, /certificates +1 day left: shop\.example \(.*cert\.pem\)/);
});

test('a good renewal becomes a change of its own, and no request fails', async () => {
  renew(selfSigned('shop.example'));
  const now = await until(
    'the new certificate',
    async () => {
      const seen = await shown();
      return seen.fingerprint !== first.fingerprint && seen;
    },
    40_000,
  );
  const { change } = await until(
    'the end of the change',
    async () => {
      const status = await site.status();
      return status.change === null && { change: status.change };
    },
    30_000,
  );
  assert.equal(change, null);
  const { out } = await type(['changes', '--json'], { env: folders.env }).ended;
  const { changes } = JSON.parse(out) as {
    changes: { state: string; by: string; reason: string }[];
  };
  const [last] = changes;
  assert.equal(last?.state, 'promoted');
  assert.equal(last?.by, 'controller');
  assert.match(last?.reason ?? '', /renewed on disk: .*cert\.pem \(shop\.example, until \d{4}-\d\d-\d\d\)/);
  assert.equal(await failed(), 0);
  first = now;
});

test('a renewal that cannot be used changes nothing and is told', async () => {
  const good = { cert: file('cert.pem'), key: file('key.pem') };
  const { cert } = selfSigned('shop.example');
  const bad: readonly [Parameters<typeof renew>[0], RegExp][] = [
    [{ cert }, /the key .*key\.pem does not belong to the certificate/],
    [{ cert: good.cert.slice(0, good.cert.length / 2) }, /got something else|breaks off/],
    [{ cert: null }, /there is no such file/],
    [old, /expired on/],
  ];
  for (const [files, why] of bad) {
    renew(files);
    await until(`${why}`, async () => why.test(await trouble()), 20_000);
    assert.equal((await shown()).fingerprint, first.fingerprint);
    renew(good);
  }
  await until('all is well again', async () => (await trouble()) === '', 20_000);
  assert.equal(await failed(), 0);
});

test('with a bad one on disk, engines that are started again show the good one', async () => {
  renew({ cert: null });
  const { balancers } = await site.status();
  const pids = balancers.flatMap((one) =>
    'generations' in one ? one.generations.map(({ pid }) => pid) : [],
  );
  for (const pid of pids) process.kill(pid, 'SIGKILL');
  const seen = await until('a handshake', shown, 20_000);
  assert.equal(seen.fingerprint, first.fingerprint);
});

function expired(): { cert: string; key: string } {
  const [key, cert] = [join(folders.folder, 'old.key'), join(folders.folder, 'old.pem')];
  const request = join(folders.folder, 'old.csr');
  const run = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  run('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', request, '-subj', '/CN=shop.example');
  run('x509', '-req', '-in', request, '-signkey', key, '-out', cert, '-days', '-1');
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

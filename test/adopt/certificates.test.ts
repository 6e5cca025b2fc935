import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { selfSigned } from '../world/certificate.ts';
import { startOrigin } from '../world/origins.ts';
import { freePort, until } from '../world/stack.ts';
import { makeFolders, type as typed, up } from '../world/up.ts';

const folder = mkdtempSync(join(tmpdir(), 'hf-own-pem-'));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));
const [shop, other] = [selfSigned('shop.example'), selfSigned('other.example')];

const nginx = (pem: { readonly cert: string; readonly key: string }, port: number, origin: number) => `
# holdfast: guard: { bake: 1s, canary: { step: 1s } }
worker_processes 1;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:${port} ssl;
    server_name shop.example;
    ssl_certificate ${pem.cert};
    ssl_certificate_key ${pem.key};
    location / { proxy_pass http://127.0.0.1:${origin}; }
  }
}
`;

const haproxy = (certificate: string) => `
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend www
  bind 127.0.0.1:8081 ssl crt ${certificate}
  default_backend web
backend web
  server one 127.0.0.1:80
`;

function written(name: string, content: string): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

async function toldOf(name: string, text: string): Promise<string> {
  return (await typed(['check', written(name, text)]).ended).err;
}

test('a pair that is none, a key that is missing and a name that is another are told with their line', async () => {
  const cert = written('a.crt', shop.cert);
  const key = written('b.key', other.key);
  assert.match(
    await toldOf('nginx.conf', nginx({ cert, key }, 8081, 80)),
    /HF018 .*nginx\.conf:10:5 .*b\.key does not belong to the certificate .*a\.crt/,
  );
  assert.match(
    await toldOf('nginx.conf', nginx({ cert: written('o.crt', other.cert), key }, 8081, 80)),
    /HF018 .*nginx\.conf:10:5 .*the certificate is not for shop\.example/,
  );
  const alone = written('alone.pem', shop.cert);
  assert.match(
    await toldOf('haproxy.cfg', haproxy(alone)),
    /HF018 .*haproxy\.cfg:8:31 .*a private key in .*alone\.pem/,
  );
  written('alone.pem.key', shop.key);
  assert.doesNotMatch(await toldOf('haproxy.cfg', haproxy(alone)), /private key|not valid/i);
});

function shownAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port, servername: 'shop.example', rejectUnauthorized: false },
      () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });
}

test('a renewal on disk becomes a change; one whose key is not written yet changes nothing', async () => {
  const origin = await startOrigin({ name: 'web-1' });
  const { env, remove } = makeFolders();
  const port = await freePort();
  const pem = { cert: written('live.crt', shop.cert), key: written('live.key', shop.key) };
  const site = await up([written('nginx.conf', nginx(pem, port, origin.port)), '--port', '0'], env);
  try {
    const before = await shownAt(port);
    assert.equal(before, new X509Certificate(shop.cert).fingerprint256);
    const fresh = selfSigned('shop.example');
    written('live.crt', fresh.cert);
    await until('it is told', async () =>
      (await site.status()).renewalTrouble.join().includes('does not belong'),
    );
    assert.equal(await shownAt(port), before);
    written('live.key', fresh.key);
    const renewed = new X509Certificate(fresh.cert).fingerprint256;
    await until('the new one', async () => (await shownAt(port)) === renewed, 120_000).catch(
      async (error: unknown) => {
        const { out } = await typed(['changes', '--json'], { env }).ended;
        throw new Error(`${String(error)} ${(await site.status()).renewalTrouble.join()} ${out}`);
      },
    );
    const { out } = await typed(['changes', '--json'], { env }).ended;
    assert.match(out, /renewed on disk: [^"]*live\.crt/);
    const [balancer] = (await site.status()).balancers;
    assert.ok(balancer && 'certificates' in balancer);
    assert.deepEqual(
      balancer.certificates.map(({ names }) => names),
      [['shop.example']],
    );
  } finally {
    await site.stop();
    await origin.close();
    remove();
  }
});

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type as typed } from '../world/up.ts';

const folder = mkdtempSync(join(tmpdir(), 'hf-check-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const texts = {
  'haproxy.cfg': `defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend www
  bind 127.0.0.1:8081-8090
  bind 127.0.0.1:8095 interface lo
  use_backends web
  default_backend web
backend web
  server one 127.0.0.1:80 maxcon 10
`,
  'nginx.conf': `events {}
http {
  server {
    listen 127.0.0.1:8081-8083;
    location / { proxy_passs http://127.0.0.1:80; }
  }
}
`,
};

for (const [name, wanted] of [
  ['haproxy.cfg', ['HF030 7:8', 'HF030 8:23', 'HF102 9:1', 'HF102 12:1']],
  ['nginx.conf', ['HF030 4:12', 'HF102 5:1']],
] as const)
  test(`check of a ${name} tells what we refuse and what its engine refuses in one run`, async () => {
    const file = join(folder, name);
    writeFileSync(file, texts[name]);
    const { exit, err } = await typed(['check', file]).ended;
    assert.equal(exit, 1);
    const told = [...err.matchAll(/^(HF\d+) .*?:(\d+:\d+) /gm)].map(([, code, place]) => `${code} ${place}`);
    assert.deepEqual(told, wanted);
  });

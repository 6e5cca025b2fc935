import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { IncludedText } from '#model';
import { ask } from '../world/ask.ts';
import { selfSigned } from '../world/certificate.ts';
import { startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

const settledMs = 400;
const requestsAtLeast = 100;
const { key, cert } = selfSigned('shop.example');
let http: number;
let https: number;

/** As a team writes it: rights, a control socket and a log of its own, a key for root only, a socket to itself. */
function haproxyText({ port }: Origin, folder: string): string {
  const bundle = join(folder, 'site.pem');
  writeFileSync(bundle, `${cert}${key}`);
  chmodSync(bundle, 0o600);
  return `# holdfast: guard: { drainTimeout: 3s }
global
  log /dev/log local0
  chroot ${folder}
  stats socket ${folder}/admin.sock mode 660 level admin
  user haproxy
  group haproxy
  daemon

defaults
  mode http
  log global
  timeout connect 1s
  timeout client 10s
  timeout server 10s

frontend www
  bind 127.0.0.1:${http}
  bind 127.0.0.1:${https} ssl crt ${bundle} alpn h2,http/1.1
  use_backend inside if { path /inside }
  default_backend web

listen in
  bind ${folder}/in.sock accept-proxy mode 600 user haproxy
  http-request return status 200 content-type text/plain string inside

backend inside
  server in /in.sock send-proxy

backend web
  server one 127.0.0.1:${port} check inter 500ms
`;
}

/** The same of NGINX: relative names, a server that logs nothing, a socket to itself. */
function nginxText({ port }: Origin, folder: string): string {
  writeFileSync(join(folder, 'site.crt'), cert);
  writeFileSync(join(folder, 'site.key'), key);
  chmodSync(join(folder, 'site.key'), 0o600);
  return `# holdfast: guard: { drainTimeout: 3s }
user www-data;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events { worker_connections 512; }
http {
  upstream web { server 127.0.0.1:${port}; keepalive 8; }
  include conf.d/*.conf;
  server {
    listen 127.0.0.1:${http};
    listen 127.0.0.1:${https} ssl http2;
    ssl_certificate site.crt;
    ssl_certificate_key site.key;
    access_log off;
    location / { proxy_pass http://web; }
    location /inside { proxy_pass http://unix:${folder}/in.sock; }
  }
}
`;
}

const insideNginx = (folder: string): readonly IncludedText[] => [
  {
    path: join(folder, 'conf.d/inside.conf'),
    text: `server { listen unix:${folder}/in.sock; return 200 inside; }\n`,
  },
];

for (const { dialect, team, includes, wrong, moved, kinds, checkBoot } of [
  {
    dialect: 'haproxy',
    team: haproxyText,
    includes: () => [],
    wrong: {
      from: '  use_backend inside',
      to: '  use_backends inside',
      says: /^unknown keyword 'use_backends'/,
    },
    moved: /bind 127.0.0.1:\d+ -> bind fd@3/,
    kinds: ['new', 'kept', 'h2'],
    checkBoot: ['haproxy', '-c', '-f'],
  },
  {
    dialect: 'nginx',
    team: nginxText,
    includes: insideNginx,
    wrong: { from: 'keepalive 8;', to: 'keepalives 8;', says: /^unknown directive "keepalives"/ },
    moved: /pid \/run\/nginx.pid; -> pid GENERATION\/nginx.pid;/,
    // An NGINX that ends closes kept-alive connections without a word; how it changes under load is shown with the engine.
    kinds: ['new'],
    checkBoot: null,
  },
] as const)
  describe(`a team's own text for ${dialect} under Holdfast`, () => {
    const versions: Origin[] = [];
    let stack: Stack;

    before(async () => {
      versions.push(await startOrigin({ name: 'before' }), await startOrigin({ name: 'after' }));
      [http, https] = [await freePort(), await freePort()];
      const siteText = (folder: string) => team(origin(0), folder);
      stack = await startStack({ siteText, engine: dialect, dialect, includes });
    });

    after(async () => {
      await stack.stop();
      for (const one of versions) await one.close();
    });

    function origin(index: number): Origin {
      const found = versions[index];
      assert.ok(found);
      return found;
    }

    const siteOf = (text: string) => textOf(text, stack.folder, dialect, includes(stack.folder));

    it('serves, with its socket to itself and a key that the engine could not read', async () => {
      assert.equal((await ask(http)).body.trim(), 'before');
      assert.equal((await ask(http, { path: '/inside' })).body, 'inside');
      const { engine, addresses } = await stack.call('status', {});
      assert.equal(engine, dialect);
      assert.deepEqual(addresses, [`http://127.0.0.1:${http}`, `https://127.0.0.1:${https}`]);
    });

    it("the engine's own mistakes are told with the team's line, although other lines were added", async () => {
      const text = team(origin(0), stack.folder).replace(wrong.from, wrong.to);
      const { accepted, diagnostics } = await stack.call('check', { site: siteOf(text) });
      assert.equal(accepted, false);
      const line = text.split('\n').findIndex((one) => one.includes(wrong.to)) + 1;
      const file = dialect === 'haproxy' ? 'haproxy.cfg' : 'nginx.conf';
      assert.deepEqual(
        diagnostics.filter(({ severity }) => severity === 'error').map(({ code, place }) => [code, place]),
        [['HF102', { file, line, column: 1 }]],
      );
      assert.match(diagnostics.find(({ code }) => code === 'HF102')?.message ?? '', wrong.says);
    });

    it('is checked, rehearsed cold on private sockets, and has a way back', async () => {
      const site = siteOf(team(origin(1), stack.folder));
      const check = await stack.call('check', { site });
      assert.ok(check.accepted, check.output);
      assert.match(check.rewritten?.join('\n') ?? '', moved);
      const rehearsal = await stack.call('rehearse', { site });
      assert.ok(rehearsal.ok);
      assert.deepEqual(rehearsal.witnesses, []);
      assert.ok(rehearsal.replaced.some((line) => line.includes('a rehearsal writes to no log')));
      const wayBack = await until('a way back', async () => {
        const found = await stack.call('wayBack', {});
        if (!found.ok) throw new Error(JSON.stringify(found.tried));
        return found;
      });
      assert.match(wayBack.tried.at(-1)?.what ?? '', /GET http:.*public socket/);
    });

    for (const kind of kinds)
      it(`a change and its rollback fail no request: ${kind} connections`, async (t) => {
        const site = siteOf(team(origin(1), stack.folder));
        const change = `change-${kind}`;
        const load = await startLoadProcess({
          ...usualLoad,
          kind,
          tls: kind === 'h2',
          port: kind === 'h2' ? https : http,
          ratePerSecond: 200,
          connections: 8,
          hostname: 'shop.example',
        });
        t.after(() => load.kill());
        const { witnesses, serversDown } = await stack.call('candidate', { site, change }, 60_000);
        assert.deepEqual([witnesses, serversDown], [[], []]);
        await stack.call('expose', { change, share: 1, leaseMs: 5_000, requestsMax: null });
        if (kind === 'new')
          await until('the candidate to be counted', async () => {
            const { candidate } = await stack.call('observe', { change });
            return candidate.requests > 10 && candidate.errors === 0;
          });
        await stack.call('promote', { change });
        const promotedAt = Date.now();
        await until('the generation before to end', async () => {
          const { generations } = await stack.call('status', {});
          return generations.length === 2 && generations.every((g) => g.role !== 'draining');
        });
        if (checkBoot) {
          const boot = join(stack.state, 'last-good/haproxy.cfg');
          assert.equal(readFileSync(boot, 'utf8'), site.text);
          const [program, ...args] = checkBoot;
          execFileSync(program, [...args, boot], { stdio: 'pipe' });
        }
        const backAt = Date.now();
        await stack.call('rollback', { reason: 'tried', change });
        const doneAt = Date.now();
        await until(
          'what was rolled back to end',
          async () => (await stack.call('status', {})).generations.length === 2,
        );
        await until('enough requests', async () => (await load.counts()).ended > requestsAtLeast);
        const { records } = await load.stop();
        const markers = (from: number, to: number) =>
          records
            .filter((r) => r.sentAt > from + settledMs && r.endedAt < to - 50 && r.outcome === 'ok')
            .map((r) => r.marker.trim());
        assert.deepEqual(
          markers(promotedAt, backAt).filter((name) => name !== 'after'),
          [],
        );
        assert.deepEqual(
          markers(doneAt, Date.now()).filter((name) => name !== 'before'),
          [],
        );
        const broken = records.filter((r) => r.outcome !== 'ok' && r.outcome !== 'refused stream');
        assert.deepEqual(broken, []);
        assert.ok(records.length > requestsAtLeast);
      });
  });

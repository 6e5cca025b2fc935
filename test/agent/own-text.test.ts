import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ask } from '../world/ask.ts';
import { selfSigned } from '../world/certificate.ts';
import { startLoadProcess, usualLoad } from '../world/load.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { freePort, type Stack, startStack, textOf, until } from '../world/stack.ts';

const versions: Origin[] = [];
const settledMs = 400;
const { key, cert } = selfSigned('shop.example');
let stack: Stack;
let http: number;
let https: number;

/** As a team writes it: rights, a control socket and a log of its own, a key for root only, a socket to itself. */
function haproxyText({ port }: Origin, folder: string): string {
  const bundle = join(folder, 'site.pem');
  writeFileSync(bundle, `${cert}${key}`);
  chmodSync(bundle, 0o600);
  return `global
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

describe("a team's own haproxy.cfg under Holdfast", () => {
  before(async () => {
    versions.push(await startOrigin({ name: 'before' }), await startOrigin({ name: 'after' }));
    [http, https] = [await freePort(), await freePort()];
    stack = await startStack({
      siteText: (folder) => haproxyText(origin(0), folder),
      engine: 'haproxy',
      dialect: 'haproxy',
    });
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

  it('serves, with its socket to itself and a key that the engine could not read', async () => {
    assert.equal((await ask(http)).body.trim(), 'before');
    assert.equal((await ask(http, { path: '/inside' })).body, 'inside');
    const { engine, addresses } = await stack.call('status', {});
    assert.equal(engine, 'haproxy');
    assert.deepEqual(addresses, [`http://127.0.0.1:${http}`, `https://127.0.0.1:${https}`]);
  });

  it("the engine's own mistakes are told with the team's line, although a line stands before it that was added", async () => {
    const wrong = haproxyText(origin(0), stack.folder).replace(
      '  use_backend inside',
      '  use_backends inside',
    );
    const { accepted, diagnostics } = await stack.call('check', {
      site: textOf(wrong, stack.folder, 'haproxy'),
    });
    assert.equal(accepted, false);
    const line = wrong.split('\n').findIndex((text) => text.includes('use_backends')) + 1;
    assert.deepEqual(
      diagnostics.map(({ code, place }) => [code, place]),
      [['HF102', { file: 'haproxy.cfg', line, column: 1 }]],
    );
    assert.match(diagnostics[0]?.message ?? '', /^unknown keyword 'use_backends'/);
  });

  it('is checked, rehearsed cold on private sockets, and has a way back', async () => {
    const site = textOf(haproxyText(origin(1), stack.folder), stack.folder, 'haproxy');
    const check = await stack.call('check', { site });
    assert.ok(check.accepted, check.output);
    assert.ok(check.rewritten?.some((line) => line.includes(`bind 127.0.0.1:${http} -> bind fd@3`)));
    const rehearsal = await stack.call('rehearse', { site });
    assert.ok(rehearsal.ok);
    assert.deepEqual(rehearsal.witnesses, []);
    assert.ok(rehearsal.replaced.some((line) => line.includes('a rehearsal writes to no log')));
    const wayBack = await stack.call('wayBack', {});
    assert.ok(wayBack.ok, JSON.stringify(wayBack.tried));
    assert.match(wayBack.tried.at(-1)?.what ?? '', /GET http:.*public socket/);
  });

  for (const kind of ['new', 'kept', 'h2'] as const) {
    it(`a change and its rollback fail no request: ${kind} connections`, async () => {
      const site = textOf(haproxyText(origin(1), stack.folder), stack.folder, 'haproxy');
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
      const { witnesses, serversDown } = await stack.call('candidate', { site, change });
      assert.deepEqual([witnesses, serversDown], [[], []]);
      await stack.call('expose', { change, share: 1, leaseMs: 5_000, requestsMax: null });
      await stack.call('promote', { change });
      const promotedAt = Date.now();
      await until('the generation before to end', async () => {
        const { generations } = await stack.call('status', {});
        return generations.length === 2 && generations.every((g) => g.role !== 'draining');
      });
      assert.equal(readFileSync(join(stack.state, 'last-good/haproxy.cfg'), 'utf8'), site.text);
      execFileSync('haproxy', ['-c', '-f', join(stack.state, 'last-good/haproxy.cfg')], { stdio: 'pipe' });
      const backAt = Date.now();
      await stack.call('rollback', { reason: 'tried', change });
      const doneAt = Date.now();
      await until(
        'what was rolled back to end',
        async () => (await stack.call('status', {})).generations.length === 2,
      );
      const { records } = await load.stop();
      const between = (from: number, to: number) =>
        records.filter((r) => r.sentAt > from + settledMs && r.endedAt < to - 50 && r.outcome === 'ok');
      const names = (some: typeof records) => [...new Set(some.map((r) => r.marker.trim()))];
      assert.deepEqual(
        names(between(promotedAt, backAt)).filter((name) => name !== 'after'),
        [],
      );
      assert.deepEqual(
        names(between(doneAt, Date.now())).filter((name) => name !== 'before'),
        [],
      );
      const broken = records.filter((r) => r.outcome !== 'ok' && r.outcome !== 'refused stream');
      assert.deepEqual(broken, []);
      assert.ok(records.length > 100);
    });
  }
});

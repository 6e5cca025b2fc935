import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');

test('a bundle is written with everything down, names nobody, and says what it could not have', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bundle-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const env = { ...process.env, HOLDFAST_RUN: join(folder, 'run'), HOLDFAST_STATE: join(folder, 'state') };
  mkdirSync(join(folder, 'run/shop/lb-1/g1'), { recursive: true });
  mkdirSync(join(folder, 'state/shop'), { recursive: true });
  writeFileSync(
    join(folder, 'run/shop/lb-1/g1/engine.log'),
    `${'x\n'.repeat(300_000)}10.1.2.3 refused, by maria@acme-shop.de\n`,
  );
  const text = 'backend web\n  server web1 10.1.2.3:80 check\n  stats auth admin:hunter2\n';
  const site = {
    file: 'haproxy.cfg',
    folder: '/etc/haproxy',
    text,
    hash: 'aa',
    includes: [{ path: '/etc/haproxy/../../x.map', text: 'shop.acme-shop.de web' }],
  };
  writeFileSync(join(folder, 'state/shop/site.json'), JSON.stringify(site));
  const out = join(folder, 'b.tar.gz');
  const answer = JSON.parse(
    execFileSync(process.execPath, [join(root, 'src/main/cli.ts'), 'bundle', '--out', out, '--json'], {
      env,
      encoding: 'utf8',
    }),
  ) as { contains: { name: string; bytes: number }[]; missing: string[]; replaced: number };
  const names = answer.contains.map(({ name }) => name);
  for (const name of ['README.md', 'versions/system.txt', 'text/haproxy.cfg', 'logs/lb-1/g1/engine.log'])
    assert.ok(names.includes(name), name);
  assert.ok(answer.missing.some((line) => line.startsWith('what the controller says')));
  const inside = join(folder, 'inside');
  mkdirSync(inside);
  execFileSync('tar', ['-xzf', out, '-C', inside]);
  const read = (name: string) => readFileSync(join(inside, name), 'utf8');
  assert.equal(
    read('text/haproxy.cfg'),
    'backend web\n  server web1 192.0.2.1:80 check\n  stats auth USER:SECRET\n',
  );
  const log = read('logs/lb-1/g1/engine.log');
  assert.match(log, /^\(the last 262144 of \d+ bytes\)/);
  assert.match(log, /192\.0\.2\.1 refused, by person-1@site\.example\n$/);
  for (const name of names) assert.doesNotMatch(read(name), /10\.1\.2\.3|acme|hunter2/, name);
  const kept = join(folder, 'b.names.json');
  assert.equal((JSON.parse(readFileSync(kept, 'utf8')) as Record<string, string>)['192.0.2.1'], '10.1.2.3');
  assert.equal(statSync(kept).mode & 0o077, 0);
});

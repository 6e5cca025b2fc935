import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { recentTraffic } from '../../src/main/recent-traffic.ts';
import { shop } from '../world/changes.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-traffic-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const running = (log: string) => ({
  file: 'shop.yaml',
  folder,
  text: shop(['10.0.0.1:80'], log === '' ? '' : `accessLog: file:${log}\n`),
});

it('the newest requests of the access log of the site that runs', () => {
  const log = join(folder, 'access.log');
  const line = (n: number) =>
    JSON.stringify({ method: 'GET', host: 'shop.example', path: `/${n}`, status: 200 });
  writeFileSync(log, `${Array.from({ length: 6_000 }, (_, n) => line(n)).join('\n')}\n`);
  const traffic = recentTraffic(running(log)) ?? assert.fail();
  assert.equal(traffic.requests.length, 5_000);
  assert.deepEqual(
    [traffic.requests[0]?.path, traffic.requests.at(-1)?.path, traffic.unread],
    ['/1000', '/5999', 0],
  );
});

it('null where the site writes none, or none is there', () => {
  assert.equal(recentTraffic(running('')), null);
  assert.equal(recentTraffic(running(join(folder, 'none.log'))), null);
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLog } from '#base';
import { type Renewals, watchRenewals } from '#change';
import type { ApplyRequest } from '#contract';
import { parseSite, readCertificates, siteHash } from '#model';
import { selfSigned } from '../world/certificate.ts';
import { fiveServers, fourServers, request, shop, type World, worldFrom } from '../world/changes.ts';
import { simulatedClock } from '../world/clock.ts';

/** Certificates are renewed, and files vanish, while a change waits, is tried or bakes. */

const eyes = 'policies:\n  - { name: "a second pair of eyes", approvals: 1, risk: low }\n';
const withTls = (servers: readonly string[]) =>
  shop(servers, eyes).replace(
    'routes:\n',
    '  - { name: https, address: "*:8443", tls: { certificates: [{ certificate: cert.pem, key: key.pem }] } }\nroutes:\n',
  );

interface Disk {
  pair: { readonly key: string; readonly cert: string } | null;
  writes: number;
}

async function shopOnDisk(): Promise<{
  readonly one: World;
  readonly disk: Disk;
  readonly renewals: Renewals;
}> {
  const disk: Disk = { pair: selfSigned('shop.example'), writes: 0 };
  const readFile = async (path: string) => {
    if (!disk.pair) throw new Error(`no file ${path}`);
    return path.endsWith('key.pem') ? disk.pair.key : disk.pair.cert;
  };
  const text = withTls(fourServers);
  const { site } = parseSite(text, 'shop.yaml', '/srv/shop');
  assert.ok(site);
  const hash = siteHash(site, await readCertificates(site, readFile));
  const first = { file: 'shop.yaml', folder: '/srv/shop', text, hash };
  // A certificate is not valid before it was made.
  const one = worldFrom(first, simulatedClock(Date.now() + 60_000), readFile);
  const renewals = watchRenewals({
    sites: one.sites,
    pipeline: () => one.pipeline,
    readFile,
    stamp: async () => `${disk.writes}`,
    digests: () => [],
    told: async () => {},
    clock: one.clock,
    log: silentLog,
  });
  return { one, disk, renewals };
}

function renew(disk: Disk): void {
  disk.pair = selfSigned('shop.example');
  disk.writes += 1;
}

const propose = (one: World, text: string, more: Partial<ApplyRequest> = {}) =>
  one.clock.run(one.pipeline.propose(request(text, more)));

/** Looks and tends as the controller does, until it is so. */
async function until(one: World, renewals: Renewals, isSo: () => boolean): Promise<void> {
  for (let looks = 0; looks < 400 && !isSo(); looks += 1) {
    await one.clock.run(renewals.look());
    await one.clock.run(one.pipeline.tend());
    await one.clock.pass(1_000);
  }
  assert.ok(isSo(), JSON.stringify(one.pipeline.views().map(({ id, state, why }) => [id, state, why])));
}

const shown = ({ pipeline }: World) => pipeline.views().map(({ by, state }) => `${by} ${state}`);

describe('a certificate that is renewed', () => {
  it('while a change waits for people goes before it, and the change goes on with it', async () => {
    const { one, disk, renewals } = await shopOnDisk();
    const waiting = await propose(one, withTls(fiveServers));
    await until(one, renewals, () => one.pipeline.waits());
    renew(disk);
    await until(one, renewals, () => shown(one).includes('controller promoted'));
    await until(one, renewals, () => one.pipeline.waits());
    assert.deepEqual(shown(one), ['person:anna proposed', 'controller promoted']);
    await one.clock.run(one.pipeline.approve(waiting.id, 'person:berta', ''));
    await until(one, renewals, () => !one.pipeline.busy());
    assert.deepEqual(shown(one), ['person:anna promoted', 'controller promoted']);
    const { current } = one.sites;
    assert.deepEqual(
      one.balancers.map(({ lastGood }) => lastGood.hash),
      [current().hash, current().hash],
    );
    assert.equal(current().text, withTls(fiveServers));
    assert.deepEqual(renewals.trouble(), []);
  });

  it('while a change bakes waits until it has ended, is told, and goes then', async () => {
    const { one, disk, renewals } = await shopOnDisk();
    const change = await propose(one, withTls(fiveServers), { force: true, reason: 'past the review' });
    const state = () => one.pipeline.views().find(({ id }) => id === change.id)?.state;
    await until(one, renewals, () => state() === 'baking');
    renew(disk);
    await until(one, renewals, () => renewals.trouble().length > 0 || state() !== 'baking');
    assert.deepEqual(
      [state(), renewals.trouble()],
      ['baking', ['a renewed certificate waits until another change has ended']],
    );
    await until(one, renewals, () => shown(one).includes('controller promoted'));
    assert.deepEqual(shown(one), ['person:anna promoted', 'controller promoted']);
    assert.equal(one.sites.current().text, withTls(fiveServers));
    await until(one, renewals, () => renewals.trouble().length === 0);
  });
});

describe('a change whose file vanished', () => {
  it('while it waited is abandoned, says so, and the site goes on', async () => {
    const { one, disk, renewals } = await shopOnDisk();
    const first = await propose(one, withTls(fiveServers));
    await until(one, renewals, () => one.pipeline.waits());
    const queued = await propose(one, withTls([...fiveServers, '10.0.0.6:80']), {
      queue: true,
      file: 'other.yaml',
    });
    disk.pair = null;
    await one.clock.run(one.pipeline.abort('person:anna', 'not now', first.id));
    const view = () => one.pipeline.views().find(({ id }) => id === queued.id);
    await until(one, renewals, () => view()?.state === 'abandoned');
    assert.match(view()?.why ?? '', /cert\.pem/);
    assert.deepEqual([one.pipeline.busy(), one.pipeline.queue()], [false, []]);
    assert.equal(one.sites.current().text, withTls(fourServers));
  });

  it('before it was proposed is refused at its line', async () => {
    const { one, disk, renewals } = await shopOnDisk();
    disk.pair = null;
    const { id } = await propose(one, withTls(fiveServers));
    await until(one, renewals, () => !one.pipeline.busy());
    const view = one.pipeline.views().find((change) => change.id === id);
    const report = view?.gates.find(({ gate }) => gate === 'parse');
    assert.deepEqual([view?.state, report?.verdict], ['refused', 'refused']);
    assert.match(report?.evidence[0] ?? '', /shop\.yaml:\d+:\d+ .*cert\.pem/);
  });
});

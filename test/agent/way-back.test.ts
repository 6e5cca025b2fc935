import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { systemClock } from '#base';
import type { EngineControl, Evidence } from '#engines';
import { parseSite, type Site } from '#model';
import type { HeldGeneration } from '../../src/agent/holder/protocol.ts';
import { tryWayBack } from '../../src/agent/way-back.ts';

/** An engine counts a request when it has finished with it: here some time after its client has the answer, or never. */
suite('the way back', () => {
  let server: Server;
  let asked = 0;
  before(async () => {
    server = createServer((_request, response) => {
      asked += 1;
      response.end('good');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(() => server.close());

  test('waits until the request is counted', async () => {
    const countsLateMs = 150;
    let answeredAt = Number.POSITIVE_INFINITY;
    const result = await tried(() => {
      if (asked > 0) answeredAt = Math.min(answeredAt, performance.now());
      return performance.now() - answeredAt >= countsLateMs ? 1 : 0;
    });
    assert.equal(result.ok, true, JSON.stringify(result.tried));
    assert.match(result.tried.at(-1)?.answered ?? '', /^status 200 from generation 7$/);
  });

  test('an engine that cannot tell for a moment is asked again', async () => {
    let told = 0;
    const result = await tried(() => {
      told += 1;
      if (told === 2 || told === 4) throw new Error('its log is not written');
      return asked;
    });
    assert.equal(result.ok, true, JSON.stringify(result.tried));
    assert.ok(told >= 5, `${told}`);
  });

  test('is none when somebody else answered', async () => {
    const result = await tried(() => 0);
    assert.equal(result.ok, false);
    assert.match(result.tried.at(-1)?.answered ?? '', /^status 200, but not from generation 7$/);
  });

  test('asks no listener that wants a certificate, which we have none of', async () => {
    const tls =
      ', tls: { certificates: [{ certificate: a.pem, key: a.key }], clientCertificates: { ca: ca.pem } }';
    const result = await tried(() => 0, tls);
    assert.equal(result.ok, true, JSON.stringify(result.tried));
    assert.equal(asked, 0);
  });

  async function tried(requests: () => number, tls = '') {
    const site = siteAt((server.address() as AddressInfo).port, tls);
    const [balancer] = site.balancers;
    assert.ok(balancer);
    const control = {
      state: async () => 'accepting',
      evidence: async () => ({ requests: requests(), pools: [] }) as unknown as Evidence,
    } as unknown as EngineControl;
    asked = 0;
    return await tryWayBack({ control: () => control, options: { balancer, clock: systemClock } }, site, {
      generation: 7,
      pid: 1,
    } as HeldGeneration);
  }
});

function siteAt(port: number, tls: string): Site {
  const { site, diagnostics } = parseSite(
    `site: shop
listeners: [{ name: http, address: "*:${port}"${tls} }]
routes: [{ name: all, pool: web }]
pools: [{ name: web, servers: [{ name: one, address: 127.0.0.1:1 }] }]
balancers: [{ name: lb-1, engine: haproxy, address: 127.0.0.1 }]
`,
    'site.yaml',
    '/',
  );
  assert.ok(site, JSON.stringify(diagnostics));
  return site;
}

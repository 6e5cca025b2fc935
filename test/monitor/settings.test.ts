import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { formatDiagnostic } from '#base';
import { isMonitorFile, monitorJsonSchema, poolsCounted, readMonitoring } from '#monitor';
import { poolOf, routeTo, siteOf } from '../world/sites.ts';

const site = siteOf({
  pools: [poolOf('web', [1, 2]), poolOf('api', [11])],
  routes: [
    { ...routeTo('api', { path: { type: 'PathPrefix', value: '/api' } }), name: 'api' },
    routeTo('web'),
  ],
});
const told = (text: string) => readMonitoring(text, 'monitor.yaml', site).diagnostics.map(formatDiagnostic);

describe('monitor.yaml', () => {
  it('tells every mistake of its shape at once, with its place and what was meant', () => {
    assert.deepEqual(
      told(`falseAlarmsPerMonth: none
objectives:
  - { name: shop, availability: 999 }
probes:
  - name: home
    every: 5
    htpp: { url: "https://shop.example/" }
prometheus:
  - { name: team, url: "ftp://x.example", series: [{ name: a, expr: up, bad: "much" }] }
`),
      [
        'HF011 monitor.yaml:1:22 falseAlarmsPerMonth: expected a number from 0.01 to 100, got "none"',
        'HF011 monitor.yaml:3:33 objectives[0].availability: expected a share such as 99.9%, got the number 999',
        'HF011 monitor.yaml:6:12 probes[0].every: expected a duration from 1ms to 24h, such as 500ms, 2s or 1m, got the number 5. Add the unit, such as 5s',
        'HF010 monitor.yaml:7:5 probes[0].htpp: expected one of "name", "every", "timeout", "http", "tcp", "tls", "dns", "servers", "ways", got "htpp". Did you mean "http"?',
        'HF013 monitor.yaml:9:24 prometheus[0].url: expected an address that begins with https:// or http://, got "ftp://x.example"',
        'HF013 monitor.yaml:9:78 prometheus[0].series[0].bad: expected a comparison and a number, such as "> 0.05", got "much"',
      ],
    );
  });

  it('tells what is well written and cannot be meant', () => {
    assert.deepEqual(
      told(`objectives:
  - { name: shop, availability: 99.9%, latency: { share: 99% } }
  - { name: shop, pool: wbe, availability: 99.9% }
  - { name: half, probe: hme, availability: 99% }
probes:
  - { name: home, http: { url: "http://127.0.0.1/" } }
  - { name: none }
  - { name: inner, tcp: { address: "[::1]:22" } }
  - { name: meant, tcp: { address: "10.0.0.7:22" } }
openTelemetry: { url: "http://169.254.169.254/", headers: [{ name: key, value: {} }] }
allowedHosts: ["10.0.0.7:22"]
`),
      [
        'HF015 monitor.yaml:3:13 objectives[1].name: expected each objective once, got "shop" again',
        'HF022 monitor.yaml:2:5 objectives[0]: expected exactly one of availability, latency, got availability and latency',
        'HF014 monitor.yaml:3:25 objectives[1].pool: expected the name of a pool, got "wbe". Did you mean "web"?',
        'HF014 monitor.yaml:4:26 objectives[2].probe: expected the name of a probe, got "hme". Did you mean "home"?',
        'HF603 monitor.yaml:6:32 probes[0].http.url: 127.0.0.1 is an inner address. Where it is meant: allowedHosts: ["127.0.0.1"]',
        'HF012 monitor.yaml:7:5 probes[1]: expected exactly one of http, tcp, tls, dns, servers, ways, got none',
        'HF603 monitor.yaml:8:36 probes[2].tcp.address: ::1 is an inner address. Where it is meant: allowedHosts: ["::1"]',
        'HF603 monitor.yaml:10:23 openTelemetry.url: 169.254.169.254 is an inner address. Where it is meant: allowedHosts: ["169.254.169.254"]',
        'HF012 monitor.yaml:10:80 openTelemetry.headers[0].value: expected exactly one of env, file, credential, got none',
      ],
    );
  });

  it('refuses an objective for requests that nobody counts alone', () => {
    const two = siteOf({
      pools: [poolOf('web', [1])],
      routes: [
        { ...routeTo('web', { path: { type: 'PathPrefix', value: '/api' } }), name: 'first' },
        routeTo('web'),
      ],
    });
    assert.equal(poolsCounted(two, { route: 'first' })?.shared, 'web');
    assert.deepEqual(poolsCounted(site, { route: 'api' }), {
      pools: ['api'],
      shared: null,
    });
    const { diagnostics } = readMonitoring(
      `objectives: [{ name: a, route: first, availability: 99% }]`,
      'monitor.yaml',
      two,
    );
    assert.match(diagnostics.map(formatDiagnostic).join(), /HF013 .*come by other ways too/);
  });

  it('never throws, whatever it is given', () => {
    for (const text of [
      'objectives:',
      'probes: 1',
      'probes: [{}]',
      '{',
      'a: &a [*a]',
      'prometheus: [{ url: 1 }]',
    ])
      assert.ok(readMonitoring(text, 'x', null).diagnostics.length > 0, text);
  });

  it('has its shape in schema/monitor.schema.json: UPDATE_GOLDEN=1 writes it anew, npm run format lays it out', async () => {
    const file = new URL('../../schema/monitor.schema.json', import.meta.url);
    const shape = JSON.stringify(monitorJsonSchema(), null, 2);
    if (process.env.UPDATE_GOLDEN) await writeFile(file, shape);
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')), JSON.parse(shape));
  });

  it('is in docs/monitoring.md as it can be used', async () => {
    const page = await readFile(new URL('../../docs/monitoring.md', import.meta.url), 'utf8');
    const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? [];
    assert.ok(isMonitorFile(example));
    assert.ok(!isMonitorFile('site: shop\nprobes: []\n'));
    const { monitoring, diagnostics } = readMonitoring(example, 'monitor.yaml', null);
    assert.deepEqual(diagnostics.map(formatDiagnostic), []);
    assert.deepEqual(
      monitoring?.objectives.map(({ name, share, withinMs, of }) => [name, share, withinMs, of.kind]),
      [
        ['shop', 0.999, null, 'site'],
        ['api', 0.9995, null, 'pool'],
        ['api-fast', 0.99, 300, 'pool'],
        ['home-fast', 0.99, 500, 'probe'],
      ],
    );
    assert.deepEqual(monitoring?.prometheus[0]?.series[0]?.bad, { comparison: '>', value: 5 });
  });
});

import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createServer, type Server } from 'node:tls';
import type { ApiLocation } from '#base';
import type { LiveView } from '#contract';
import type { FaultEvent, JournalEntry } from '#events';
import { selfSigned } from '../world/certificate.ts';
import { type Origin, startOrigin } from '../world/origins.ts';
import { type Receiver, startReceiver } from '../world/receiver.ts';
import { shopText } from '../world/shop.ts';
import { freePort, until } from '../world/stack.ts';
import { type Folders, makeFolders, type, type UpSite, up } from '../world/up.ts';

/** A site with a monitor.yaml, a real Prometheus that scrapes it and is asked by it, and a receiver of OTLP/HTTP. */
let folders: Folders;
let origin: Origin;
let receiver: Receiver;
let site: UpSite;
let prometheus: ChildProcess;
let secure: Server;
const names = createSocket('udp4');
const waitMs = 60_000;
const ports = { site: 0, api: 0, prometheus: 0 };

before(async () => {
  folders = makeFolders();
  origin = await startOrigin({ name: 'one' });
  receiver = await startReceiver();
  ports.site = await freePort();
  ports.api = await freePort();
  ports.prometheus = await freePort();
  const { key, cert } = selfSigned();
  secure = createServer({ key, cert }, (socket) => socket.on('error', () => {}).end());
  await new Promise<void>((listening) => secure.listen(0, '127.0.0.1', listening));
  names.on('message', (question, { port, address }) => {
    const answer = Buffer.from(question);
    // An answer, recursion available, no such name.
    answer.writeUInt16BE(0x8183, 2);
    names.send(answer, port, address);
  });
  await new Promise<void>((bound) => names.bind(0, '127.0.0.1', bound));
  writeFileSync(join(folders.folder, 'monitor.yaml'), monitorText());
  const file = join(folders.folder, 'site.yaml');
  writeFileSync(file, siteText('one'));
  startPrometheus();
  site = await up([file, '--port', String(ports.api)], folders.env);
});

after(async () => {
  prometheus?.kill('SIGKILL');
  await site?.stop();
  await origin.close();
  await receiver.close();
  secure.close();
  names.close();
  folders.remove();
});

function siteText(name: string): string {
  const servers = [{ name, port: origin.port }];
  return shopText({ http: ports.site, https: null, engine: 'haproxy', servers }, folders.folder);
}

function monitorText(made = 'vector(7)'): string {
  const url = `http://127.0.0.1:${ports.site}/`;
  return `
objectives:
  - { name: shop, availability: 99.9% }
  - { name: home, probe: home, availability: 99% }
probes:
  - { name: home, every: 200ms, timeout: 20s, http: { url: "${url}" } }
  - { name: each, every: 200ms, timeout: 20s, http: { url: "${url}", from: balancers } }
  - { name: tls, every: 500ms, timeout: 20s, tls: { address: "127.0.0.1:${(secure.address() as AddressInfo).port}", name: localhost } }
  - { name: name, every: 200ms, timeout: 20s, dns: { name: shop.example, server: "127.0.0.1:${names.address().port}" } }
  - { name: inner, every: 200ms, timeout: 20s, tcp: { address: "localhost:${ports.site}" } }
  - { name: servers, every: 500ms, servers: {} }
prometheus:
  - name: team
    url: http://127.0.0.1:${ports.prometheus}
    every: 500ms
    timeout: 20s
    series:
      - { name: scraped, expr: 'max(up{job="holdfast"})', bad: "== 1", severity: warning }
      - { name: made, expr: "${made}", bad: "> 5", gate: true, alert: false }
openTelemetry: { url: "${receiver.url}/v1/metrics", every: 500ms }
allowedHosts: ["127.0.0.1"]
`;
}

function startPrometheus(): void {
  const config = join(folders.folder, 'prometheus.yml');
  const job = `{ job_name: holdfast, static_configs: [{ targets: ["127.0.0.1:${ports.api}"] }] }`;
  writeFileSync(config, `global: { scrape_interval: 1s }\nscrape_configs: [${job}]\n`);
  prometheus = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folders.folder, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${ports.prometheus}`,
    ],
    { stdio: 'ignore' },
  );
}

function location(): ApiLocation {
  return JSON.parse(readFileSync(join(folders.env.HOLDFAST_RUN, 't/api.json'), 'utf8')) as ApiLocation;
}

async function verdicts(): Promise<readonly string[]> {
  const { url, token } = location();
  const answer = await fetch(`${url}/v1/journal`, { headers: { authorization: `Bearer ${token}` } });
  const { entries } = (await answer.json()) as { entries: readonly JournalEntry[] };
  const located = (event: JournalEntry['event']): event is FaultEvent & { kind: 'fault.located' } =>
    event.kind === 'fault.located';
  return entries.flatMap(({ event }) => (located(event) ? [event.verdict.sentence] : []));
}

async function named(what: string, sentence: RegExp): Promise<void> {
  await until(what, async () => (await verdicts()).some((one) => sentence.test(one)), waitMs);
}

test('names that are lost and certificates that end are seen and named; inner addresses are not asked', async () => {
  await named('the name', /probe name has asked shop\.example \d+ times .* there is no such name/);
  await named('the certificate', /the certificate that 127\.0\.0\.1:\d+ shows ends on .*, in 1 days/);
  await named('the inner address', /probe inner .* localhost is .*, an inner address/);
});

test('Prometheus scrapes what is counted and asked, and its series are evidence here', async () => {
  const asked = async (query: string) => {
    const url = `http://127.0.0.1:${ports.prometheus}/api/v1/query?query=${encodeURIComponent(query)}`;
    const body = (await fetch(url)
      .then((answer) => answer.json())
      .catch(() => null)) as { data?: { result?: { value?: [number, string] }[] } } | null;
    return body?.data?.result?.[0]?.value?.[1];
  };
  const is = (query: string, value: string) =>
    until(query, async () => (await asked(query)) === value, waitMs);
  await is('up{job="holdfast"}', '1');
  await is('probe_success{probe="home"}', '1');
  await is('probe_success{probe="name"}', '0');
  await is('probe_http_status_code{probe="each"}', '200');
  await is('count(probe_ssl_earliest_cert_expiry)', '1');
  await is('holdfast_objective_ratio{objective="shop"}', '0.999');
  await is('count(holdfast_objective_budget_left_ratio)', '2');
  await is('holdfast_false_alarms_budget_per_month', '1');
  const text = await (await fetch(`${location().url}/metrics`)).text();
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.equal(checked.status, 0, `${checked.stdout}${checked.stderr}`);
  await named('the series', /series team\/scraped is 1 \(bad is == 1\)/);
});

test('metrics come by OTLP/HTTP, in the shape that its specification has', async () => {
  await until('an export', async () => receiver.got.some(({ path }) => path === '/v1/metrics'), waitMs);
  const { body } = receiver.got.findLast(({ path }) => path === '/v1/metrics') ?? {};
  const { resourceMetrics } = body as unknown as {
    resourceMetrics: {
      resource: { attributes: { key: string; value: { stringValue: string } }[] };
      scopeMetrics: { metrics: Record<string, unknown>[] }[];
    }[];
  };
  const [first] = resourceMetrics;
  assert.deepEqual(first?.resource.attributes[0], {
    key: 'service.name',
    value: { stringValue: 'holdfast' },
  });
  const metrics = first?.scopeMetrics[0]?.metrics ?? [];
  assert.ok(metrics.some(({ name }) => name === 'probe_success'));
  for (const metric of metrics) {
    const { name, sum, gauge } = metric as {
      name: string;
      sum?: { aggregationTemporality: number; isMonotonic: boolean; dataPoints: unknown[] };
      gauge?: { dataPoints: unknown[] };
    };
    assert.ok((sum === undefined) !== (gauge === undefined), name);
    if (sum) assert.deepEqual([sum.aggregationTemporality, sum.isMonotonic], [2, true]);
    const points = (sum ?? gauge)?.dataPoints ?? [];
    for (const point of points as { timeUnixNano: string; asDouble: number }[]) {
      assert.match(point.timeUnixNano, /^\d{19}$/);
      assert.equal(typeof point.asDouble, 'number');
    }
  }
});

test('no change begins while a series speaks against it, and one that has traffic then is taken back', async () => {
  const file = join(folders.folder, 'next.yaml');
  writeFileSync(file, siteText('another'));
  const refused = await type(['apply', file], { env: folders.env }).ended;
  assert.equal(refused.exit, 1, refused.out + refused.err);
  assert.match(refused.out + refused.err, /HF118 series team\/made is bad \(bad is > 5\): 7/);
  const monitor = join(folders.folder, 'monitor.yaml');
  writeFileSync(monitor, monitorText('vector(3)'));
  const queued = type(['apply', file, '--queue'], { env: folders.env });
  const flying = async () => {
    const { url, token } = location();
    const answer = await fetch(`${url}/v1/changes`, { headers: { authorization: `Bearer ${token}` } });
    return /"state":"(?:canary|baking)"/.test(await answer.text());
  };
  await until('traffic', flying, waitMs);
  writeFileSync(monitor, monitorText('vector(8)'));
  const { exit, out, err } = await queued.ended;
  assert.equal(exit, 1, out + err);
  assert.match(out + err, /series team\/made is bad \(bad is > 5\): 8/);
});

test('a site that dies is named by its probes, and watch shows them', async () => {
  await origin.become('refuses');
  try {
    const view = async () =>
      JSON.parse((await type(['watch', '--once', '--json'], { env: folders.env }).ended).out) as LiveView;
    await until(
      'a fault',
      async () =>
        (await verdicts()).some((one) => /server one of pool web|probe (?:home|each) has asked/.test(one)),
      waitMs,
    );
    await until(
      'the probe',
      async () => (await view()).probes.some((one) => one.probe === 'home' && !one.ok),
      waitMs,
    );
    // What is asked of it began anew with the last monitor.yaml.
    await until(
      'answers of home',
      async () => (await view()).objectives.some((one) => one.objective === 'home' && one.requests > 0),
      waitMs,
    );
  } finally {
    await origin.become('right');
  }
});

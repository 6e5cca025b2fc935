/**
 * What teams have, every case at the same moment: HAProxy with a backend for each, Prometheus and Alertmanager twice (as the
 * popular collections have them, and as fast as they go), and somebody who asks for a page each minute and speaks at the third
 * failure in a row, as Gatus does when it is told nothing else.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newParts } from '../../src/main/replay/processes.ts';
import { type Binaries, startMonitoring, untilAnswers } from '../../src/main/replay/usual/stack.ts';
import { type Speed, speeds } from '../../src/main/replay/usual/texts.ts';
import { preciseNow, startLoadProcess, usualLoad } from '../../test/world/load.ts';
import type { Origin } from '../../test/world/origins.ts';
import { freePort } from '../../test/world/stack.ts';
import { type Case, deadPort, patienceMs, rate, slowMs, strike, tenOrigins } from './case.ts';

/** Milliseconds from the first bad answer to the page. Null: none came. */
export type UsualPages = Readonly<Record<Speed | 'asking each minute', number | null>>;

interface Lane {
  readonly name: string;
  readonly one: Case;
  readonly port: number;
  readonly origins: readonly Origin[];
}

const minuteMs = 60_000;
const failuresInARow = 3;
const askMsMax = 10_000;

export async function usual(
  cases: readonly Case[],
  binaries: Binaries,
  forMs: number,
): Promise<readonly UsualPages[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-usual-'));
  const parts = newParts(folder);
  const ending = new AbortController();
  const lanes: Lane[] = await Promise.all(
    cases.map(async (one, at) => ({
      name: `case${at}`,
      one,
      port: await freePort(),
      origins: await tenOrigins(),
    })),
  );
  const pagers = { default: await pager(), tuned: await pager() };
  try {
    const metrics = await freePort();
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, haproxyText(lanes, metrics, false));
    const master = parts.start('haproxy', binaries.haproxy ?? 'haproxy', ['-W', '-f', file]);
    await untilAnswers(master, `http://127.0.0.1:${lanes[0]?.port}/`, ending.signal);
    for (const speed of ['default', 'tuned'] as const) {
      mkdirSync(join(folder, speed));
      const mine = newParts(join(folder, speed));
      ending.signal.addEventListener('abort', () => void mine.endAll());
      const ports = { metrics, pager: pagers[speed].port };
      const plan = { parts: mine, binaries, folder: join(folder, speed), rules: rulesText(speed), ports };
      await startMonitoring({ ...plan, speed, groupBy: ['proxy'], signal: ending.signal });
    }
    const loads = await Promise.all(
      lanes.map(({ port }) =>
        startLoadProcess({
          ...usualLoad,
          port,
          ratePerSecond: rate,
          timeoutMs: patienceMs,
          expectBody: 'web',
        }),
      ),
    );
    try {
      const asked = lanes.map(({ port }) => asking(port, ending.signal));
      // Rates need two looks of Prometheus at what is usual, and a minute of them.
      await sleep(minuteMs + Math.random() * minuteMs);
      const at = preciseNow();
      await Promise.all(lanes.map(({ one, origins }) => (one.ways ? strike(origins, one.ways) : null)));
      writeFileSync(file, haproxyText(lanes, metrics, true));
      process.kill(master.pid, 'SIGUSR2');
      const end = performance.now() + forMs;
      const isDone = () =>
        lanes.every(
          ({ name }, index) => pagers.default.at(name) && pagers.tuned.at(name) && asked[index]?.pagedAt(),
        );
      while (performance.now() < end && !isDone()) await sleep(100);
      const results = await Promise.all(loads.map((load) => load.stop()));
      return lanes.map(({ name }, index) => {
        const first = (results[index]?.records ?? [])
          .filter(
            ({ outcome, endedAt, dueAt }) => endedAt >= at && (outcome !== 'ok' || endedAt - dueAt > slowMs),
          )
          .reduce((least, { endedAt }) => Math.min(least, endedAt), Number.POSITIVE_INFINITY);
        const after = (paged: number | null) => (paged === null || paged < at ? null : paged - first);
        return {
          default: after(pagers.default.at(name)),
          tuned: after(pagers.tuned.at(name)),
          'asking each minute': after(asked[index]?.pagedAt() ?? null),
        };
      });
    } finally {
      for (const load of loads) load.kill();
    }
  } finally {
    ending.abort();
    await parts.endAll();
    for (const { close } of Object.values(pagers)) close();
    for (const origin of lanes.flatMap(({ origins }) => origins)) await origin.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** One who asks each minute, from a moment of chance on. */
function asking(port: number, signal: AbortSignal): { pagedAt(): number | null } {
  let pagedAt: number | null = null;
  let failures = 0;
  const ask = async () => {
    const isGood = await fetch(`http://127.0.0.1:${port}/`, {
      signal: AbortSignal.timeout(askMsMax),
      headers: { connection: 'close' },
    })
      .then(async (answer) => (await answer.text()) !== '' && answer.ok)
      .catch(() => false);
    failures = isGood ? 0 : failures + 1;
    if (failures === failuresInARow) pagedAt ??= preciseNow();
  };
  void (async () => {
    await sleep(Math.random() * minuteMs, null, { signal });
    for (;;) {
      void ask();
      await sleep(minuteMs, null, { signal });
    }
  })().catch(() => {});
  return { pagedAt: () => pagedAt };
}

/** Takes Alertmanager's webhook, and notes when each backend's first page came. */
async function pager(): Promise<{ port: number; at(proxy: string): number | null; close(): void }> {
  const first = new Map<string, number>();
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      response.end();
      const { alerts } = JSON.parse(body) as { alerts: { status: string; labels: { proxy?: string } }[] };
      for (const { status, labels } of alerts)
        if (status === 'firing' && labels.proxy && !first.has(labels.proxy))
          first.set(labels.proxy, preciseNow());
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    at: (proxy) => first.get(proxy) ?? null,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A share of 5xx and a time to answer; the idea of each is that of awesome-prometheus-alerts' HAProxy rules. */
function rulesText(speed: Speed): string {
  const { window, for: forTime } = speeds[speed];
  const rate = (more: string) =>
    `sum by (proxy) (rate(haproxy_backend_http_responses_total${more}[${window}]))`;
  const rule = (name: string, expression: string) =>
    `      - { alert: ${name}, expr: '${expression}', for: ${forTime}, labels: { severity: critical } }\n`;
  return `groups:\n  - name: haproxy\n    rules:\n${rule('Errors', `${rate('{code="5xx"}')} > 0.05 * ${rate('')}`)}${rule(
    'BrokenOff',
    `sum by (proxy) (rate(haproxy_backend_response_errors_total[${window}])) > 0.05 * ${rate('')}`,
  )}${rule('Slow', 'max by (proxy) (haproxy_backend_response_time_average_seconds) > 0.5')}`;
}

function haproxyText(lanes: readonly Lane[], metrics: number, isChanged: boolean): string {
  const lane = ({ name, one, port, origins }: Lane) => `frontend www-${name}
  bind 127.0.0.1:${port}
  default_backend ${name}
backend ${name}
  balance roundrobin
${origins.map((origin, at) => `  server web-${at + 1} 127.0.0.1:${isChanged && one.ways === null ? deadPort : origin.port}${one.isBlind ? '' : ' check'}`).join('\n')}
`;
  return `global
  maxconn 4096
defaults
  mode http
  retries 3
  timeout connect 5s
  timeout client 50s
  timeout server 50s
  default-server inter 2000 fall 3 rise 2
frontend metrics
  bind 127.0.0.1:${metrics}
  http-request use-service prometheus-exporter if { path /metrics }
${lanes.map(lane).join('')}`;
}

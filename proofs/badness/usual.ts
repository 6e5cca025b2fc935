/**
 * What teams have, as fast as it goes: Prometheus looks every second, Alertmanager waits for nothing, and in place of a person
 * a program puts the configuration of before back in the moment of the page.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newParts, type Part, type Parts } from '../../src/main/replay/processes.ts';
import { startPager } from '../../src/main/replay/usual/pager.ts';
import { type Binaries, startMonitoring, untilAnswers } from '../../src/main/replay/usual/stack.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { undoing } from '../proof.ts';
import type { Badness } from './kinds.ts';
import { type Outcome, underLoad } from './load.ts';

export interface Usual {
  readonly name: string;
  /** Alerts on a share of 5xx, and on time to answer, from the balancer's own metrics. */
  readonly rules: string;
  start(place: Place, servers: readonly number[]): Promise<Running>;
}

export interface Place {
  readonly folder: string;
  readonly parts: Parts;
  readonly binaries: Binaries;
  readonly port: number;
  readonly metricsPort: number;
  readonly never: AbortSignal;
}

export interface Running {
  /** Makes these the servers, the way this balancer is told. */
  use(servers: readonly number[]): Promise<void>;
}

/** Nobody is paged within this time: a person would notice, and take it back. */
const pageMsMax = 15_000;

export async function usualRun(
  usual: Usual,
  { kind, rate, good, bad, binaries }: UsualPlan,
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-usual-'));
  const parts = newParts(folder);
  const pager = await startPager();
  const never = new AbortController().signal;
  const end = undoing(async () => {
    pager.close();
    await parts.endAll();
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    const [port, metricsPort] = [await freePort(), await freePort()];
    const running = await usual.start({ folder, parts, binaries, port, metricsPort, never }, good);
    const ports = { metrics: metricsPort, pager: pager.port };
    const { rules } = usual;
    await startMonitoring({ parts, binaries, folder, speed: 'tuned', rules, ports, signal: never });
    return await underLoad({ port, rate, timeoutMs: kind.timeoutMs }, async () => {
      await running.use(bad);
      const paged = until('the page', async () => pager.pagedAt() !== null, pageMsMax);
      const what = await paged.then(
        () => 'taken back at the page',
        () => `not seen within ${pageMsMax / 1_000} s`,
      );
      await running.use(good);
      return what;
    });
  } finally {
    await end();
  }
}

export interface UsualPlan {
  readonly kind: Badness;
  readonly rate: number;
  readonly good: readonly number[];
  readonly bad: readonly number[];
  readonly binaries: Binaries;
}

const rule = (name: string, expression: string) =>
  `      - { alert: ${name}, expr: '${expression}', labels: { severity: critical } }\n`;
const rules = (errors: string, slow: string) =>
  `groups:\n  - name: site\n    rules:\n${rule('Errors', errors)}${rule('Slow', slow)}`;

export const haproxy: Usual = {
  name: 'HAProxy, reload',
  rules: rules(
    'sum(rate(haproxy_backend_http_responses_total{code="5xx"}[5s])) > 0.05 * sum(rate(haproxy_backend_http_responses_total[5s]))',
    'max(haproxy_backend_response_time_average_seconds) > 0.5',
  ),
  async start({ folder, parts, binaries, port, metricsPort, never }, servers) {
    const file = join(folder, 'haproxy.cfg');
    const write = (ports: readonly number[]) => writeFileSync(file, haproxyText(port, metricsPort, ports));
    write(servers);
    const master = parts.start('haproxy', binaries.haproxy ?? 'haproxy', ['-W', '-f', file]);
    await untilAnswers(master, `http://127.0.0.1:${port}/`, never);
    return {
      async use(ports) {
        write(ports);
        process.kill(master.pid, 'SIGUSR2');
      },
    };
  },
};

const haproxyText = (port: number, metricsPort: number, servers: readonly number[]) => `global
  maxconn 8000
defaults
  mode http
  timeout connect 5s
  timeout client 50s
  timeout server 50s
frontend www
  bind 127.0.0.1:${port}
  default_backend web
frontend metrics
  bind 127.0.0.1:${metricsPort}
  http-request use-service prometheus-exporter if { path /metrics }
backend web
  balance roundrobin
  default-server check inter 2000 fall 3 rise 2
${servers.map((at, index) => `  server web-${index + 1} 127.0.0.1:${at}`).join('\n')}
`;

export const caddy: Usual = {
  name: 'Caddy, admin API',
  rules: rules(
    'sum(rate(caddy_http_request_duration_seconds_count{code=~"5.."}[5s])) > 0.05 * sum(rate(caddy_http_request_duration_seconds_count[5s]))',
    'sum(rate(caddy_http_request_duration_seconds_sum[5s])) / sum(rate(caddy_http_request_duration_seconds_count[5s])) > 0.5',
  ),
  async start({ folder, parts, port, metricsPort, never }, servers) {
    const file = join(folder, 'caddy.json');
    writeFileSync(file, JSON.stringify(caddyConfig(port, metricsPort, servers)));
    const part: Part = parts.start('caddy', 'caddy', ['run', '--config', file]);
    await untilAnswers(part, `http://127.0.0.1:${port}/`, never);
    return {
      async use(ports) {
        const body = JSON.stringify(caddyConfig(port, metricsPort, ports));
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(`http://127.0.0.1:${metricsPort}/load`, { method: 'POST', headers, body });
        if (!answer.ok) throw new Error(`caddy: ${await answer.text()}`);
      },
    };
  },
};

/** As `reverse_proxy` in a Caddyfile makes it; its admin address gives the metrics too. */
function caddyConfig(port: number, metricsPort: number, servers: readonly number[]) {
  const upstreams = servers.map((at) => ({ dial: `127.0.0.1:${at}` }));
  const load_balancing = { selection_policy: { policy: 'round_robin' } };
  const routes = [{ handle: [{ handler: 'reverse_proxy', upstreams, load_balancing }] }];
  const www = { listen: [`127.0.0.1:${port}`], automatic_https: { disable: true }, metrics: {}, routes };
  return {
    admin: { listen: `127.0.0.1:${metricsPort}` },
    logging: { logs: { default: { level: 'ERROR' } } },
    apps: { http: { servers: { www } } },
  };
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, systemClock } from '#base';
import { freePort } from '../origins.ts';
import { findCommand, type Part, type Parts } from '../processes.ts';
import type { Scene } from '../scene.ts';
import { alertmanagerText, haproxyText, prometheusText, type Speed } from './texts.ts';

/** What the arm runs, each null where it is not installed. */
export interface Binaries {
  readonly haproxy: string | null;
  readonly prometheus: string | null;
  readonly alertmanager: string | null;
}

export function findBinaries(): Binaries {
  return {
    haproxy: findCommand('haproxy'),
    prometheus: findCommand('prometheus'),
    alertmanager: findCommand('prometheus-alertmanager', 'alertmanager'),
  };
}

export interface BalancerUnderTest {
  readonly master: Part;
  readonly sitePort: number;
  readonly metricsPort: number;
  readonly file: string;
  readonly goodText: string;
  readonly badText: string;
}

const startTimeoutMs = 20_000;
const pollMs = 50;

export async function startBalancer(
  parts: Parts,
  haproxy: string,
  folder: string,
  scene: Scene,
  signal: AbortSignal,
): Promise<BalancerUnderTest> {
  const ports = { site: await freePort(), metrics: await freePort() };
  const [goodText, badText] = [false, true].map((isChanged) => haproxyText(ports, scene.servers, isChanged));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, goodText ?? '');
  const master = parts.start('haproxy', haproxy, ['-W', '-f', file]);
  await untilAnswers(master, `http://127.0.0.1:${ports.site}/`, signal);
  return {
    ...{ master, file, goodText: goodText ?? '', badText: badText ?? '' },
    ...{ sitePort: ports.site, metricsPort: ports.metrics },
  };
}

export interface MonitoringPlan {
  readonly parts: Parts;
  readonly binaries: Binaries;
  readonly folder: string;
  readonly speed: Speed;
  /** Prometheus' own text. */
  readonly rules: string;
  readonly ports: { readonly metrics: number; readonly pager: number };
  /** Labels whose alerts are one page; absent: all are. */
  readonly groupBy?: readonly string[];
  readonly signal: AbortSignal;
}

/** Prometheus and, where it is installed, Alertmanager. Resolves after the first scrape. */
export async function startMonitoring(plan: MonitoringPlan): Promise<void> {
  const { parts, folder, speed, ports, signal } = plan;
  const { prometheus, alertmanager } = plan.binaries;
  if (prometheus === null) return;
  let alertmanagerPort: number | null = null;
  if (alertmanager !== null) {
    alertmanagerPort = await freePort();
    await writeFile(join(folder, 'alertmanager.yml'), alertmanagerText(speed, ports.pager, plan.groupBy));
    const part = parts.start('alertmanager', alertmanager, [
      '--config.file=alertmanager.yml',
      '--storage.path=alertmanager',
      '--cluster.listen-address=',
      `--web.listen-address=127.0.0.1:${alertmanagerPort}`,
    ]);
    await untilAnswers(part, `http://127.0.0.1:${alertmanagerPort}/-/ready`, signal);
  }
  const port = await freePort();
  await writeFile(join(folder, 'rules.yml'), plan.rules);
  await writeFile(join(folder, 'prometheus.yml'), prometheusText(speed, ports.metrics, alertmanagerPort));
  const part = parts.start('prometheus', prometheus, [
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=prometheus',
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
  await untilAnswers(part, `http://127.0.0.1:${port}/api/v1/query?query=up`, signal, (text) =>
    text.includes('"1"]'),
  );
}

/** Rejects when the part ended, or is not as it should be within `startTimeoutMs`. */
export async function untilAnswers(
  part: Part,
  url: string,
  signal: AbortSignal,
  isRight: (text: string) => boolean = () => true,
): Promise<void> {
  const deadline = systemClock.monotonicMs() + startTimeoutMs;
  for (;;) {
    signal.throwIfAborted();
    if (part.hasEnded()) throw new Failure('HF303', `${part.name} ended while it started`, part.said());
    const text = await textOf(url);
    if (text !== null && isRight(text)) return;
    if (systemClock.monotonicMs() > deadline) {
      throw new Failure(
        'HF303',
        `${part.name} was not ready within ${startTimeoutMs / 1_000} s`,
        part.said(),
      );
    }
    await systemClock.sleep(pollMs, signal);
  }
}

async function textOf(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, {
      signal: AbortSignal.timeout(2_000),
      headers: { connection: 'close' },
    });
    return response.ok ? await response.text() : null;
  } catch {
    return null;
  }
}

/**
 * The usual stack at its best: HAProxy, or NGINX, under a service manager that starts it again, Prometheus every second, Alertmanager
 * that waits for nothing, and in place of a person a program that puts everything back in the moment of the page.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newParts, type Part, type Parts } from '../../src/main/replay/processes.ts';
import { startPager } from '../../src/main/replay/usual/pager.ts';
import { type Binaries, startMonitoring, untilAnswers } from '../../src/main/replay/usual/stack.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { haproxy as usualHaproxy } from '../badness/usual.ts';
import { type Requests, underRequests } from './requests.ts';
import type { Scenario, Servers, Usual } from './scenario.ts';

/** Nobody is paged within this time: sooner or later a customer calls. */
const pageMsMax = 20_000;
/** As systemd does: after a tenth of a second, and five times within ten seconds. */
const startAgainMs = 100;
const startsMax = 5;
const quietMs = 2_000;

export interface UsualOutcome extends Requests {
  readonly seenMs: number | null;
}

export async function onTheUsualStack(
  scenario: Scenario,
  servers: Servers,
  binaries: Binaries,
): Promise<UsualOutcome> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-usual-'));
  const parts = newParts(folder);
  const pager = await startPager();
  const signal = new AbortController().signal;
  const [port, metricsPort] = [await freePort(), await freePort()];
  const usual = scenario.usual({ folder, port, metricsPort, servers });
  const service = startService(parts, folder, binaries, usual);
  try {
    await untilAnswers(service.part(), `http://127.0.0.1:${metricsPort}/metrics`, signal);
    const ports = { metrics: metricsPort, pager: pager.port };
    const rules = `${usualHaproxy.rules}      - { alert: Down, expr: 'up == 0', labels: { severity: critical } }\n`;
    await startMonitoring({ parts, binaries, folder, speed: 'tuned', rules, ports, signal });
    let seenMs: number | null = null;
    const requests = await underRequests(scenario, port, async () => {
      const began = performance.now();
      for (let comes = 0; comes <= (usual.again ?? 0); comes += 1) {
        usual.world?.breaks();
        await service.take(usual.bad ?? usual.text, usual.by);
        // A page tells of it once, and stays open: the second time nothing is sent before the first has been closed.
        const paged =
          comes > 0 ? sleep(pageMsMax / 4) : until('a page', async () => pager.pagedAt(), pageMsMax);
        const isSeen = await paged.then(
          () => true,
          () => false,
        );
        if (comes === 0 && isSeen) seenMs = Math.round(performance.now() - began);
        usual.world?.mends();
        await service.take(usual.text, usual.by === 'restart' || service.hasEnded() ? 'restart' : 'reload');
      }
      await sleep(quietMs);
    });
    return { ...requests, seenMs };
  } finally {
    service.end();
    pager.close();
    await parts.endAll();
    rmSync(folder, { recursive: true, force: true });
  }
}

function startService(parts: Parts, folder: string, binaries: Binaries, usual: Usual) {
  const { engine = 'haproxy', on = (...words: string[]) => words } = usual;
  const file = join(folder, engine === 'nginx' ? 'nginx.conf' : 'haproxy.cfg');
  const words =
    engine === 'nginx'
      ? ['nginx', '-p', folder, '-e', 'stderr', '-c', file, '-g', 'daemon off;']
      : [usual.haproxy ?? binaries.haproxy ?? 'haproxy', '-W', '-db', '-f', file];
  const start = () => {
    const [command = '', ...args] = on(...(words as [string, ...string[]]));
    return parts.start(engine, command, args);
  };
  writeFileSync(file, usual.text);
  let part: Part = start();
  let starts = 1;
  let over = false;
  const timer = setInterval(() => {
    if (over || !part.hasEnded() || starts > startsMax) return;
    starts += 1;
    part = start();
  }, startAgainMs);
  return {
    part: () => part,
    hasEnded: () => part.hasEnded(),
    async take(text: string, by: Usual['by']) {
      writeFileSync(file, text);
      if (by === 'reload' && !part.hasEnded()) {
        process.kill(part.pid, engine === 'nginx' ? 'SIGHUP' : 'SIGUSR2');
        return;
      }
      over = true;
      if (!part.hasEnded()) process.kill(part.pid, 'SIGTERM');
      await until('its end', async () => part.hasEnded());
      part = start();
      [starts, over] = [1, false];
    },
    end: () => clearInterval(timer),
  };
}

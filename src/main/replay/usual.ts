import { spawnSync } from 'node:child_process';
import { rename, writeFile } from 'node:fs/promises';
import { type Log, systemClock } from '#base';
import { interruption } from './interruption.ts';
import { preciseNow, usualLoad } from './load.ts';
import { type LoadProcess, startLoadProcess } from './load-process.ts';
import { clientTimeoutMs, until, untilQuiet } from './load-watch.ts';
import { peopleUsually } from './people.ts';
import { newParts } from './processes.ts';
import { figures, type ReplayRun, runOf } from './run.ts';
import { startScene } from './scene.ts';
import { type Pager, startPager } from './usual/pager.ts';
import {
  type BalancerUnderTest,
  type Binaries,
  findBinaries,
  startBalancer,
  startMonitoring,
} from './usual/stack.ts';
import { rulesText, type Speed } from './usual/texts.ts';

export interface UsualOptions {
  /** A folder of its own, which exists. Configurations and what the parts said stay in it. */
  readonly folder: string;
  /** Requests a second. */
  readonly rate: number;
  /** How long a page is awaited after the change; the rollback begins with the page, or then. */
  readonly seconds: number;
  readonly speed: Speed;
  readonly log: Log;
  /** How long the rollback stays without effect: the bug of the report, which this HAProxy does not have. */
  readonly rollbackWithheldMs?: number;
  readonly signal?: AbortSignal;
  /** What is installed; a caller that leaves a part out passes null for it. */
  readonly binaries?: Binaries;
}

export const usualName = 'usual stack';
const nothingHappened = runOf(usualName);
const withheldMsDefault = 3_000;

/**
 * The founding incident on the stack that teams run: HAProxy with `haproxy -c` and reload, Prometheus, Alertmanager, all
 * started here on free ports of the loopback, and ended with the run. Rejects when it is interrupted or a part does not start.
 */
export async function runUsual(options: UsualOptions): Promise<ReplayRun> {
  const binaries = options.binaries ?? findBinaries();
  const leftOut = missingParts(binaries);
  for (const line of leftOut) options.log.warn(line);
  if (binaries.haproxy === null) return { ...nothingHappened, leftOut };

  const { signal, off } = interruption(options.signal);
  const parts = newParts(options.folder);
  const closers: (() => unknown)[] = [off, () => parts.endAll()];
  try {
    const scene = await startScene(options.rate);
    closers.push(() => scene.close());
    const pager = await startPager();
    closers.push(() => pager.close());
    const balancer = await startBalancer(parts, binaries.haproxy, options.folder, scene, signal);
    const ports = { metrics: balancer.metricsPort, pager: pager.port };
    const { folder, speed } = options;
    await startMonitoring({ parts, binaries, folder, speed, rules: rulesText(speed), ports, signal });
    const load = await startLoadProcess({
      ...usualLoad,
      port: balancer.sitePort,
      ratePerSecond: options.rate,
      timeoutMs: clientTimeoutMs,
    });
    closers.push(() => load.kill());
    return {
      ...(await play({ options, signal, haproxy: binaries.haproxy, balancer, pager, load })),
      leftOut,
    };
  } finally {
    for (const close of closers.toReversed()) await close();
  }
}

interface Stage {
  readonly options: UsualOptions;
  readonly signal: AbortSignal;
  readonly haproxy: string;
  readonly balancer: BalancerUnderTest;
  readonly pager: Pager;
  readonly load: LoadProcess;
}

async function play({ options, signal, haproxy, balancer, pager, load }: Stage): Promise<ReplayRun> {
  const { log, seconds, rollbackWithheldMs = withheldMsDefault } = options;
  const timeline: { at: number; what: string }[] = [];
  const note = (what: string) => {
    timeline.push({ at: preciseNow(), what });
    log.info(what);
  };
  await until((counts) => counts.ok >= options.rate, load.counts, signal, clientTimeoutMs);

  const candidate = `${balancer.file}.new`;
  await writeFile(candidate, balancer.badText);
  const check = spawnSync(haproxy, ['-c', '-f', candidate], { encoding: 'utf8' });
  note(`haproxy -c ${check.status === 0 ? 'accepts the change' : `refuses it: ${check.stderr}`}`);
  if (check.status !== 0) return { ...nothingHappened, refused: true };
  await rename(candidate, balancer.file);
  const appliedAt = preciseNow();
  process.kill(balancer.master.pid, 'SIGUSR2');
  note('the change is applied: reload');

  await until(() => pager.pagedAt() !== null, load.counts, signal, seconds * 1_000);
  const pagedAt = pager.pagedAt();
  note(pagedAt === null ? `nobody was paged within ${seconds} s` : 'the page arrives: engineering is told');
  await writeFile(balancer.file, balancer.goodText);
  note('the old file is put back; its reload has no effect yet');
  await systemClock.sleep(rollbackWithheldMs, signal);
  process.kill(balancer.master.pid, 'SIGUSR2');
  const rolledBackAt = preciseNow();
  note('the old configuration is applied: reload');
  const isRestored = await untilQuiet(load.counts, signal);
  note(isRestored ? 'the site answers again' : 'the site does not answer again');

  const { records } = await load.stop();
  const seen = figures(records, appliedAt, rolledBackAt, isRestored);
  const seenMs = pagedAt === null ? null : pagedAt - appliedAt;
  return {
    ...nothingHappened,
    ...seen,
    seenMs,
    people: peopleUsually(seen.firstErrorMs, seenMs),
    simulated: [
      `the people who look for the cause: none are here, the rollback begins ${pagedAt === null ? 'when the wait for a page is over' : 'with the page'}`,
      `the bug that made the rollback fail: the reload is withheld for ${rollbackWithheldMs / 1_000} s`,
    ],
    timeline: timeline.map(({ at, what }) => ({ atMs: at - appliedAt, what })),
  };
}

function missingParts(binaries: Binaries): string[] {
  const packages = { haproxy: 'haproxy', prometheus: 'prometheus', alertmanager: 'prometheus-alertmanager' };
  const without = {
    haproxy: 'the usual stack is left out: HAProxy is not installed',
    prometheus: 'monitoring is left out: Prometheus is not installed, so nobody is paged',
    alertmanager: 'the page is left out: Alertmanager is not installed',
  };
  return (['haproxy', 'prometheus', 'alertmanager'] as const)
    .filter((part) => binaries[part] === null)
    .map((part) => `${without[part]}. Run: sudo apt-get install ${packages[part]}`);
}

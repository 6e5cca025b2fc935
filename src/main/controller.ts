import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { createApi } from '#api';
import {
  type ApiLocation,
  Failure,
  jsonLog,
  type Log,
  messageOf,
  once,
  type SitePaths,
  systemClock,
  writeDurably,
} from '#base';
import { type Renewals, type SiteKeeper, watchRenewals } from '#change';
import { digestsOf } from '#cli';
import { ownDialects } from '#dialects';
import { readCertificateFile } from '#model';
import { agentPort } from './agent-port.ts';
import { controllerBackend } from './backend.ts';
import { DriftWatch } from './drift.ts';
import { type JournalDoor, journalDoor, journalFolder } from './journal-room.ts';
import { type MonitorFile, monitorKind } from './monitor-file.ts';
import { type Observed, onlyToRead } from './observing/observed.ts';
import { type OnCallFile, onCallFile } from './on-call-file.ts';
import { type HostPort, reviewStandard } from './port.ts';
import { ReplacedWatch } from './replaced.ts';
import { reportForm } from './report-form.ts';
import { settingsFile } from './settings-file.ts';
import { siteKeeper } from './site-keeper.ts';
import { ticksOf } from './watching/ticks.ts';
import { watchSite } from './watching/watching.ts';

export interface ControllerOptions {
  readonly siteName: string;
  /** Names, in the order in which a change is canaried. */
  readonly balancers: readonly string[];
  readonly paths: SitePaths;
  /** 0: any free one. */
  readonly apiPort: number;
  /** Where anybody may report trouble. Absent: nowhere. */
  readonly reports?: HostPort;
  /** When the site is reviewed: a cron expression, UTC. Absent: Mondays at nine. */
  readonly reviews?: string;
  /** Where oncall.yaml is looked for first. Absent: only in /etc/holdfast. */
  readonly onCall?: string;
  /** Where monitor.yaml is looked for first. Absent: only in /etc/holdfast. */
  readonly monitor?: string;
  /** The engine is somebody else's, and only looked at: nothing is changed, no certificate renewed, no drift looked for. */
  readonly observed?: Observed;
}

export interface RunningController {
  readonly url: string;
  readonly door: JournalDoor;
  close(): Promise<void>;
}

const tendEveryMs = 500;
const openJournalEveryMs = 3_000;

/** `holdfast controller`: resolves when the API answers; ends on SIGTERM. @throws Failure HF302 when the port is in use. */
export async function runController(options: ControllerOptions): Promise<void> {
  const controller = await startController(options);
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => void controller.close().finally(() => process.exit(0)));
}

export async function startController(options: ControllerOptions): Promise<RunningController> {
  const { siteName, paths, apiPort, observed } = options;
  const log = observed?.log ?? jsonLog('controller');
  const clock = systemClock;
  const portTo = observed?.port ?? ((name: string) => agentPort(paths, name));
  const balancers = options.balancers.map(portTo);
  const sites = observed?.sites ?? siteKeeper(paths);
  const { onCall, monitor } = await filesBeside(options);
  const ticks = once(() => ticksOf(paths, log));
  const journal = () => door.open()?.journal ?? null;
  const replaced = new ReplacedWatch({ site: siteName, paths, journal, clock, log });
  const door = journalDoor({
    ticks,
    site: siteName,
    onCall,
    trouble: () => [...onCall.alerts(), ...monitor.alerts(), ...replaced.alerts()],
    paths,
    balancers,
    sites,
    clock,
    log,
    reviews: options.reviews ?? reviewStandard,
    readFile: readCertificateFile,
    against: () => watching().against(),
  });
  const renewals = renewalsOf(sites, door, log);
  const settings = monitor.current;
  const shared = { site: siteName, paths, ports: options.balancers.map(portTo), sites, door, clock, log };
  const watching = once(() => watchSite({ ...shared, version: version(), settings, ticks: ticks() }));
  const drift = new DriftWatch({ door, sites, balancers, clock, log });
  const whole = controllerBackend({
    site: siteName,
    door,
    journalFolder: journalFolder(paths),
    balancers,
    sites,
    renewalTrouble: renewals.trouble,
    onCall,
    clock,
    watching,
    drift,
  });
  const backend = observed ? onlyToRead(whole) : whole;
  const token = randomBytes(32).toString('hex');
  const api = createApi(backend, token);
  const server = await listen(api.fetch, { host: '127.0.0.1', port: apiPort }, '--port');
  const form = options.reports
    ? await listen(reportForm(siteName, backend).fetch, options.reports, '--reports')
    : null;
  const url = `http://127.0.0.1:${server.port}`;
  await door.attempt();
  if (!observed) await journalStart(door, options, sites, log);
  // Last: who finds the file may ask at once.
  const location: ApiLocation = { url, token, pid: process.pid };
  writeDurably(paths.api, JSON.stringify(location));
  const ending = new AbortController();
  const tended = { door, renewals, onCall, monitor, drift, replaced, observed: !!observed };
  const tending = tend(tended, ending.signal, log);
  watching();
  return {
    url,
    door,
    async close() {
      ending.abort();
      await watching().close();
      await tending;
      await server.close();
      await form?.close();
      if (isOurs(paths, location)) rmSync(paths.api, { force: true });
      const room = observed ? null : door.open();
      await room?.journal.append('controller', { kind: 'site.stopped', site: siteName }).catch(() => {});
      await door.close();
      for (const balancer of balancers) balancer.close();
    },
  };
}

async function filesBeside({ siteName, ...named }: ControllerOptions) {
  const onCall = onCallFile(siteName, named.onCall ?? null, systemClock);
  const monitor = settingsFile(monitorKind, siteName, named.monitor ?? null, systemClock);
  await Promise.all([onCall.look(), monitor.look()]);
  return { onCall, monitor };
}

function renewalsOf(sites: SiteKeeper, door: JournalDoor, log: Log): Renewals {
  return watchRenewals({
    sites,
    pipeline: () => door.open()?.pipeline ?? null,
    readFile: readCertificateFile,
    stamp: stampOf,
    digests: (own) => digestsOf(ownDialects[own.dialect].files(own)),
    async told(siteHash, why) {
      log.error('a renewed certificate cannot be used', { why });
      await door.open()?.journal.append('controller', { kind: 'certificate.refused', siteHash, why });
    },
    clock: systemClock,
    log,
  });
}

async function journalStart(
  door: JournalDoor,
  { siteName, balancers }: ControllerOptions,
  sites: SiteKeeper,
  log: Log,
): Promise<void> {
  try {
    const { hash } = sites.current();
    await door.open()?.journal.append('controller', {
      kind: 'site.started',
      site: siteName,
      siteHash: hash,
      balancers,
      version: version(),
    });
  } catch (error) {
    log.error('the start is not journalled', { why: messageOf(error) });
  }
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

interface Tended {
  readonly door: JournalDoor;
  readonly renewals: Renewals;
  readonly onCall: OnCallFile;
  readonly monitor: MonitorFile;
  readonly drift: DriftWatch;
  readonly replaced: ReplacedWatch;
  readonly observed: boolean;
}

/** Guard records come into the journal, missed take-backs are told again, and a journal that is not open is tried again. */
async function tend(
  { door, renewals, onCall, monitor, drift, replaced, observed }: Tended,
  ending: AbortSignal,
  log: Log,
): Promise<void> {
  let triedAt = systemClock.monotonicMs();
  let said = '';
  while (!ending.aborted) {
    await systemClock.sleep(tendEveryMs, ending).catch(() => {});
    try {
      await door.open()?.pipeline.tend();
      said = '';
    } catch (error) {
      const why = messageOf(error);
      if (why !== said) log.error('guard records wait for the journal', { why });
      said = why;
    }
    if (!observed) await renewals.look();
    await onCall.look();
    await monitor.look();
    if (!observed) await replaced.look();
    if (!observed) await drift.tick();
    await door.leaveDamaged();
    if (door.open() || systemClock.monotonicMs() - triedAt < openJournalEveryMs) continue;
    triedAt = systemClock.monotonicMs();
    await door.attempt();
  }
}

/** What changes when a file is written, replaced or removed. */
async function stampOf(path: string): Promise<string> {
  const found = await stat(path, { bigint: true }).catch(() => null);
  return found ? `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}:${found.ctimeNs}` : 'gone';
}

function listen(
  fetch: (request: Request, env: never) => Response | Promise<Response>,
  { host, port }: HostPort,
  option: string,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createAdaptorServer({
    fetch: fetch as Parameters<typeof createAdaptorServer>[0]['fetch'],
  }) as Server & {
    closeAllConnections?(): void;
  };
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE'
          ? new Failure(
              'HF302',
              `${host}:${port}, where ${option === '--port' ? 'the API' : 'the form for reports'} would listen, is in use`,
              `Choose another port: \`holdfast up SITE ${option} PORT\`.`,
            )
          : error,
      ),
    );
    server.listen(port, host, () => {
      const { port: bound } = server.address() as AddressInfo;
      const close = () =>
        new Promise<void>((closed) => {
          server.close(() => closed());
          server.closeAllConnections?.();
        });
      resolve({ port: bound, close });
    });
  });
}

function isOurs(paths: SitePaths, { token }: ApiLocation): boolean {
  try {
    return (JSON.parse(readFileSync(paths.api, 'utf8')) as ApiLocation).token === token;
  } catch {
    return false;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { chooseEngine, writeDurably } from '#agent';
import {
  type ApiLocation,
  agentSocket,
  baseFolders,
  Failure,
  formatDiagnostic,
  messageOf,
  type SitePaths,
  sitePaths,
  systemClock,
  wireClient,
} from '#base';
import type { SiteText } from '#contract';
import { engines } from '#engines';
import { boundHost, checkCertificates, parseSite, readSiteFile, type Site, siteHash } from '#model';
import { type ChildPlan, runningPid, startChild } from './children.ts';
import { balancerPlaces, siteFile } from './places.ts';

export interface UpOptions {
  readonly site: string;
  /** A program that runs the site's own servers beside it, for trying out. */
  readonly with?: string;
  readonly port: number;
}

const superviseMs = 200;
const restartPauseMsMax = 5_000;
const stopMsMax = 10_000;

/** `holdfast up`: starts agents and controller, keeps them running, and ends everything on Ctrl-C. Resolves when all has ended. */
export async function runUp(options: UpOptions): Promise<void> {
  const { site, text, warnings } = await readSite(options.site);
  const paths = sitePaths(site.name);
  refuseSecond(paths, site.name);
  for (const folder of [baseFolders().run, paths.run]) mkdirSync(folder, { recursive: true, mode: 0o755 });
  mkdirSync(paths.state, { recursive: true, mode: 0o700 });
  const serving = keepFirst(paths, text);
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort());

  const servers = options.with ? startServers(options.with) : null;
  const plans = childPlans(site, paths, options.port);
  try {
    for (const warning of warnings) say(warning);
    await Promise.all(plans.filter((plan) => runningPid(plan.pidFile) === null).map(startChild));
    await announce({ site, paths, serving, same: serving.hash === text.hash, file: options.site });
    await supervise(plans, stopping.signal);
  } finally {
    say('\nStopping ...');
    await stopAll(site, paths, plans);
    servers?.stdin?.end();
    servers?.kill('SIGTERM');
    say('Stopped. Nothing is left running.');
  }
}

async function readSite(path: string): Promise<{ site: Site; text: SiteText; warnings: string[] }> {
  const read = await readSiteFile(path);
  const { site, diagnostics } = parseSite(read.text, read.file, read.folder);
  const certificates = site ? await checkCertificates(site, (name) => readFile(name)) : [];
  const all = [...diagnostics, ...certificates];
  const errors = all.filter((d) => d.severity === 'error');
  if (!site || errors.length > 0) {
    throw new Failure(
      'HF011',
      `${path} is not a site:\n${errors.map((d) => `  ${formatDiagnostic(d)}`).join('\n')}`,
      '',
      errors,
    );
  }
  return {
    site,
    text: { ...read, folder: resolve(read.folder), hash: siteHash(site) },
    warnings: all.filter((d) => d.severity === 'warning').map(formatDiagnostic),
  };
}

function refuseSecond(paths: SitePaths, name: string): void {
  const location = apiOf(paths);
  if (location && runningPid(`${paths.run}/up.pid`) !== null)
    throw new Failure(
      'HF302',
      `${name} is already up, its API at ${location.url}`,
      'See it: holdfast status',
    );
}

function apiOf(paths: SitePaths): ApiLocation | null {
  try {
    return JSON.parse(readFileSync(paths.api, 'utf8')) as ApiLocation;
  } catch {
    return null;
  }
}

/** The first `up` decides; later ones serve what was proven good since, until a change says otherwise. */
function keepFirst(paths: SitePaths, text: SiteText): SiteText {
  const file = siteFile(paths);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as SiteText;
  writeDurably(file, JSON.stringify(text));
  return text;
}

function startServers(program: string): ChildProcess {
  const child = spawn(process.execPath, [resolve(program)], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.on('error', (error) => say(`${program}: ${messageOf(error)}`));
  return child;
}

function childPlans(site: Site, paths: SitePaths, port: number): ChildPlan[] {
  const agents = site.balancers.map((balancer) => {
    const places = balancerPlaces(paths, balancer.name);
    return {
      name: `the agent of ${balancer.name}`,
      args: ['agent', '--site', site.name, '--balancer', balancer.name, '--engine', balancer.engine],
      pidFile: places.agentPid,
      logFile: places.agentLog,
    };
  });
  const names = site.balancers.flatMap((b) => ['--balancer', b.name]);
  const controller = {
    name: 'the controller',
    args: ['controller', '--site', site.name, '--port', String(port), ...names],
    pidFile: `${paths.run}/controller.pid`,
    logFile: `${paths.run}/controller.log`,
  };
  return [...agents, controller];
}

async function announce(told: {
  site: Site;
  paths: SitePaths;
  serving: SiteText;
  same: boolean;
  file: string;
}): Promise<void> {
  const { site, paths, serving, same, file } = told;
  const lines = [``, `  ${site.name} is up.`, ``];
  for (const balancer of site.balancers) {
    const { engine, binary } = await chooseEngine(balancer.engine);
    const urls = site.listeners.map(
      (l) => `${l.tls ? 'https' : 'http'}://${boundHost(l, balancer)}:${l.port}`,
    );
    lines.push(`  ${balancer.name.padEnd(12)} ${urls.join('  ')}   (${engine.name} ${binary.version})`);
  }
  lines.push(`  ${'API'.padEnd(12)} ${apiOf(paths)?.url ?? ''}`, '');
  if (site.balancers.some((b) => b.engine === 'auto') && !(await engines.haproxy.find()))
    lines.push(
      `  HAProxy is not installed: the built-in engine serves, which is for trying out.`,
      `  Install it: ${engines.haproxy.install}`,
      '',
    );
  if (!same)
    lines.push(
      `  ${file} differs from what was last proven good (${serving.file}), which is what runs.`,
      `  To go live with it: npx holdfast apply ${file}`,
      '',
    );
  const [first] = site.balancers;
  const [listener] = site.listeners;
  const url =
    first && listener
      ? `${listener.tls ? 'https' : 'http'}://${boundHost(listener, first)}:${listener.port}/`
      : '';
  lines.push(
    '  Try next, in another terminal:',
    `    curl ${url}`,
    `    npx holdfast status`,
    `    npx holdfast apply ${file}`,
    '',
    '  Ctrl-C stops everything.',
    '',
  );
  say(lines.join('\n'));
}

async function supervise(plans: readonly ChildPlan[], stopping: AbortSignal): Promise<void> {
  const pauses = new Map<string, number>();
  while (!stopping.aborted) {
    for (const plan of plans) {
      if (runningPid(plan.pidFile) !== null) continue;
      const pause = pauses.get(plan.name) ?? 0;
      await systemClock.sleep(pause, stopping).catch(() => {});
      if (stopping.aborted) return;
      say(`${new Date().toISOString()} ${plan.name} had ended and is started again`);
      await startChild(plan).then(
        () => pauses.set(plan.name, 0),
        (error) => {
          say(`${plan.name} does not start: ${messageOf(error)}`);
          pauses.set(plan.name, Math.min(restartPauseMsMax, Math.max(100, pause * 2)));
        },
      );
    }
    await systemClock.sleep(superviseMs, stopping).catch(() => {});
  }
}

async function stopAll(site: Site, paths: SitePaths, plans: readonly ChildPlan[]): Promise<void> {
  const controller = plans.at(-1);
  const pid = controller ? runningPid(controller.pidFile) : null;
  if (pid !== null) process.kill(pid, 'SIGTERM');
  await Promise.all(
    site.balancers.map(async (balancer) => {
      const client = wireClient(agentSocket(paths, balancer.name));
      await client.call('stop', {}, stopMsMax).catch(() => {});
      client.close();
    }),
  );
  const deadline = Date.now() + stopMsMax;
  for (const plan of plans) {
    while (runningPid(plan.pidFile) !== null && Date.now() < deadline) await systemClock.sleep(20);
    const left = runningPid(plan.pidFile);
    if (left !== null) process.kill(left, 'SIGKILL');
  }
  rmSync(paths.run, { recursive: true, force: true });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

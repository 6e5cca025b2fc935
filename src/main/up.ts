import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { chooseEngine, writeDurably } from '#agent';
import {
  type ApiLocation,
  agentSocket,
  Failure,
  formatDiagnostic,
  identify,
  messageOf,
  type Place,
  type SitePaths,
  sitePaths,
  systemClock,
  wireClient,
} from '#base';
import { readLocally } from '#cli';
import type { SiteText } from '#contract';
import { boundHost, type Site, siteHash } from '#model';
import { announcement } from './announce.ts';
import { type ChildPlan, runningPid, startChild } from './children.ts';
import { makeSiteFolders } from './folders.ts';
import { type OwnServers, startOwnServers } from './own-servers.ts';
import { balancerPlaces, siteFile } from './places.ts';
import { endHungAgents } from './watchdog.ts';

export interface UpOptions {
  readonly site: string;
  /** A program that runs the site's own servers beside it, for trying out. */
  readonly with?: string;
  readonly port: number;
}

const superviseMs = 200;
const restartPauseMsMax = 5_000;
const stopMsMax = 10_000;
const holderStopMsMax = 1_000;

/** `holdfast up`: starts agents and controller, keeps them running, and ends everything on Ctrl-C. Resolves when all has ended. */
export async function runUp(options: UpOptions): Promise<void> {
  const { site, text, warnings } = await readSite(options.site);
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  await requireEngines(site);
  const paths = sitePaths(site.name);
  makeSiteFolders(paths, site);
  claim(paths, site.name);
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stopping.abort());

  const plans = childPlans(site, paths, options.port);
  const unproven = statesOf(site, paths).filter((path) => !existsSync(path));
  let servers: OwnServers | null = null;
  let started = false;
  try {
    const serving = keepFirst(paths, text);
    if (options.with) {
      say(`starting ${options.with} ...`);
      servers = await startOwnServers(options.with, say);
    }
    await startAll(plans, site);
    started = true;
    const same = serving.hash === text.hash;
    const apiUrl = apiOf(paths)?.url ?? '';
    say(await announcement({ site, file: options.site, serving, same, apiUrl }));
    await Promise.all([supervise(plans, stopping.signal), endHungAgents(site, paths, stopping.signal, say)]);
  } finally {
    say('\nStopping ...');
    await stopAll(site, paths, plans);
    servers?.stop();
    // A site that never ran must not be what the next `up` takes for good.
    if (!started) for (const path of unproven) rmSync(path, { recursive: true, force: true });
    say('Stopped. Nothing is left running.');
  }
}

async function readSite(path: string): Promise<{ site: Site; text: SiteText; warnings: string[] }> {
  const { read, site, diagnostics } = await readLocally(path);
  if (!site) {
    const errors = diagnostics.filter((d) => d.severity === 'error');
    throw new Failure(
      errors[0]?.code ?? 'HF011',
      `${path} is not a site, nothing was started`,
      '',
      diagnostics,
    );
  }
  return {
    site,
    text: { ...read, folder: resolve(read.folder), hash: siteHash(site) },
    warnings: diagnostics.map(formatDiagnostic),
  };
}

/** @throws Failure HF301 at the balancer whose engine is not here. */
async function requireEngines(site: Site): Promise<void> {
  for (const { name, engine, place } of site.balancers) {
    try {
      await chooseEngine(engine);
    } catch (error) {
      throw at(place, `balancer "${name}"`, error);
    }
  }
}

/** The same failure, with the place in the site file that it is about. */
function at({ file, line, column }: Place, what: string, error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  return new Failure(error.code, `${file}:${line}:${column} ${what}: ${error.message}`, error.remedy);
}

/** One `up` a site. One that was killed has left its processes: the next one takes them up. @throws Failure HF302 */
function claim(paths: SitePaths, name: string): void {
  const file = join(paths.run, 'up.pid');
  const other = runningPid(file);
  if (other !== null) {
    const url = apiOf(paths)?.url;
    throw new Failure(
      'HF302',
      `${name} is already up (process ${other}${url ? `, its API at ${url}` : ''})`,
      'See it: holdfast status',
    );
  }
  writeFileSync(file, JSON.stringify(identify(process.pid)));
}

function apiOf(paths: SitePaths): ApiLocation | null {
  try {
    return JSON.parse(readFileSync(paths.api, 'utf8')) as ApiLocation;
  } catch {
    return null;
  }
}

/** What says which site is the good one. */
function statesOf(site: Site, paths: SitePaths): readonly string[] {
  return [siteFile(paths), ...site.balancers.map(({ name }) => balancerPlaces(paths, name).state)];
}

/** The first `up` decides; later ones serve what was proven good since, until a change says otherwise. */
function keepFirst(paths: SitePaths, text: SiteText): SiteText {
  const file = siteFile(paths);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as SiteText;
  writeDurably(file, JSON.stringify(text));
  return text;
}

function childPlans(site: Site, paths: SitePaths, port: number): ChildPlan[] {
  const agents = site.balancers.map((balancer) => {
    const places = balancerPlaces(paths, balancer.name);
    return {
      name: balancer.name,
      process: `the agent of ${balancer.name}`,
      args: ['agent', '--site', site.name, '--balancer', balancer.name],
      pidFile: places.agentPid,
      logFile: places.agentLog,
    };
  });
  const names = site.balancers.flatMap((b) => ['--balancer', b.name]);
  const controller = {
    name: 'the controller',
    process: 'the controller',
    args: ['controller', '--site', site.name, '--port', String(port), ...names],
    pidFile: `${paths.run}/controller.pid`,
    logFile: `${paths.run}/controller.log`,
  };
  return [...agents, controller];
}

/** All at once. Waits for every one of them, also when one fails: what still starts could not be stopped. */
async function startAll(plans: readonly ChildPlan[], site: Site): Promise<void> {
  const missing = plans.filter((plan) => runningPid(plan.pidFile) === null);
  for (const { name } of missing) say(`starting ${name} ...`);
  const started = await Promise.allSettled(missing.map(startChild));
  const failures = started.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const told = failures.find((error) => error instanceof Failure && error.code !== 'HF900') ?? failures[0];
  if (told !== undefined) throw atListener(site, told);
}

/** An address that cannot be had stands somewhere in the file. */
function atListener(site: Site, error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== 'HF302') return error;
  for (const balancer of site.balancers)
    for (const listener of site.listeners)
      if (error.message.startsWith(`${boundHost(listener, balancer)}:${listener.port} `))
        return at(listener.place, `listener "${listener.name}" of ${balancer.name}`, error);
  return error;
}

async function supervise(plans: readonly ChildPlan[], stopping: AbortSignal): Promise<void> {
  const pauses = new Map<string, number>();
  while (!stopping.aborted) {
    for (const plan of plans) {
      if (runningPid(plan.pidFile) !== null) continue;
      const pause = pauses.get(plan.name) ?? 0;
      await systemClock.sleep(pause, stopping).catch(() => {});
      if (stopping.aborted) return;
      say(`${new Date().toISOString()} ${plan.process} had ended and is started again`);
      await startChild(plan).then(
        () => pauses.set(plan.name, 0),
        (error) => {
          say(`${plan.process} does not start: ${messageOf(error)}`);
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
  await Promise.all(site.balancers.map(({ name }) => stopBalancer(paths, name)));
  const deadline = Date.now() + stopMsMax;
  for (const plan of plans) {
    while (runningPid(plan.pidFile) !== null && Date.now() < deadline) await systemClock.sleep(20);
    const left = runningPid(plan.pidFile);
    if (left !== null) process.kill(left, 'SIGKILL');
  }
  rmSync(paths.run, { recursive: true, force: true });
}

/** By its agent; when that does not answer, or did not start, by the holder that it left. */
async function stopBalancer(paths: SitePaths, name: string): Promise<void> {
  const agent = wireClient(agentSocket(paths, name));
  const holder = wireClient(join(balancerPlaces(paths, name).run, 'holder.sock'));
  try {
    await agent.call('stop', {}, stopMsMax);
  } catch {
    await holder.call('shutdown', { withinMs: holderStopMsMax }, stopMsMax).catch(() => {});
  } finally {
    agent.close();
    holder.close();
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

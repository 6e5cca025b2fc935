import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAdoption as loadAdopting } from '#agent';
import {
  type ApiLocation,
  agentSocket,
  Failure,
  identify,
  messageOf,
  type Place,
  type SitePaths,
  systemClock,
  wireClient,
  writeDurably,
} from '#base';
import type { SiteText } from '#contract';
import { boundHost, type Site } from '#model';
import { type ChildPlan, ownCommand, runningPid, startChild, untilGone } from './children.ts';
import { balancerPlaces, siteFile } from './places.ts';

/** The processes of one site on this machine, started and kept running by `up` and by `adopt`. */
const superviseMs = 200;
const restartPauseMsMax = 5_000;
const stopMsMax = 10_000;
const holderStopMsMax = 1_000;

/** The same failure, with the place in the site file that it is about. */
export function at({ file, line, column }: Place, what: string, error: unknown): unknown {
  if (!(error instanceof Failure)) return error;
  return new Failure(error.code, `${file}:${line}:${column} ${what}: ${error.message}`, error.remedy);
}

/** One `up` a site. One that was killed has left its processes: the next one takes them up. @throws Failure HF302 */
export function claim(paths: SitePaths, name: string): void {
  mustBeFree(paths, name);
  writeFileSync(join(paths.run, 'up.pid'), JSON.stringify(identify(process.pid)));
}

/** @throws Failure HF302 when somebody keeps the site running. */
export function mustBeFree(paths: SitePaths, name: string): void {
  const other = runningPid(join(paths.run, 'up.pid'));
  if (other !== null) {
    const url = apiOf(paths)?.url;
    throw new Failure(
      'HF302',
      `${name} is already up (process ${other}${url ? `, its API at ${url}` : ''})`,
      'See it: holdfast status',
    );
  }
}

export function apiOf(paths: SitePaths): ApiLocation | null {
  try {
    return JSON.parse(readFileSync(paths.api, 'utf8')) as ApiLocation;
  } catch {
    return null;
  }
}

/** What says which site is the good one. */
export function statesOf(site: Site, paths: SitePaths): readonly string[] {
  return [siteFile(paths), ...site.balancers.map(({ name }) => balancerPlaces(paths, name).state)];
}

/** The first `up` decides; later ones serve what was proven good since, until a change says otherwise. */
export function keepFirst(paths: SitePaths, text: SiteText): SiteText {
  const file = siteFile(paths);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as SiteText;
  writeDurably(file, JSON.stringify(text));
  return text;
}

/** What whoever starts a site says of its controller. */
export interface ControllerFlags {
  readonly port: number;
  /** Where anybody may report trouble: `[HOST:]PORT`. Absent: nowhere. */
  readonly reports?: string;
  /** When the site is reviewed: a cron expression, UTC. */
  readonly review: string;
  /** Where oncall.yaml is looked for first. */
  readonly onCall: string;
  /** Where monitor.yaml is. */
  readonly monitor: string;
}

export function childPlans(
  site: Site,
  paths: SitePaths,
  { port, reports, review, onCall, monitor }: ControllerFlags,
): ChildPlan[] {
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
    args: [
      ...['controller', '--site', site.name, '--port', String(port), '--review', review, ...names],
      ...(reports === undefined ? [] : ['--reports', reports]),
      ...['--oncall', onCall, '--monitor', monitor],
    ],
    pidFile: `${paths.run}/controller.pid`,
    logFile: `${paths.run}/controller.log`,
  };
  return [...agents, controller];
}

/** All at once. Waits for every one of them, also when one fails: what still starts could not be stopped. */
export async function startAll(plans: readonly ChildPlan[], site: Site): Promise<void> {
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

export async function supervise(plans: readonly ChildPlan[], stopping: AbortSignal): Promise<void> {
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

/** `keepRun`: somebody else starts the site there right after. */
export async function stopAll(
  site: Site,
  paths: SitePaths,
  plans: readonly ChildPlan[],
  { keepRun = false }: { readonly keepRun?: boolean } = {},
): Promise<void> {
  const controller = plans.at(-1);
  const pid = controller ? runningPid(controller.pidFile) : null;
  if (pid !== null) process.kill(pid, 'SIGTERM');
  await Promise.all(site.balancers.map(({ name }) => stopBalancer(paths, name)));
  const agents = plans.map(({ pidFile }) => pidFile);
  await untilGone(agents, stopMsMax);
  await Promise.all(site.balancers.map(({ name }) => endLeft(paths, name)));
  const holders = site.balancers.map(({ name }) => balancerPlaces(paths, name).holderPid);
  await untilGone(holders, stopMsMax);
  if (!keepRun) rmSync(paths.run, { recursive: true, force: true });
}

/** A holder that was killed has left its state, and its engines. */
async function endLeft(paths: SitePaths, name: string): Promise<void> {
  const { run, holderPid } = balancerPlaces(paths, name);
  // One that lives was told already, and is only slow.
  if (!existsSync(join(run, 'holder.json')) || runningPid(holderPid) !== null) return;
  const { ensureHolder, holderClient } = await loadAdopting();
  const holder = holderClient(join(run, 'holder.sock'));
  try {
    const command = ownCommand(['holder', '--folder', run]);
    await ensureHolder({ holder, run, command, clock: systemClock });
    await holder.call('shutdown', { withinMs: holderStopMsMax }, stopMsMax);
  } catch {
    // Nothing of it answers, and nothing more can be done.
  } finally {
    holder.close();
  }
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

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

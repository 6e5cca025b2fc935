import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadAdoption as loadAdopting } from '#agent';
import {
  agentSocket,
  Failure,
  identify,
  isStopped,
  type Place,
  type SitePaths,
  systemClock,
  wireClient,
  writeDurably,
} from '#base';
import type { SiteText } from '#contract';
import { boundHost, type Site } from '#model';
import { agentSilencesMax, apiOf, askAgent, askController, controllerSilencesMax } from './asking.ts';
import { type ChildPlan, kill, ownCommand, runningPid, startChild, untilGone } from './children.ts';
import { balancerPlaces, siteFile } from './places.ts';

/** The processes of one site on this machine, started and stopped by `up` and by `adopt`. */
const stopMsMax = 10_000;
/** A person waits for it, and Ctrl-C ends it. */
const firstStartMsMax = 600_000;
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
      ask: askAgent(agentSocket(paths, balancer.name)),
      silencesMax: agentSilencesMax,
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
    ask: askController(paths),
    silencesMax: controllerSilencesMax,
  };
  return [...agents, controller];
}

/**
 * All at once. Waits for every one of them, also when one fails: what still starts could not be stopped.
 * @throws the reason of `stopping`, when that is aborted: then nothing starts any more
 */
export async function startAll(
  plans: readonly ChildPlan[],
  site: Site,
  stopping: AbortSignal,
): Promise<void> {
  const missing = plans.filter((plan) => runningPid(plan.pidFile) === null);
  for (const { name } of missing) say(`starting ${name} ...`);
  const started = await Promise.allSettled(
    missing.map((plan) => startChild(plan, { msMax: firstStartMsMax, stopping })),
  );
  stopping.throwIfAborted();
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
  await untilGone(
    plans.map(({ pidFile }) => pidFile),
    stopMsMax,
  );
  if (!keepRun) rmSync(paths.run, { recursive: true, force: true });
}

/** By its agent; one that hangs or did not start is killed, and what it leaves is ended without it. */
async function stopBalancer(paths: SitePaths, name: string): Promise<void> {
  const { run, agentPid, holderPid } = balancerPlaces(paths, name);
  // It answers nobody, and its agent would wait for it.
  const holder = runningPid(holderPid);
  if (holder !== null && isStopped({ pid: holder })) kill(holder);
  const stoppedByAgent = await askToStop(paths, name);
  if (!stoppedByAgent) await untilGone([agentPid], 0);
  const isHolderLeft = existsSync(join(run, 'holder.json'));
  if (isHolderLeft || !stoppedByAgent) await endLeft(run, isHolderLeft);
  await untilGone([agentPid, holderPid], holderStopMsMax);
}

/** False when it cannot be told, or does not do it. */
async function askToStop(paths: SitePaths, name: string): Promise<boolean> {
  const pid = runningPid(balancerPlaces(paths, name).agentPid);
  if (pid === null || isStopped({ pid })) return false;
  const agent = wireClient(agentSocket(paths, name));
  try {
    await agent.call('stop', {}, stopMsMax);
    return true;
  } catch {
    return false;
  } finally {
    agent.close();
  }
}

/** Of an agent that was killed, and of a holder that was killed or hangs: that one is replaced by one that answers. */
async function endLeft(run: string, isHolderLeft: boolean): Promise<void> {
  const { clearSandboxes, ensureHolder, holderClient } = await loadAdopting();
  if (existsSync(run)) clearSandboxes(run);
  if (!isHolderLeft) return;
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

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import {
  type HolderClient,
  loadAdoption as loadAdopting,
  type RunningEngine,
  type Watched,
  type Way,
} from '#agent';
import {
  agentSocket,
  assert,
  Failure,
  formatDiagnostic,
  type SitePaths,
  signal,
  sitePaths,
  systemClock,
  wireClient,
} from '#base';
import type { BalancerStatus, SiteText } from '#contract';
import { foreignEngines } from '#engines';
import { boundHost, type Site } from '#model';
import { adoptionOf, forgetAdoption, keepAdoption, loadAdoption } from './adoption.ts';
import { inOwnProcess } from './away.ts';
import { type ChildPlan, ownCommand } from './children.ts';
import { findingsOf } from './findings.ts';
import { makeSiteFolders } from './folders.ts';
import { note } from './note.ts';
import { readOwn } from './own-text.ts';
import { adminSocket, balancerPlaces, siteFile } from './places.ts';
import { release } from './release.ts';
import { systemd } from './service.ts';
import {
  apiOf,
  childPlans,
  claim,
  keepFirst,
  say,
  startAll,
  statesOf,
  stopAll,
  supervise,
} from './site-processes.ts';
import { endHungAgents } from './watchdog.ts';

const besideEveryMs = 1_000;

export interface AdoptOptions {
  readonly file: string;
  /** Of site and balancer; absent: this machine's. */
  readonly name?: string;
  readonly port: number;
  /** How long open connections of the engine that runs may take to end by themselves. */
  readonly waitMs: number;
  /** Only says what was found. */
  readonly dryRun: boolean;
}

/**
 * `holdfast adopt FILE`: puts generations of the unchanged text in the place of the engine that runs it, then keeps the
 * site running as `up` does. Told to end, it hands back. Resolves when no process of ours is left.
 */
export async function runAdopt(options: AdoptOptions): Promise<void> {
  const name = options.name ?? nameOfMachine();
  const { site, text, warnings } = await readOwn(options.file, name);
  for (const warning of warnings) process.stderr.write(`${formatDiagnostic(warning)}\n`);
  const paths = sitePaths(site.name);
  const held = await isHeld(paths, site);
  const engine = held ? null : await findOrNull(site, text, paths);
  for (const line of engine ? findingsOf(site, engine, paths) : []) say(line);
  if (options.dryRun) return say(engine ? '\nNothing was touched.' : `${site.name} is adopted already.`);
  makeSiteFolders(paths, site);
  claim(paths, site.name);
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
  const plans = childPlans(site, paths, options.port);
  if (engine) await takeOver({ engine, site, text, paths, plans, waitMs: options.waitMs });
  else await startAll(plans, site);
  say(announcement(site, paths));
  await Promise.all([
    supervise(plans, stopping.signal),
    endHungAgents(site, paths, stopping.signal, say),
    sayBeside(site, paths, stopping.signal),
  ]);
  say('\nHanding back ...');
  await release({ site: site.name, waitMs: options.waitMs, say });
}

export function nameOfMachine(): string {
  const label =
    hostname()
      .split('.')[0]
      ?.toLowerCase()
      .replace(/[^a-z0-9-]/g, '-') ?? '';
  return label || 'lb-1';
}

/** Whether a generation of ours is what serves. */
async function isHeld(paths: SitePaths, { balancers: [balancer] }: Site): Promise<boolean> {
  if (!balancer) return false;
  const { holderClient } = await loadAdopting();
  const holder = holderClient(join(balancerPlaces(paths, balancer.name).run, 'holder.sock'));
  try {
    const { active } = await holder.call('status', {}, 500);
    return active !== null;
  } catch {
    return false;
  } finally {
    holder.close();
  }
}

/** Null: nobody listens, and the site was adopted before, as after a boot. @throws Failure HF501, HF502, HF503 */
async function findOrNull(site: Site, text: SiteText, paths: SitePaths): Promise<RunningEngine | null> {
  const { findEngine } = await loadAdopting();
  assert(site.own !== null, 'an own text was read');
  try {
    return findEngine({
      dialect: site.own.dialect,
      file: text.file,
      includes: site.own.includes.map(({ path }) => path),
      addresses: addressesOf(site),
    });
  } catch (error) {
    const isGone = error instanceof Failure && error.code === 'HF501';
    if (isGone && loadAdoption(paths) !== null && existsSync(siteFile(paths))) return null;
    throw error;
  }
}

export function addressesOf({ listeners, balancers }: Site): { host: string; port: number }[] {
  const [balancer] = balancers;
  return balancer ? listeners.map((l) => ({ host: boundHost(l, balancer), port: l.port })) : [];
}

interface TakingOver {
  readonly engine: RunningEngine;
  readonly site: Site;
  readonly text: SiteText;
  readonly paths: SitePaths;
  readonly plans: readonly ChildPlan[];
  readonly waitMs: number;
}

/** What fails before new connections were moved leaves the other engine as it was, and nothing of ours. */
async function takeOver({ engine, site, text, paths, plans, waitMs }: TakingOver): Promise<void> {
  const adopting = await loadAdopting();
  const [balancer] = site.balancers;
  assert(balancer, 'an own text has one balancer');
  const { run } = balancerPlaces(paths, balancer.name);
  const holder = adopting.holderClient(join(run, 'holder.sock'));
  // What runs is what is good, whatever an earlier adoption left.
  for (const path of statesOf(site, paths)) rmSync(path, { recursive: true, force: true });
  const parts = {
    engine,
    holder,
    addresses: addressesOf(site),
    clock: systemClock,
    say,
    away: (pids: readonly number[], inodes: readonly string[]) =>
      inOwnProcess({ kind: 'away', pids, inodes }),
    back: async (watched: readonly Watched[]) => {
      await inOwnProcess({ kind: 'back', watched });
    },
    tellToEnd: async () => {
      const { gentleSignal } = foreignEngines[engine.dialect];
      if (engine.unit && adopting.systemdRuns()) await systemd().stopGently(engine.unit, gentleSignal);
      else signal(engine.main, gentleSignal);
    },
  };
  const adoption = adoptionOf(text.file, engine);
  let how: Way;
  try {
    mkdirSync(run, { recursive: true, mode: 0o755 });
    const command = ownCommand(['holder', '--folder', run]);
    await adopting.ensureHolder({ holder, run, command, clock: systemClock });
    writeFileSync(adopting.handoverMark(run), '');
    how = await adopting.openBeside(parts);
    say(`  1 of 4  its sockets: ${how === 'taken' ? 'a copy of each' : 'one of ours beside each'}`);
    keepFirst(paths, text);
    keepAdoption(paths, adoption);
    await startAll(plans, site);
    const ours = await activeProcess(holder);
    say(`  2 of 4  ours is ready: process ${ours}, its servers were checked`);
    await adopting.moveNewConnections(parts, how, ours);
    say('  3 of 4  new connections come to ours');
  } catch (error) {
    say('  taking it back: the engine that runs was not touched');
    await stopAll(site, paths, plans);
    for (const path of statesOf(site, paths)) rmSync(path, { recursive: true, force: true });
    forgetAdoption(paths);
    holder.close();
    throw error;
  }
  const left = await adopting.letItEnd(parts, waitMs);
  // Whoever comes back beside it gets nothing. Sockets that nobody can stand beside need no steering, and take none.
  await holder.call('steer', { listeners: addressesOf(site), first: 0, count: 1 }).catch(() => {});
  holder.close();
  say(
    `  4 of 4  the other one was told to end${left === 0 ? '; it had no connection left' : `, with ${left} connections open`}`,
  );
  rmSync(adopting.handoverMark(run), { force: true });
  keepAdoption(paths, { ...adoption, adoptedAt: systemClock.now() });
  await note(paths, balancer.name, {
    kind: 'adopted',
    engine: `${foreignEngines[engine.dialect].executable} ${engine.version}`,
    pid: engine.main.pid,
    unit: engine.unit,
    file: text.file,
    how,
    openConnections: left,
  });
}

/** Says it once when somebody listens beside ours, and once when that has ended. */
async function sayBeside(
  { balancers: [balancer] }: Site,
  paths: SitePaths,
  stopping: AbortSignal,
): Promise<void> {
  if (!balancer) return;
  const agent = wireClient(agentSocket(paths, balancer.name));
  let said = '';
  while (!stopping.aborted) {
    await systemClock.sleep(besideEveryMs, stopping).catch(() => {});
    const { beside = [] } = (await agent.call('status', {}).catch(() => ({}))) as Partial<BalancerStatus>;
    const now = beside
      .map(
        (one) =>
          `process ${one.pid} listens on ${one.address} beside ours (${one.command}); end it: ${one.remedy}`,
      )
      .join('\n');
    if (now !== said)
      say(`${new Date().toISOString()} ${now === '' ? 'nobody listens beside ours any more' : now}`);
    said = now;
  }
  agent.close();
}

async function activeProcess(holder: HolderClient): Promise<number> {
  const { active, generations } = await holder.call('status', {}, 2_000);
  const found = generations.find(({ generation }) => generation === active);
  if (!found) throw new Failure('HF303', 'no generation of ours is active');
  return found.pid;
}

function announcement(site: Site, paths: SitePaths): string {
  const [balancer] = site.balancers;
  return [
    '',
    `  ${site.name} is adopted.`,
    '',
    `  ${'API'.padEnd(12)} ${apiOf(paths)?.url ?? ''}`,
    ...(balancer ? [`  ${'admin socket'.padEnd(12)} ${adminSocket(paths, balancer.name)}`] : []),
    '',
    '  Try next, in another terminal:',
    '    holdfast status',
    `    holdfast apply ${site.own?.file ?? 'FILE'}`,
    '    holdfast release',
    '',
    '  Ctrl-C hands it back.',
    '',
  ].join('\n');
}

import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type HolderClient,
  loadAdoption as loadAdopting,
  type RunningEngine,
  type TakeOverParts,
  type Watched,
} from '#agent';
import { assert, Failure, type SitePaths, signal, systemClock } from '#base';
import type { SiteText } from '#contract';
import { foreignEngines } from '#engines';
import { boundHost, type Site } from '#model';
import { type Adoption, adoptionOf, forgetAdoption, keepAdoption } from './adoption.ts';
import { inOwnProcess } from './away.ts';
import { type ChildPlan, ownCommand } from './children.ts';
import { note } from './note.ts';
import { balancerPlaces } from './places.ts';
import { systemd } from './service.ts';
import { keepFirst, say, startAll, statesOf, stopAll } from './site-processes.ts';

export interface TakingOver {
  readonly engine: RunningEngine;
  readonly site: Site;
  readonly text: SiteText;
  readonly paths: SitePaths;
  readonly plans: readonly ChildPlan[];
  readonly waitMs: number;
  readonly stopping: AbortSignal;
}

/** What fails before new connections were moved leaves the other engine as it was, and nothing of ours. */
export async function takeOver(work: TakingOver): Promise<void> {
  const { site, text, paths, plans } = work;
  const { holder, run } = await placesOf(work);
  const adopting = await loadAdopting();
  // What runs is what is good, whatever an earlier adoption left.
  for (const path of statesOf(site, paths)) rmSync(path, { recursive: true, force: true });
  const parts = partsOf(work, holder, adopting.systemdRuns());
  let adoption: Adoption;
  try {
    mkdirSync(run, { recursive: true, mode: 0o755 });
    const command = ownCommand(['holder', '--folder', run]);
    await adopting.ensureHolder({ holder, run, command, clock: systemClock });
    adopting.beginHandover(run, 'adoption', finishedBy(text));
    const way = await adopting.openBeside(parts);
    say(`  1 of 4  its sockets: ${way === 'taken' ? 'a copy of each' : 'one of ours beside each'}`);
    adoption = adoptionOf(text.file, work.engine, way);
    keepFirst(paths, text);
    keepAdoption(paths, adoption);
    await startAll(plans, site, work.stopping);
    adoption = await lead(work, parts, adoption);
  } catch (error) {
    say('  taking it back: the engine that runs was not touched');
    await stopAll(site, paths, plans);
    for (const path of statesOf(site, paths)) rmSync(path, { recursive: true, force: true });
    forgetAdoption(paths);
    holder.close();
    throw error;
  }
  await finish(work, parts, adoption);
  holder.close();
}

/** An adoption that was cut off when ours served already: goes on where it was. What fails leaves both as they are. */
export async function carryOn(work: TakingOver, adoption: Adoption): Promise<void> {
  const { holder, run } = await placesOf(work);
  const adopting = await loadAdopting();
  say('  an adoption was cut off here: it is finished now');
  adopting.beginHandover(run, 'adoption', finishedBy(work.text));
  const parts = partsOf(work, holder, adopting.systemdRuns());
  try {
    await startAll(work.plans, work.site, work.stopping);
    await finish(work, parts, await lead(work, parts, adoption));
  } finally {
    holder.close();
  }
}

/** The other engine has ended meanwhile: nothing is left to be done. */
export async function settle(paths: SitePaths, balancer: string, adoption: Adoption): Promise<void> {
  const { endHandover } = await loadAdopting();
  if (adoption.adoptedAt === null)
    keepAdoption(paths, { ...adoption, watched: [], adoptedAt: systemClock.now() });
  endHandover(balancerPlaces(paths, balancer).run);
}

function finishedBy({ file }: SiteText): string {
  return `holdfast adopt ${file}`;
}

async function placesOf({ site, paths }: TakingOver) {
  const [balancer] = site.balancers;
  assert(balancer, 'an own text has one balancer');
  const { run } = balancerPlaces(paths, balancer.name);
  const { holderClient } = await loadAdopting();
  return { run, holder: holderClient(join(run, 'holder.sock')) };
}

function partsOf({ engine, site }: TakingOver, holder: HolderClient, hasSystemd: boolean): TakeOverParts {
  return {
    engine,
    holder,
    addresses: addressesOf(site),
    clock: systemClock,
    say,
    away: (watched: readonly Watched[]) => inOwnProcess({ kind: 'away', watched }),
    back: (watched: readonly Watched[]) => inOwnProcess({ kind: 'back', watched }),
    tellToEnd: async () => {
      const { gentleSignal } = foreignEngines[engine.dialect];
      if (engine.unit && hasSystemd) await systemd().stopGently(engine.unit, gentleSignal);
      else signal(engine.main, gentleSignal);
    },
  };
}

/** New connections come to ours, which is ready. What the other engine watched is written down before it is changed. */
async function lead(work: TakingOver, parts: TakeOverParts, adoption: Adoption): Promise<Adoption> {
  const adopting = await loadAdopting();
  const ours = await activeProcess(parts.holder);
  say(`  2 of 4  ours is ready: process ${ours}, its servers were checked`);
  const found = adoption.way === 'taken' ? adopting.watchedBy(work.engine) : [];
  const watched = found.length > 0 ? found : adoption.watched;
  const kept = { ...adoption, watched };
  keepAdoption(work.paths, kept);
  await adopting.moveNewConnections(parts, kept, ours);
  say('  3 of 4  new connections come to ours');
  return kept;
}

async function finish(work: TakingOver, parts: TakeOverParts, adoption: Adoption): Promise<void> {
  const { engine, site, text, paths } = work;
  const { holder } = parts;
  const adopting = await loadAdopting();
  const [balancer] = site.balancers;
  assert(balancer, 'an own text has one balancer');
  const left = await adopting.letItEnd(parts, work.waitMs);
  // Whoever comes back beside it gets nothing. Sockets that nobody can stand beside need no steering, and take none.
  await holder.call('steer', { listeners: addressesOf(site), first: 0, count: 1 }).catch(() => {});
  say(
    `  4 of 4  the other one was told to end${left === 0 ? '; it had no connection left' : `, with ${left} connections open`}`,
  );
  keepAdoption(paths, { ...adoption, watched: [], adoptedAt: systemClock.now() });
  adopting.endHandover(balancerPlaces(paths, balancer.name).run);
  await note(paths, balancer.name, {
    kind: 'adopted',
    engine: `${foreignEngines[engine.dialect].executable} ${engine.version}`,
    pid: engine.main.pid,
    unit: engine.unit,
    file: text.file,
    how: adoption.way,
    openConnections: left,
  });
}

export function addressesOf({ listeners, balancers }: Site): { host: string; port: number }[] {
  const [balancer] = balancers;
  return balancer ? listeners.map((l) => ({ host: boundHost(l, balancer), port: l.port })) : [];
}

async function activeProcess(holder: HolderClient): Promise<number> {
  const { active, generations } = await holder.call('status', {});
  const found = generations.find(({ generation }) => generation === active);
  if (!found) throw new Failure('HF303', 'no generation of ours is active');
  return found.pid;
}

import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { loadAdoption as loadAdopting, type RunningEngine } from '#agent';
import {
  agentSocket,
  assert,
  Failure,
  formatDiagnostic,
  isAlive,
  type SitePaths,
  sitePaths,
  systemClock,
  wireClient,
} from '#base';
import type { BalancerStatus, SiteText } from '#contract';
import type { Site } from '#model';
import { type Adoption, loadAdoption } from './adoption.ts';
import { apiOf } from './asking.ts';
import { ownCommand, runningPid } from './children.ts';
import { findingsOf } from './findings.ts';
import { readOwn } from './own-text.ts';
import { adminSocket, balancerPlaces, siteFile } from './places.ts';
import { release } from './release.ts';
import { runSite } from './run-site.ts';
import { type ControllerFlags, mustBeFree, say, startAll, stopAll } from './site-processes.ts';
import { addressesOf, carryOn, settle, takeOver } from './taking-over.ts';
import { waitingFor } from './waiting.ts';

const besideEveryMs = 1_000;
/** One that hangs is as good as none; one that is busy is not. */
const statusMsMax = 5_000;

export interface AdoptOptions {
  readonly file: string;
  /** Of site and balancer; absent: this machine's. */
  readonly name?: string;
  readonly controller: ControllerFlags;
  /** How long open connections of the engine that runs may take to end by themselves; null: as its text needs it. */
  readonly waitMs: number | null;
  /** Only says what was found. */
  readonly dryRun: boolean;
}

/**
 * `holdfast adopt FILE`: puts generations of the unchanged text in the place of the engine that runs it, then keeps the
 * site running as `up` does. Told to end, it hands back. One that was cut off goes on where it was. Resolves when no
 * process of ours is left.
 */
export async function runAdopt(options: AdoptOptions): Promise<void> {
  const name = options.name ?? nameOfMachine();
  const { site, text, warnings } = await readOwn(options.file, name);
  for (const warning of warnings) process.stderr.write(`${formatDiagnostic(warning)}\n`);
  const paths = sitePaths(site.name);
  const [balancer] = site.balancers;
  assert(balancer, 'an own text has one balancer');
  if (!options.dryRun) mustBeFree(paths, site.name);
  const before = await heldBefore(paths, balancer.name, !options.dryRun);
  const engine = before.isDone ? null : await findOrNull({ site, text, paths, except: before.processes });
  assert(site.own, 'an own text was read');
  const { waitMs, said } = waitingFor(site.own, options.waitMs);
  for (const line of engine ? [...findingsOf(site, engine, paths), ...said] : []) say(line);
  if (options.dryRun) return say(engine ? '\nNothing was touched.' : `${site.name} is adopted already.`);
  const { controller } = options;
  let kept = false;
  await runSite({
    site,
    paths,
    controller,
    async begin(plans, stopping) {
      if (engine && before.adoption && before.serves)
        await carryOn({ engine, site, text, paths, plans, waitMs, stopping }, before.adoption);
      else if (engine) {
        // What a killed one left is in nobody's way, and does not serve.
        if (before.processes.length > 0) await stopAll(site, paths, plans, { keepRun: true });
        await takeOver({ engine, site, text, paths, plans, waitMs, stopping });
      } else {
        if (before.adoption) await settle(paths, balancer.name, before.adoption);
        await startAll(plans, site, stopping);
      }
      kept = true;
      return announcement(site, paths);
    },
    beside: (stopping) => sayBeside(site, paths, stopping),
    async end() {
      if (!kept) return;
      say('\nHanding back ...');
      await release({ site: site.name, waitMs, say });
    },
  });
}

export function nameOfMachine(): string {
  const label =
    hostname()
      .split('.')[0]
      ?.toLowerCase()
      .replace(/[^a-z0-9-]/g, '-') ?? '';
  return label || 'lb-1';
}

/** What an earlier `adopt` left. */
interface HeldBefore {
  readonly adoption: Adoption | null;
  /** A generation of ours accepts. */
  readonly serves: boolean;
  /** It serves, and nothing of an adoption is left to be done. */
  readonly isDone: boolean;
  /** Whoever of ours may have the sockets. */
  readonly processes: readonly number[];
}

async function heldBefore(paths: SitePaths, balancer: string, mayStart: boolean): Promise<HeldBefore> {
  const { ensureHolder, holderClient, withDescendants } = await loadAdopting();
  const adoption = loadAdoption(paths);
  const { run, agentPid } = balancerPlaces(paths, balancer);
  const holder = holderClient(join(run, 'holder.sock'));
  const agents = [runningPid(agentPid) ?? []].flat();
  try {
    // One that was killed has left its state: the next one takes up what runs.
    if (mayStart && existsSync(join(run, 'holder.json'))) {
      const command = ownCommand(['holder', '--folder', run]);
      await ensureHolder({ holder, run, command, clock: systemClock });
    }
    const { pid, active, generations } = await holder.call('status', {}, statusMsMax);
    const processes = [...agents, ...[pid, ...generations.map((g) => g.pid)].flatMap(withDescendants)];
    const isDone = active !== null && (!adoption || adoption.adoptedAt !== null || !isAlive(adoption.main));
    return { adoption, serves: active !== null, isDone, processes };
  } catch {
    return { adoption, serves: false, isDone: false, processes: agents };
  } finally {
    holder.close();
  }
}

/** Null: nobody listens, and the site was adopted before, as after a boot. @throws Failure HF501, HF502, HF503 */
async function findOrNull({
  site,
  text,
  paths,
  except,
}: {
  readonly site: Site;
  readonly text: SiteText;
  readonly paths: SitePaths;
  readonly except: readonly number[];
}): Promise<RunningEngine | null> {
  const { findEngine } = await loadAdopting();
  assert(site.own !== null, 'an own text was read');
  try {
    return findEngine({
      dialect: site.own.dialect,
      file: text.file,
      includes: site.own.includes.map(({ path }) => path),
      addresses: addressesOf(site),
      except,
    });
  } catch (error) {
    const isGone = error instanceof Failure && error.code === 'HF501';
    if (isGone && loadAdoption(paths) !== null && existsSync(siteFile(paths))) return null;
    throw error;
  }
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

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type HolderClient, type Inherited, loadAdoption as loadAdopting } from '#agent';
import { baseFolders, Failure, isAlive, messageOf, type SitePaths, sitePaths, systemClock } from '#base';
import type { SiteText } from '#contract';
import { foreignEngines } from '#engines';
import type { Site } from '#model';
import { type Adoption, forgetAdoption, loadAdoption } from './adoption.ts';
import { inOwnProcess } from './away.ts';
import { ownCommand, runningPid, untilGone } from './children.ts';
import { note } from './note.ts';
import { readOwn } from './own-text.ts';
import { balancerPlaces } from './places.ts';
import { systemd } from './service.ts';
import { addressesOf } from './taking-over.ts';

export interface ReleaseOptions {
  /** Absent: the only one that was adopted here. */
  readonly site?: string;
  /** A shell line that starts the engine again; absent: as it was started before. */
  readonly command?: string;
  /** How long open connections of ours may take to end. */
  readonly waitMs: number;
  readonly say: (line: string) => void;
}

const endMsMax = 10_000;
const journalMs = 1_200;

/**
 * `holdfast release`: the team's own engine serves again, as it was started before. One that was cut off goes on where
 * it was. Resolves when no process of ours is left. @throws Failure: what served still serves.
 */
export async function release(options: ReleaseOptions): Promise<void> {
  const { waitMs, say } = options;
  const name = options.site ?? adoptedHere();
  const paths = sitePaths(name);
  const adoption = loadAdoption(paths);
  if (!adoption) throw new Failure('HF505', `${name} was not adopted`, 'Stop it where `holdfast up` runs.');
  const { site, text } = await readOwn(adoption.file, name);
  const [balancer] = site.balancers;
  if (!balancer) throw new Error('an own text has one balancer');
  const adopting = await loadAdopting();
  const { run, holderPid } = balancerPlaces(paths, balancer.name);
  mkdirSync(run, { recursive: true, mode: 0o755 });
  const holder = adopting.holderClient(join(run, 'holder.sock'));
  try {
    // One that was killed is replaced: it takes up what still runs, or finds that nothing does.
    const command = ownCommand(['holder', '--folder', run]);
    await adopting.ensureHolder({ holder, run, command, clock: systemClock });
    const { generations } = await holder.call('status', {});
    mayRelease(generations, text, adoption);
    const addresses = addressesOf(site);
    adopting.beginHandover(run, 'handing back', `holdfast release --site ${name}`);
    const [pid = 0] = await newConnectionsTo(adoption, {
      holder,
      addresses,
      command: options.command ?? null,
    });
    say(`  1 of 2  process ${pid} serves, new connections go to it`);
    await note(paths, balancer.name, {
      kind: 'released',
      to: options.command ?? adoption.unit ?? adoption.binary,
      pid,
    });
    await systemClock.sleep(journalMs);
    // Whoever keeps our processes running must not any more.
    end(join(paths.run, 'up.pid'), 'SIGHUP');
    await endAll(site, paths);
    if (foreignEngines[adoption.dialect].breaksIdle)
      await untilLeft(waitMs, () =>
        adopting.connectionsOf(
          generations.map((g) => g.pid),
          addresses,
        ),
      );
    if (runningPid(holderPid) !== null)
      await holder.call('shutdown', { withinMs: waitMs }, waitMs + endMsMax).catch((error: unknown) => {
        // One that was told before, by somebody who was killed, ends meanwhile.
        if (runningPid(holderPid) !== null) throw error;
      });
    await untilGone([holderPid], endMsMax);
    say('  2 of 2  no process of Holdfast is left');
    forgetAdoption(paths);
    rmSync(paths.run, { recursive: true, force: true });
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(
      'HF505',
      messageOf(error),
      'What serves goes on. Run it again: it goes on where it was.',
    );
  } finally {
    adopting.endHandover(run);
    holder.close();
  }
}

interface HandingBack {
  readonly holder: HolderClient;
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly command: string | null;
}

/** Resolves with the processes of the team's engine, which accepts all of them. */
async function newConnectionsTo(
  adoption: Adoption,
  { holder, addresses, command }: HandingBack,
): Promise<readonly number[]> {
  const adopting = await loadAdopting();
  const { main, way, watched, dialect } = adoption;
  const parts = { holder, addresses, clock: systemClock };
  if (adoption.adoptedAt === null && isAlive(main))
    return await adopting.giveBack(
      parts,
      main.pid,
      way === 'taken' ? () => inOwnProcess({ kind: 'back', watched }) : null,
    );
  const start = (inherited: Inherited | null) => startAgain(adoption, command, inherited);
  return await adopting.handBack({ ...parts, foreign: foreignEngines[dialect], start });
}

function adoptedHere(): string {
  const folder = baseFolders().state;
  const names = namesIn(folder).filter((name) => loadAdoption(sitePaths(name)) !== null);
  const [only] = names;
  if (only === undefined) throw new Failure('HF505', 'nothing was adopted here');
  if (names.length > 1)
    throw new Failure('HF402', `${names.join(', ')} were adopted here`, 'Say which: --site NAME.');
  return only;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** @throws Failure HF108 while there is a candidate, HF503 when the file on disk is not what serves. */
function mayRelease(
  generations: readonly { readonly role: string; readonly siteHash: string }[],
  text: SiteText,
  { file }: Adoption,
): void {
  if (generations.some(({ role }) => role === 'candidate'))
    throw new Failure('HF108', 'a change is under way', 'Wait for it, or take it back: holdfast rollback.');
  const active = generations.find(({ role }) => role === 'active');
  if (active && active.siteHash !== text.hash)
    throw new Failure(
      'HF503',
      `${file} is not what serves now, and it is what the engine would start with`,
      'Make it so (`holdfast apply FILE`), or put the text that serves in its place: it lies in last-good below the state folder.',
    );
}

async function startAgain(
  adoption: Adoption,
  command: string | null,
  inherited: Inherited | null,
): Promise<void> {
  const { systemdRuns } = await loadAdopting();
  if (command === null && adoption.unit && inherited === null && systemdRuns())
    return await systemd().start(adoption.unit);
  const { binary, args, folder, environment, dialect } = adoption;
  const [file, words] =
    command === null ? [binary, foreignEngines[dialect].inBackground(args)] : ['/bin/sh', ['-c', command]];
  const child = spawn(file, [...words], {
    cwd: folder,
    detached: true,
    env: { ...environment, ...inherited?.environment },
    stdio: ['ignore', 'ignore', 'ignore', ...(inherited?.fds ?? [])],
  });
  await started(child, file);
  child.unref();
}

function started(child: ChildProcess, file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(new Failure('HF505', `${file} could not be started: ${error.message}`)),
    );
    child.once('spawn', resolve);
  });
}

function end(pidFile: string, signal: NodeJS.Signals): void {
  const pid = runningPid(pidFile);
  if (pid !== null && pid !== process.pid) process.kill(pid, signal);
}

/** Who would start the others again. */
async function endAll(site: Site, paths: SitePaths): Promise<void> {
  const pidFiles = [
    join(paths.run, 'controller.pid'),
    ...site.balancers.map(({ name }) => balancerPlaces(paths, name).agentPid),
  ];
  for (const file of pidFiles) end(file, 'SIGTERM');
  await untilGone(pidFiles, endMsMax);
}

/** Its connections end by themselves, or their time is over. */
async function untilLeft(waitMs: number, open: () => number): Promise<void> {
  const deadline = systemClock.monotonicMs() + waitMs;
  while (open() > 0 && systemClock.monotonicMs() < deadline) await systemClock.sleep(200);
}

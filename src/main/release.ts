import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Inherited, loadAdoption as loadAdopting } from '#agent';
import { baseFolders, Failure, type SitePaths, sitePaths, systemClock } from '#base';
import type { SiteText } from '#contract';
import { foreignEngines } from '#engines';
import { boundHost, type Site } from '#model';
import { type Adoption, forgetAdoption, loadAdoption } from './adoption.ts';
import { runningPid, untilGone } from './children.ts';
import { note } from './note.ts';
import { readOwn } from './own-text.ts';
import { balancerPlaces } from './places.ts';
import { systemd } from './service.ts';

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
 * `holdfast release`: the team's own engine serves again, as it was started before. Resolves when no process of ours is
 * left. @throws Failure: ours goes on as before.
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
  const holder = adopting.holderClient(join(run, 'holder.sock'));
  const mark = adopting.handoverMark(run);
  try {
    const { generations } = await holder.call('status', {}, 2_000);
    mayRelease(generations, text, adoption);
    const addresses = site.listeners.map((l) => ({ host: boundHost(l, balancer), port: l.port }));
    const foreign = foreignEngines[adoption.dialect];
    const start = (inherited: Inherited | null) => startAgain(adoption, options.command ?? null, inherited);
    writeFileSync(mark, '');
    const theirs = await adopting.handBack({ holder, addresses, foreign, clock: systemClock, start });
    const [pid = 0] = theirs;
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
    if (foreign.breaksIdle)
      await untilLeft(waitMs, () =>
        adopting.connectionsOf(
          generations.map((g) => g.pid),
          addresses,
        ),
      );
    await holder.call('shutdown', { withinMs: waitMs }, waitMs + endMsMax);
    await untilGone([holderPid], endMsMax);
    say('  2 of 2  no process of Holdfast is left');
    forgetAdoption(paths);
    rmSync(paths.run, { recursive: true, force: true });
  } finally {
    rmSync(mark, { force: true });
    holder.close();
  }
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

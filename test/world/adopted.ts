/** A team's engine that `holdfast adopt` has taken over, in folders of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity } from '#base';
import type { Event, JournalEntry } from '#events';
import { processIds } from '../../src/agent/adopt/listening.ts';
import { until } from './stack.ts';
import { type Theirs, workersIn } from './theirs.ts';
import { type Folders, makeFolders, type Typed, type } from './up.ts';

const adoptMsMax = 120_000;
const releaseMsMax = 120_000;

export interface Adopted {
  readonly folders: Folders;
  readonly adopt: Typed;
  /** `holdfast ARGS` beside it. */
  typed(...args: string[]): Typed['ended'];
  run: string;
  state: string;
  pidIn(file: string): number;
  journalled(kind: string): Promise<readonly Event[]>;
  /** Processes of ours: their folder is in their command line or environment. */
  ours(): number[];
  /** Ends whatever is left and removes the folders. */
  close(): Promise<void>;
}

export const siteName = 'shop';

export function adoptArgs(theirs: Theirs, ...more: string[]): string[] {
  return ['adopt', theirs.file, '--name', siteName, '--port', '0', ...more];
}

/** Resolves when it says that the site is adopted; throws with its words when it ends before. */
export async function adopt(theirs: Theirs, ...more: string[]): Promise<Adopted> {
  const adopted = beginAdopt(theirs, makeFolders(), ...more);
  try {
    await untilAdopted(adopted);
    return adopted;
  } catch (error) {
    await adopted.close();
    throw error;
  }
}

/** The same in folders that an earlier one may have used, without waiting. */
export function beginAdopt(theirs: Theirs, folders: Folders, ...more: string[]): Adopted {
  return adoptedBy(type(adoptArgs(theirs, ...more), { env: folders.env }), folders);
}

/** The same, of an `adopt` that somebody else has typed. */
export function adoptedBy(typed: Typed, folders: Folders): Adopted {
  const { env } = folders;
  const [run, state] = [join(env.HOLDFAST_RUN, siteName), join(env.HOLDFAST_STATE, siteName)];
  const ours = () => processesOf(folders.folder);
  return {
    folders,
    adopt: typed,
    typed: (...args) => type(args, { env }).ended,
    run,
    state,
    pidIn: (file) => (JSON.parse(readFileSync(join(run, file), 'utf8')) as ProcessIdentity).pid,
    async journalled(kind) {
      const { out, err } = await type(['journal', 'show', '--json'], { env }).ended;
      const { entries } = JSON.parse(out || `{"error":${JSON.stringify(err)}}`) as {
        entries: JournalEntry[];
      };
      return entries
        .map(({ event }) => event)
        .filter((event) => (event.kind === 'guard.acted' ? event.record.what.kind : event.kind) === kind);
    },
    ours,
    async close() {
      await until('the end of ours', async () => {
        for (const pid of ours()) kill(pid);
        return ours().length === 0;
      });
      folders.remove();
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

export async function untilAdopted({ adopt: { out, err, child } }: Adopted): Promise<void> {
  await until(
    'the adoption',
    async () => {
      // What it said last is read after its end.
      const isUp = out().includes('Ctrl-C hands it back.');
      return isUp || child.exitCode !== null || child.signalCode !== null;
    },
    adoptMsMax,
  ).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${out()}\n${err()}`);
  });
  if (!out().includes('Ctrl-C hands it back.')) throw new Error(`${out()}\n${err()}`);
}

/** Resolves with what it said, once it and whoever kept the site running have ended. */
export async function release(adopted: Adopted, ...more: string[]): Promise<string> {
  const { exit, out, err } = await adopted.typed('release', ...more);
  if (exit !== 0) throw new Error(`release: ${exit}\n${out}${err}`);
  await until(
    'the end of adopt',
    async () => adopted.adopt.child.exitCode !== null || adopted.adopt.child.signalCode !== null,
    releaseMsMax,
  );
  return out;
}

function processesOf(folder: string): number[] {
  const named = processIds().filter((pid) => {
    if (pid === process.pid) return false;
    try {
      const said = ['cmdline', 'environ'].map((part) => readFileSync(`/proc/${pid}/${part}`, 'latin1'));
      return said.some((text) => text.includes(folder)) && isAlive({ pid, startTicks: ticks(pid) });
    } catch {
      return false;
    }
  });
  return [...new Set([...named, ...workersIn(folder)])];
}

function ticks(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

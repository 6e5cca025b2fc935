import { spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemClock } from '#base';

const adminFolders = ['/usr/sbin', '/usr/local/sbin', '/sbin'];
/** Then killed; and as long again until it is given up. */
const gentleEndMs = 3_000;
const pollMs = 10;
const logTailLength = 2_000;

/** The first of these commands that is installed, as a path. */
export function findCommand(...names: readonly string[]): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...adminFolders];
  for (const path of names.flatMap((name) => folders.map((folder) => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return null;
}

export interface Part {
  readonly name: string;
  readonly pid: number;
  hasEnded(): boolean;
  /** The end of what it said. */
  said(): string;
}

/** The processes of one arm. Whatever happens to us, they end: gently in `endAll`, at once when this process exits. */
export interface Parts {
  /** Its output goes to `NAME.log` in the folder. */
  start(name: string, file: string, args: readonly string[]): Part;
  endAll(): Promise<void>;
}

export function newParts(folder: string): Parts {
  const groups = new Set<number>();
  const killAll = () => {
    for (const group of groups) signalGroup(group, 'SIGKILL');
  };
  process.on('exit', killAll);

  return {
    start(name, file, args) {
      const logFile = join(folder, `${name}.log`);
      const log = openSync(logFile, 'a', 0o600);
      // A group of its own: Ctrl-C reaches us alone, and a worker whose master has gone is still found.
      const child = spawn(file, args, { cwd: folder, stdio: ['ignore', log, log], detached: true });
      closeSync(log);
      let isGone = false;
      child.on('error', () => {
        isGone = true;
      });
      const group = child.pid;
      if (group !== undefined) {
        groups.add(group);
        // Its number may be given to somebody else's processes once nobody of it is left.
        child.on('exit', () => signalGroup(group, 0) || groups.delete(group));
      }
      return {
        name,
        pid: child.pid ?? 0,
        hasEnded: () => isGone || child.exitCode !== null || child.signalCode !== null,
        said: () => readFileSync(logFile, 'utf8').slice(-logTailLength),
      };
    },
    async endAll() {
      await Promise.all([...groups].map(endGroup));
      process.off('exit', killAll);
    },
  };
}

/** False when nobody of the group is alive. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** Resolves when every process of the group has ended, workers too. */
async function endGroup(group: number): Promise<void> {
  const beganAt = systemClock.monotonicMs();
  const waitedMs = () => systemClock.monotonicMs() - beganAt;
  signalGroup(group, 'SIGTERM');
  // What is killed and still there is a zombie that nobody reaps: it holds nothing.
  while (signalGroup(group, 0) && waitedMs() < 2 * gentleEndMs) {
    if (waitedMs() > gentleEndMs) signalGroup(group, 'SIGKILL');
    await systemClock.sleep(pollMs);
  }
}

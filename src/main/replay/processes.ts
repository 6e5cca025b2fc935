import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const adminFolders = ['/usr/sbin', '/usr/local/sbin', '/sbin'];
const gentleEndMs = 3_000;
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
  const children = new Set<ChildProcess>();
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.on('exit', killAll);

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const harder = setTimeout(() => child.kill('SIGKILL'), gentleEndMs);
    await ended;
    clearTimeout(harder);
  }

  return {
    start(name, file, args) {
      const logFile = join(folder, `${name}.log`);
      const log = openSync(logFile, 'a', 0o600);
      // A group of its own: Ctrl-C reaches us alone, and we end them in order.
      const child = spawn(file, args, { cwd: folder, stdio: ['ignore', log, log], detached: true });
      closeSync(log);
      let isGone = false;
      child.on('error', () => {
        isGone = true;
      });
      children.add(child);
      return {
        name,
        pid: child.pid ?? 0,
        hasEnded: () => isGone || child.exitCode !== null || child.signalCode !== null,
        said: () => readFileSync(logFile, 'utf8').slice(-logTailLength),
      };
    },
    async endAll() {
      await Promise.all([...children].map(end));
      process.off('exit', killAll);
    },
  };
}

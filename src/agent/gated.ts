import { type ChildProcess, spawn } from 'node:child_process';
import type { Command, Identity } from '#engines';

/** Reads one line, and becomes the command; without that line it ends. */
const gate = 'read -r line || exit 1; exec "$@" </dev/null';

export interface GatedPlan {
  readonly command: Command;
  readonly identity: Identity;
  readonly folder: string;
  /** Descriptor of what it writes to. */
  readonly output: number;
  /** Its descriptors 3 and on. */
  readonly sockets: readonly number[];
}

export interface Gated {
  readonly child: ChildProcess;
  /** From now on it is the command, and outlives whoever started it. */
  begin(): void;
}

/**
 * Starts a process in a session of its own that waits to be told to begin: so whoever starts it can write down first that
 * it is there, under the pid that it keeps. When its starter dies before that, it ends: nothing runs that nobody knows.
 */
export function spawnGated({ command, identity, folder, output, sockets }: GatedPlan): Gated {
  const child = spawn('/bin/sh', ['-c', gate, 'holdfast', command.file, ...command.args], {
    cwd: folder,
    detached: true,
    env: { ...command.env },
    stdio: ['pipe', output, output, ...sockets],
    ...(identity ?? {}),
  });
  // Without a pid the reason comes as an event, which nobody waits for here; nor for one that ended before it began.
  child.on('error', () => {});
  child.stdin?.on('error', () => {});
  child.unref();
  return { child, begin: () => void child.stdin?.end('begin\n') };
}

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command, Identity } from '#engines';
import type { ProofFolder } from './folder.ts';

/** An engine on a stage. */
export interface Staged {
  readonly startMs: number;
  /** How it ended, in its own last words; null: it runs. */
  ended(): string | null;
  /** Resolves when it is gone. */
  end(): Promise<void>;
}

const log = 'engine.log';
const wordsMax = 20;

/**
 * Starts an engine in the folder, as a user without rights and, where the machine lets us, with no network at all: what
 * it is asked comes by private sockets, and whatever else the text would reach is not there.
 * @throws the engine's own words when it ends or does not listen in time; then it is gone.
 */
export async function startStaged(
  command: Command,
  {
    folder,
    identity,
    sockets,
    withinMs,
    signal,
  }: {
    readonly folder: ProofFolder;
    readonly identity: Identity;
    /** All of them are there when it has started. */
    readonly sockets: readonly string[];
    readonly withinMs: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Staged> {
  const began = performance.now();
  const alone = aloneAs(identity);
  const output = openSync(join(folder.path, log), 'a', 0o600);
  const [file = '', ...args] = [...(alone ?? []), command.file, ...command.args];
  const child = spawn(file, args, {
    cwd: folder.path,
    detached: true,
    env: { PATH: process.env.PATH, ...command.env },
    stdio: ['ignore', output, output],
    ...(alone === null && identity ? identity : {}),
  });
  closeSync(output);
  let failure: string | null = null;
  child.on('error', (error) => {
    failure = error.message;
  });
  folder.guard(child.pid ?? null);
  const ended = () => failure ?? endOf(child, folder);
  const end = () => ending(child, folder);
  const deadline = began + withinMs;
  for (let at = 0; at < sockets.length; ) {
    const why = ended() ?? (signal?.aborted ? 'it was stopped' : null);
    const late = performance.now() > deadline;
    if (why !== null || late) {
      await end();
      throw new EngineRefused(why ?? `it did not listen within ${withinMs} ms: ${lastWords(folder)}`);
    }
    if (await opens(join(folder.path, sockets[at] ?? ''))) at += 1;
    else await sleep(10);
  }
  return { startMs: performance.now() - began, ended, end };
}

/** The engine does not run the text: its own words. */
export class EngineRefused extends Error {}

function endOf(child: ChildProcess, folder: ProofFolder): string | null {
  const { exitCode, signalCode } = child;
  if (exitCode === null && signalCode === null) return null;
  return `it ended (${signalCode ?? `exit status ${exitCode}`}): ${lastWords(folder)}`;
}

function lastWords({ path }: ProofFolder): string {
  const words = readFileSync(join(path, log), 'latin1').trimEnd().replaceAll(`${path}/`, '');
  return words === '' ? '(it said nothing)' : words.split('\n').slice(-wordsMax).join('\n');
}

async function ending(child: ChildProcess, folder: ProofFolder): Promise<void> {
  if (child.pid === undefined) return;
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    if (child.exitCode !== null || child.signalCode !== null) resolve();
  });
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Nobody of its group is left.
  }
  await gone;
  folder.guard(null);
}

function opens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (is: boolean) => {
      socket.destroy();
      resolve(is);
    };
    socket.on('connect', () => done(true)).on('error', () => done(false));
  });
}

const tried = new Map<string, readonly string[] | null>();

/** What stands before a command so that it has no network and that user; null: this machine does not let us. */
function aloneAs(identity: Identity): readonly string[] | null {
  const own = ['unshare', '--user', '--map-current-user', '--net', '--'];
  const other = identity && [
    ...['unshare', '--net', '--', 'setpriv', '--clear-groups'],
    ...['--reuid', `${identity.uid}`, '--regid', `${identity.gid}`, '--'],
  ];
  const command = other ?? (process.getuid?.() === 0 ? ['unshare', '--net', '--'] : own);
  const key = command.join(' ');
  const known = tried.get(key);
  if (known !== undefined) return known;
  const [file = '', ...args] = command;
  let works: readonly string[] | null = command;
  try {
    execFileSync(file, [...args, 'true'], { stdio: 'ignore', timeout: 10_000 });
  } catch {
    works = null;
  }
  tried.set(key, works);
  return works;
}

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  childrenOf,
  codeCache,
  Failure,
  identify,
  isAlive,
  isStopped,
  messageOf,
  type ProcessIdentity,
  systemClock,
} from '#base';
import type { Command } from '#engines';

/** The processes that `up` keeps running. They outlive it, so each leaves a file that says who it is. */
export interface ChildPlan {
  /** What it stands for: `lb-1`. */
  readonly name: string;
  /** What it is: `the agent of lb-1`. */
  readonly process: string;
  readonly args: readonly string[];
  readonly pidFile: string;
  readonly logFile: string;
  /** How it takes a question now. */
  readonly ask: (withinMs: number) => Promise<Answer>;
  /** After so many questions in a row without an answer it is of no use. */
  readonly silencesMax: number;
}

/** `away`: nobody listens there, as while it starts. */
export type Answer = 'answers' | 'silent' | 'away';

/** What a child says while it starts, over the channel it was started with. */
export type ChildNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string; readonly remedy: string };

const commandLine = fileURLToPath(new URL('./cli.ts', import.meta.url));
const dataPlane = fileURLToPath(new URL('./data-plane.ts', import.meta.url));
/** A young generation of the heap that may not grow: what these processes allocate is dead a moment later. */
const small = '--max-semi-space-size=1';

/**
 * The command line that runs one of our own processes. Each takes its code from the cache: one that had to strip the
 * types itself would keep the compiler, 25 MB, for as long as it lives.
 */
export function ownCommand(args: readonly string[]): Command {
  const isDataPlane = ['agent', 'holder', 'away', 'compile'].includes(args[0] ?? '');
  return {
    file: process.execPath,
    args: isDataPlane ? [small, dataPlane, ...args] : [commandLine, ...args],
    env: codeCache(),
  };
}

const compileMsMax = 20_000;
let compiled: Promise<void> | null = null;

/** Once, before the first child. That it fails costs memory, nothing else. */
function compile(stopping: AbortSignal): Promise<void> {
  compiled ??= new Promise((resolve) => {
    const { file, args, env } = ownCommand(['compile']);
    const options = { env: { ...process.env, ...env }, timeout: compileMsMax, signal: stopping };
    execFile(file, [...args], { ...options, killSignal: 'SIGKILL' }, () => resolve());
  });
  return compiled;
}

export interface StartLimits {
  /** From its start until it says that it is ready. */
  readonly msMax: number;
  readonly stopping: AbortSignal;
}

/** It was given all its time. */
export class TooSlow extends Failure {}

/**
 * Starts a child in a session of its own and waits until it says that it is ready. One that does not start leaves no process.
 * @throws Failure when it says why not; TooSlow after `msMax`; the reason of `stopping` when that is aborted first.
 */
export async function startChild(plan: ChildPlan, { msMax, stopping }: StartLimits): Promise<void> {
  await compile(stopping);
  stopping.throwIfAborted();
  const child = spawnChild(plan);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.on('message', (news: ChildNews) => {
    if (news.kind === 'ready') resolve();
    else reject(new Failure(news.code, news.message, news.remedy));
  });
  child.on('error', reject);
  child.on('exit', (code, signal) =>
    reject(
      new Failure(
        'HF900',
        `${plan.process} ended while it started (${signal ?? code})`,
        `See ${plan.logFile}`,
      ),
    ),
  );
  const late = setTimeout(() => {
    child.kill('SIGKILL');
    const words = `${plan.process} did not start within ${Math.round(msMax / 1_000)} s and was killed`;
    reject(new TooSlow('HF307', words, `See ${plan.logFile}`));
  }, msMax);
  const stop = () => {
    if (child.pid !== undefined) endUnfinished(child.pid);
    reject(stopping.reason);
  };
  stopping.addEventListener('abort', stop, { once: true });
  try {
    await promise;
  } finally {
    clearTimeout(late);
    stopping.removeEventListener('abort', stop);
    child.removeAllListeners();
    child.on('error', () => {});
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function spawnChild({ args: words, logFile }: ChildPlan): ChildProcess {
  mkdirSync(dirname(logFile), { recursive: true, mode: 0o755 });
  const log = openSync(logFile, 'a', 0o600);
  try {
    const { file, args, env } = ownCommand(words);
    return spawn(file, [...args], {
      detached: true,
      env: { ...process.env, ...env },
      stdio: ['ignore', log, log, 'ipc'],
    });
  } finally {
    closeSync(log);
  }
}

/** With what it has just started, of which nobody else knows yet. Stopped first: it starts nothing meanwhile. */
function endUnfinished(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP');
  } catch {
    // It has ended.
  }
  for (const one of [...childrenOf(pid), pid]) kill(one);
}

/** Somebody removed the file, and with it mostly the sockets beside it: another one was started, and two would be one too many. */
const ownFileEveryMs = 2_000;

/** In the child: leaves word who it is, runs `begin`, and tells the parent how it went. One that another process already is, ends. */
export async function asChild(pidFile: string, begin: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(pidFile), { recursive: true, mode: 0o755 });
  const other = runningPid(pidFile);
  if (other !== null && other !== process.pid) {
    process.stderr.write(`process ${other} already is what this one was started for\n`);
    return void process.send?.({ kind: 'ready' } satisfies ChildNews, undefined, undefined, () => {});
  }
  writeFileSync(pidFile, JSON.stringify(identify(process.pid)));
  // The parent may have been killed meanwhile; this process goes on without it.
  const tell = (news: ChildNews) => process.send?.(news, undefined, undefined, () => {});
  process.on('disconnect', () => {});
  try {
    await begin();
    tell({ kind: 'ready' });
    setInterval(() => runningPid(pidFile) === process.pid || process.exit(0), ownFileEveryMs).unref();
  } catch (error) {
    const failure = error instanceof Failure ? error : null;
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    tell({
      kind: 'failure',
      code: failure?.code ?? 'HF900',
      message: messageOf(error),
      remedy: failure?.remedy ?? '',
    });
    process.exitCode = failure ? 1 : 70;
    setTimeout(() => process.exit(), 50);
  }
}

export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}

/** Whether the process that wrote the file still runs; its pid, or null. */
export function runningPid(pidFile: string): number | null {
  try {
    const known = JSON.parse(readFileSync(pidFile, 'utf8')) as ProcessIdentity;
    return isAlive(known) ? known.pid : null;
  } catch {
    return null;
  }
}

/** Resolves when they have ended; who has not within `msMax`, or cannot because it is stopped, is made to. */
export async function untilGone(pidFiles: readonly string[], msMax: number): Promise<void> {
  const deadline = systemClock.monotonicMs() + msMax;
  for (const file of pidFiles)
    for (let pid = runningPid(file); pid !== null; pid = runningPid(file)) {
      if (systemClock.monotonicMs() > deadline || isStopped({ pid })) kill(pid);
      await systemClock.sleep(20);
    }
}

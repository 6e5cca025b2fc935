import { execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeCache, Failure, identify, isAlive, messageOf, type ProcessIdentity, systemClock } from '#base';
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
}

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
function compile(): Promise<void> {
  compiled ??= new Promise((resolve) => {
    const { file, args, env } = ownCommand(['compile']);
    execFile(file, [...args], { env: { ...process.env, ...env }, timeout: compileMsMax }, () => resolve());
  });
  return compiled;
}

/** Starts a child in a session of its own and waits until it says that it is ready. @throws Failure when it says why not. */
export async function startChild(plan: ChildPlan): Promise<void> {
  await compile();
  mkdirSync(dirname(plan.logFile), { recursive: true, mode: 0o755 });
  const log = openSync(plan.logFile, 'a', 0o600);
  const { file, args, env } = ownCommand(plan.args);
  const child = spawn(file, [...args], {
    detached: true,
    env: { ...process.env, ...env },
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    const done = (end: () => void) => {
      child.removeAllListeners();
      child.on('error', () => {});
      if (child.connected) child.disconnect();
      child.unref();
      end();
    };
    child.on('message', (news: ChildNews) => {
      if (news.kind === 'ready') done(resolve);
      else done(() => reject(new Failure(news.code, news.message, news.remedy)));
    });
    child.on('error', (error) => done(() => reject(error)));
    child.on('exit', (code, signal) =>
      done(() =>
        reject(
          new Failure(
            'HF900',
            `${plan.process} ended while it started (${signal ?? code})`,
            `See ${plan.logFile}`,
          ),
        ),
      ),
    );
  });
}

/** In the child: leaves word who it is, runs `begin`, and tells the parent how it went. */
export async function asChild(pidFile: string, begin: () => Promise<void>): Promise<void> {
  mkdirSync(dirname(pidFile), { recursive: true, mode: 0o755 });
  writeFileSync(pidFile, JSON.stringify(identify(process.pid)));
  // The parent may have been killed meanwhile; this process goes on without it.
  const tell = (news: ChildNews) => process.send?.(news, undefined, undefined, () => {});
  process.on('disconnect', () => {});
  try {
    await begin();
    tell({ kind: 'ready' });
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

/** Whether the process that wrote the file still runs; its pid, or null. */
export function runningPid(pidFile: string): number | null {
  try {
    const known = JSON.parse(readFileSync(pidFile, 'utf8')) as ProcessIdentity;
    return isAlive(known) ? known.pid : null;
  } catch {
    return null;
  }
}

/** Resolves when they have ended; who has not within `msMax` is made to. */
export async function untilGone(pidFiles: readonly string[], msMax: number): Promise<void> {
  const deadline = systemClock.monotonicMs() + msMax;
  for (const file of pidFiles)
    for (let pid = runningPid(file); pid !== null; pid = runningPid(file)) {
      if (systemClock.monotonicMs() > deadline) process.kill(pid, 'SIGKILL');
      await systemClock.sleep(20);
    }
}

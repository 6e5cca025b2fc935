import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, identify, isAlive, messageOf, type ProcessIdentity } from '#base';
import type { Command } from '#engines';

/** The processes that `up` keeps running. They outlive it, so each leaves a file that says who it is. */
export interface ChildPlan {
  readonly name: string;
  readonly args: readonly string[];
  readonly pidFile: string;
  readonly logFile: string;
}

/** What a child says while it starts, over the channel it was started with. */
export type ChildNews =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failure'; readonly code: string; readonly message: string; readonly remedy: string };

const entry = fileURLToPath(new URL('./cli.ts', import.meta.url));

/** The command line that runs one of our own processes. */
export function ownCommand(args: readonly string[]): Command {
  return { file: process.execPath, args: [entry, ...args], env: {} };
}

/** Starts a child in a session of its own and waits until it says that it is ready. @throws Failure when it says why not. */
export function startChild(plan: ChildPlan): Promise<void> {
  mkdirSync(dirname(plan.logFile), { recursive: true, mode: 0o755 });
  const log = openSync(plan.logFile, 'a', 0o600);
  const { file, args } = ownCommand(plan.args);
  const child = spawn(file, [...args], { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  return new Promise((resolve, reject) => {
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
            `${plan.name} ended while it started (${signal ?? code})`,
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

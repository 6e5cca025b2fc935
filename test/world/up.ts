/** Command lines as a person types them, each a process of its own; and a site that `holdfast up` runs, in folders of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { StatusView } from '#contract';
import { until } from './stack.ts';

const program = resolve(import.meta.dirname, '../../bin/holdfast.js');
const startMsMax = 80_000;
const stopMsMax = 60_000;

export interface Typed {
  readonly child: ChildProcess;
  /** What it has written so far. */
  readonly out: () => string;
  readonly err: () => string;
  /** Resolves when it has ended and all that it wrote was read. */
  readonly ended: Promise<{ readonly exit: number | string; readonly out: string; readonly err: string }>;
}

export interface TypeOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly uid?: number;
  /** Another machine to type it on: makes its command line of this one's. */
  readonly on?: (file: string, ...args: string[]) => readonly string[];
}

/** Starts `holdfast ARGS` without a terminal. */
export function type(args: readonly string[], options: TypeOptions = {}): Typed {
  const { env = {}, on = (...words) => words, ...rest } = options;
  const [file = '', ...words] = on(process.execPath, program, ...args);
  const child = spawn(file, words, {
    ...rest,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    err += chunk;
  });
  const ended = once(child, 'close').then(([code, signal]) => ({ exit: code ?? signal ?? '', out, err }));
  return { child, out: () => out, err: () => err, ended };
}

export interface Folders {
  readonly folder: string;
  readonly env: { readonly HOLDFAST_RUN: string; readonly HOLDFAST_STATE: string };
  remove(): void;
}

export function makeFolders(): Folders {
  const folder = mkdtempSync(join(tmpdir(), 'hf-up-'));
  chmodSync(folder, 0o755);
  const env = { HOLDFAST_RUN: join(folder, 'run'), HOLDFAST_STATE: join(folder, 'state') };
  return { folder, env, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface UpSite {
  readonly env: Folders['env'];
  readonly up: Typed;
  status(): Promise<StatusView>;
  /** Ctrl-C; resolves when everything has ended, with what `up` said last. */
  stop(): Promise<string>;
}

/** Runs `holdfast up ARGS` until it says that the site is up, and every balancer has a way back. Throws with its words when it does not come up. */
export async function up(
  args: readonly string[],
  env: Folders['env'],
  more: NodeJS.ProcessEnv = {},
  where: Pick<TypeOptions, 'on'> = {},
): Promise<UpSite> {
  const running = type(['up', ...args], { env: { ...env, ...more }, ...where });
  const words = () => `${running.out()}\n${running.err()}`;
  const status = async () => {
    const { out, err } = await type(['status', '--json'], { env }).ended;
    try {
      return JSON.parse(out) as StatusView;
    } catch {
      throw new Error(`status: ${err}${out}`);
    }
  };
  const stop = async () => {
    if (running.child.exitCode === null) running.child.kill('SIGINT');
    const timer = setTimeout(() => running.child.kill('SIGKILL'), stopMsMax);
    await running.ended;
    clearTimeout(timer);
    return words();
  };
  try {
    const hasEnded = () => running.child.exitCode !== null || running.child.signalCode !== null;
    const isUp = () => running.out().includes('Ctrl-C stops everything.');
    await until('the site', async () => hasEnded() || isUp(), startMsMax);
    if (!isUp()) throw new Error(words());
    await until(
      'a way back on every balancer',
      async () =>
        (await status()).balancers.every(
          (one) =>
            'generations' in one && one.generations.some((g) => g.role === 'standby' && g.state === 'parked'),
        ),
      startMsMax,
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { env, up: running, status, stop };
}

/** Command lines that name the folder, but for our own. */
export function processesOf(folder: string): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return line.includes(folder) ? [line] : [];
    } catch {
      return [];
    }
  });
}

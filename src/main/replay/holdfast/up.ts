import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiLocation, Failure, sitePaths, systemClock } from '#base';
import type { StatusView } from '#contract';
import { ownCommand } from '../../children.ts';
import { siteName } from './texts.ts';

/** A site that `holdfast up` runs, in folders of its own. */
export interface UpSite {
  /** @throws Failure when the controller does not answer as it should. */
  json<T>(path: string): Promise<T>;
  text(path: string): Promise<string>;
  /** Another command of Holdfast, for this site; resolves with what it printed, whatever its exit status. */
  command(...args: readonly string[]): Promise<{ readonly out: string; readonly err: string }>;
  close(): Promise<void>;
}

const logName = 'up.log';
const startMsMax = 60_000;
const pollMs = 50;
const answerMsMax = 5_000;
/** `up` waits 10 s for whom it ends, then kills. */
const gentleEndMs = 25_000;
const logTailLength = 2_000;

/** Resolves when every balancer serves and has a generation to go back to. */
export async function startUp(folder: string, siteFile: string, signal: AbortSignal): Promise<UpSite> {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const env = { ...inherited, HOLDFAST_RUN: join(folder, 'r'), HOLDFAST_STATE: join(folder, 's') };
  const up = spawnOwn(['up', siteFile, '--port', '0'], env, folder);
  // However this process ends, `up` still hears of it, and ends all that it has started.
  const endUp = () => void up.kill('SIGTERM');
  process.on('exit', endUp);
  const commands = new Set<ChildProcess>();

  const ask = (path: string) => askApi(sitePaths(siteName, env).api, path);
  const site: UpSite = {
    json: async <T>(path: string) => (await (await ask(path)).json()) as T,
    text: async (path) => (await ask(path)).text(),
    command: (...args) => runCommand([...args, '--site', siteName], { env, cwd: folder }, commands),
    async close() {
      for (const command of commands) command.kill('SIGKILL');
      await endGently(up);
      endLeftovers(folder);
      process.off('exit', endUp);
    },
  };
  try {
    await untilServing(site, up, join(folder, logName), signal);
    return site;
  } catch (error) {
    await site.close();
    throw error;
  }
}

function spawnOwn(args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): ChildProcess {
  const { file, args: all } = ownCommand(args);
  const log = openSync(join(cwd, logName), 'a', 0o600);
  // A group of its own: Ctrl-C reaches us alone, and we end it in order.
  const child = spawn(file, [...all], { stdio: ['ignore', log, log], env, cwd, detached: true });
  closeSync(log);
  child.on('error', () => {});
  return child;
}

const hasEnded = (child: ChildProcess) =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

async function untilServing(
  site: UpSite,
  up: ChildProcess,
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = systemClock.monotonicMs() + startMsMax;
  const said = () => readFileSync(logFile, 'utf8').slice(-logTailLength);
  for (;;) {
    signal.throwIfAborted();
    if (hasEnded(up)) throw new Failure('HF303', 'holdfast up ended while it started', said());
    const status = await site.json<StatusView>('/v1/status').catch(() => null);
    if (status && isReady(status)) return;
    if (systemClock.monotonicMs() > deadline)
      throw new Failure('HF303', `the site was not up within ${startMsMax / 1_000} s`, said());
    await systemClock.sleep(pollMs, signal);
  }
}

function isReady({ state, balancers }: StatusView): boolean {
  const hasWayBack = (one: StatusView['balancers'][number]) =>
    'generations' in one &&
    one.generations.some(({ role, state: s }) => role === 'standby' && s === 'parked');
  return state === 'serving' && balancers.every(hasWayBack);
}

async function askApi(locationFile: string, path: string): Promise<Response> {
  const { url, token } = JSON.parse(readFileSync(locationFile, 'utf8')) as ApiLocation;
  const response = await fetch(`${url}${path}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(answerMsMax),
  });
  if (response.ok) return response;
  throw new Failure('HF401', `the controller answered ${response.status}: ${await response.text()}`);
}

function runCommand(
  args: readonly string[],
  where: { readonly env: NodeJS.ProcessEnv; readonly cwd: string },
  running: Set<ChildProcess>,
): Promise<{ readonly out: string; readonly err: string }> {
  const { file, args: all } = ownCommand(args);
  const child = spawn(file, [...all], { stdio: ['ignore', 'pipe', 'pipe'], ...where, detached: true });
  running.add(child);
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => {
      running.delete(child);
      resolve({ out, err });
    });
  });
}

async function endGently(up: ChildProcess): Promise<void> {
  up.kill('SIGTERM');
  const deadline = systemClock.monotonicMs() + gentleEndMs;
  while (!hasEnded(up)) {
    if (systemClock.monotonicMs() > deadline) up.kill('SIGKILL');
    await systemClock.sleep(pollMs);
  }
}

/** Whoever still names this run's folder was left by an `up` that did not end in order. */
function endLeftovers(folder: string): void {
  for (const pid of readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
  )) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8');
      const isOurs = words.includes(`${folder}/r/`) || variables.includes(`HOLDFAST_RUN=${folder}/r\0`);
      if (isOurs) process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended, or is somebody else's.
    }
  }
}

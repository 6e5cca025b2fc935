/**
 * Applies the rules of a unit file to real processes, as systemd.service(5), systemd.exec(5) and systemd.kill(5) have
 * them. It is not systemd: there are no control groups, so a unit's processes are known by the folder in their command
 * lines or environments, which each of them has. A directive that it does not know is refused, not skipped.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { identify } from '#base';

export type Rules = ReadonlyMap<string, readonly string[]>;

const program = resolve(import.meta.dirname, '../../bin/holdfast.js');

/** What is applied here. */
const applied = [
  'Type',
  'Environment',
  'EnvironmentFile',
  'ExecStart',
  'KillMode',
  'KillSignal',
  'RestartKillSignal',
  'TimeoutStopSec',
  'Restart',
  'RestartSec',
  'WatchdogSec',
  'WatchdogSignal',
  'OOMPolicy',
  'RuntimeDirectory',
  'RuntimeDirectoryMode',
  'RuntimeDirectoryPreserve',
  'StateDirectory',
  'StateDirectoryMode',
];
/** Of no consequence for who is signalled, started or removed. */
const ignored = ['OOMScoreAdjust', 'LimitNOFILE', 'TasksMax'];

/** The `[Service]` part. */
export function parseUnit(text: string): Rules {
  const rules = new Map<string, string[]>();
  let section = '';
  for (const line of text.split('\n')) {
    if (line === '' || /^[#;]/.test(line)) continue;
    const head = /^\[(\w+)\]$/.exec(line);
    if (head) section = head[1] ?? '';
    const pair = /^(\w+)=(.*)$/.exec(line);
    if (!head && !pair) throw new Error(`neither section nor rule: ${line}`);
    if (!pair || section !== 'Service') continue;
    const [, name = '', value = ''] = pair;
    if (!applied.includes(name) && !ignored.includes(name))
      throw new Error(`what ${name} does is not known here`);
    rules.set(name, [...(rules.get(name) ?? []), value]);
  }
  return rules;
}

export interface Unit {
  start(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** The kernel kills one process of the unit for want of memory. */
  outOfMemory(pid: number): Promise<void>;
  mainPid(): number;
  /** Every process of the unit's control group. */
  group(): number[];
  /** As often as it was started. */
  starts(): number;
  said(): string;
}

/** `folder` stands for `/`. */
export function unitOf(rules: Rules, folder: string): Unit {
  const rule = ruleOf(rules);
  const log = join(folder, 'unit.log');
  const watchdog = watchdogOf(rule, notifySocket(folder));
  let main: ChildProcess | null = null;
  let isWanted = false;
  let starts = 0;
  let again: NodeJS.Timeout | undefined;

  const group = () => processesOf(folder);
  const whom = () => {
    const mode = rule('KillMode', 'control-group');
    if (mode === 'process') return main?.pid && identify(main.pid) ? [main.pid] : [];
    if (mode === 'control-group') return group();
    throw new Error(`KillMode=${mode} is not known here`);
  };
  const signal = (name: NodeJS.Signals) => {
    for (const pid of whom()) if (identify(pid)) process.kill(pid, name);
  };

  async function start(): Promise<void> {
    isWanted = true;
    starts += 1;
    main = startMain(rules, folder, log);
    const started = main;
    const watched = watchdog(started);
    started.on('exit', () => {
      watched.end();
      void ended(started);
    });
    await once(started, 'spawn');
  }

  /** The main process has ended, by itself or because somebody wanted it. */
  async function ended(which: ChildProcess): Promise<void> {
    if (which !== main || !isWanted) return;
    signal(rule('KillSignal', 'SIGTERM') as NodeJS.Signals);
    const restart = rule('Restart', 'no');
    if (restart !== 'always' && restart !== 'no') throw new Error(`Restart=${restart} is not known here`);
    if (restart === 'always') again = setTimeout(() => void start(), seconds(rule('RestartSec', '100ms')));
    else isWanted = false;
    if (rule('RuntimeDirectoryPreserve', 'no') === 'no') removeRuntime();
  }

  function removeRuntime(): void {
    rmSync(join(folder, 'run', rule('RuntimeDirectory', '')), { recursive: true, force: true });
  }

  async function end(name: string): Promise<void> {
    isWanted = false;
    clearTimeout(again);
    const ending = main;
    signal(name as NodeJS.Signals);
    if (ending && ending.exitCode === null && ending.signalCode === null) {
      const late = setTimeout(() => signal('SIGKILL'), seconds(rule('TimeoutStopSec', '90s')));
      await once(ending, 'exit');
      clearTimeout(late);
    }
  }

  return {
    start,
    group,
    mainPid: () => main?.pid ?? 0,
    starts: () => starts,
    said: () => (existsSync(log) ? readFileSync(log, 'utf8') : ''),
    async restart() {
      await end(rule('RestartKillSignal', rule('KillSignal', 'SIGTERM')));
      if (rule('RuntimeDirectoryPreserve', 'no') === 'no') removeRuntime();
      await start();
    },
    async stop() {
      await end(rule('KillSignal', 'SIGTERM'));
      if (rule('RuntimeDirectoryPreserve', 'no') !== 'yes') removeRuntime();
    },
    async outOfMemory(pid) {
      process.kill(pid, 'SIGKILL');
      const policy = rule('OOMPolicy', 'stop');
      if (policy === 'continue') return;
      if (policy === 'stop') return await end(rule('KillSignal', 'SIGTERM'));
      for (const other of group()) process.kill(other, 'SIGKILL');
    },
  };
}

const notifySocket = (folder: string) => join(folder, 'notify.sock');
/** After a stall of the machine what was sent is read late. */
const graceMs = 2_000;

/** Kills who has not been heard of for as long as `WatchdogSec` says. */
function watchdogOf(rule: Rule, socket: string): (child: ChildProcess) => { end(): void } {
  const withinMs = seconds(rule('WatchdogSec', '0'));
  if (withinMs === 0) return () => ({ end() {} });
  return (child) => {
    rmSync(socket, { force: true });
    const ear = spawn('socat', ['-u', `UNIX-RECV:${socket}`, '-'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const bite = () => child.kill(rule('WatchdogSignal', 'SIGABRT') as NodeJS.Signals);
    let late = setTimeout(bite, withinMs + graceMs);
    ear.stdout.on('data', (text) => {
      if (!String(text).includes('WATCHDOG=1')) return;
      clearTimeout(late);
      late = setTimeout(bite, withinMs + graceMs);
    });
    return {
      end() {
        clearTimeout(late);
        ear.kill();
      },
    };
  };
}

type Rule = (name: string, otherwise: string) => string;

function ruleOf(rules: Rules): Rule {
  return (name, otherwise) => rules.get(name)?.at(-1) ?? otherwise;
}

/** The folders that the unit wants, and its command without a shell, in a session of its own. */
function startMain(rules: Rules, folder: string, log: string): ChildProcess {
  const rule = ruleOf(rules);
  const run = join(folder, 'run', rule('RuntimeDirectory', ''));
  const state = join(folder, 'var/lib', rule('StateDirectory', ''));
  mkdirSync(run, { recursive: true, mode: Number.parseInt(rule('RuntimeDirectoryMode', '0755'), 8) });
  mkdirSync(state, { recursive: true, mode: Number.parseInt(rule('StateDirectoryMode', '0755'), 8) });
  const env = environment(rules, folder);
  const [file = '', ...args] = words(rule('ExecStart', ''), env, folder);
  const output = openSync(log, 'a');
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', output, output],
    env: {
      PATH: process.env.PATH,
      ...env,
      ...watchdogEnvironment(rule, folder),
      HOLDFAST_RUN: run,
      HOLDFAST_STATE: state,
    },
  });
  closeSync(output);
  return child;
}

function watchdogEnvironment(rule: Rule, folder: string): Record<string, string> {
  const withinMs = seconds(rule('WatchdogSec', '0'));
  return withinMs === 0
    ? {}
    : { NOTIFY_SOCKET: notifySocket(folder), WATCHDOG_USEC: String(withinMs * 1_000) };
}

function environment(rules: Rules, folder: string): Record<string, string> {
  const lines = [...(rules.get('Environment') ?? [])];
  for (const name of rules.get('EnvironmentFile') ?? []) {
    const path = join(folder, name.replace(/^-/, ''));
    if (existsSync(path)) lines.push(...readFileSync(path, 'utf8').trim().split('\n'));
    else if (!name.startsWith('-')) throw new Error(`${path} is missing`);
  }
  return Object.fromEntries(lines.map((line) => [line.split('=', 1)[0] ?? '', line.replace(/^[^=]*=/, '')]));
}

/** No shell: words, and `${NAME}` from the environment. */
function words(command: string, env: Readonly<Record<string, string>>, folder: string): string[] {
  const expanded = command
    .split(' ')
    .map((word) => word.replace(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? ''))
    .map((word) => (word.startsWith('/etc/') ? join(folder, word) : word));
  return expanded[0] === '/usr/bin/holdfast' ? [process.execPath, program, ...expanded.slice(1)] : expanded;
}

function seconds(text: string): number {
  const found = /^(\d+)(ms|s)?$/.exec(text);
  if (!found) throw new Error(`no time: ${text}`);
  return Number(found[1]) * (found[2] === 'ms' ? 1 : 1_000);
}

function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && identify(pid) !== null)
    .filter((pid) =>
      ['cmdline', 'environ'].some((part) => {
        try {
          return readFileSync(`/proc/${pid}/${part}`, 'latin1').includes(folder);
        } catch {
          return false;
        }
      }),
    );
}

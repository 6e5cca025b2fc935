/**
 * A stand-in for systemd, for one service. It is not systemd: it applies the rules of a unit file, as
 * systemd.service(5) and systemd.kill(5) have them, to real processes in a real control group of the unit's name, and
 * answers a `systemctl` of its own. A rule that it does not know is refused, not skipped.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { identify } from '#base';
import { until } from './stack.ts';

/** Debian's unit files are read here. */
export const unitFolder = '/lib/systemd/system';
const groups = '/sys/fs/cgroup/systemd';
const startMsMax = 90_000;
const restartMs = 100;
/** What systemd calls a start limit. */
const startsMax = 5;
const program = resolve(import.meta.dirname, '../../bin/holdfast.js');

const applied = new Set(
  `Type PIDFile Environment EnvironmentFile ExecStartPre ExecStart ExecReload ExecStop KillMode KillSignal TimeoutStopSec
  Restart SuccessExitStatus`.split(/\s+/),
);
/** Of no consequence here. */
const ignored = new Set(['BindReadOnlyPaths']);

export type ServiceState = 'inactive' | 'activating' | 'active' | 'deactivating' | 'failed';

export interface ServiceManager {
  readonly state: () => ServiceState;
  readonly mainPid: () => number;
  /** As often as it was started, by whomever. */
  readonly starts: () => number;
  /** `systemctl ARGS`, as anybody types it. */
  systemctl(...args: string[]): Promise<{ readonly exit: number; readonly said: string }>;
  /** A command line that runs `file` and `args` on a machine on which this is the service manager. */
  machine(file: string, ...args: string[]): readonly string[];
  /** What a boot does to /run. */
  forgetRun(): void;
  close(): Promise<void>;
}

export interface ServicePlan {
  /** `haproxy.service` */
  readonly unit: string;
  readonly text: string;
  /** An existing folder: everything of the manager lies there. */
  readonly folder: string;
}

/** Whether control groups can be made, and files mounted, here. */
export function canManage(): boolean {
  const group = join(groups, `hf-try-${process.pid}`);
  try {
    mkdirSync(group);
    rmdirSync(group);
    return true;
  } catch {
    return false;
  }
}

export async function startServiceManager(plan: ServicePlan): Promise<ServiceManager> {
  const { unit, folder } = plan;
  const service = new Service(plan);
  const ear = await listenForReady(join(folder, 'notify.sock'), service.heard);
  const path = join(folder, 'systemctl.sock');
  const server = await listenForCalls(path, (args) => service.answer(args));
  const command = join(folder, 'bin/systemctl');
  mkdirSync(join(folder, 'bin'));
  writeFileSync(command, systemctlScript(path), { mode: 0o755 });
  const mount = `mkdir -p /run/systemd && mount --bind ${service.run} /run/systemd`;
  const script = `${mount} && PATH=${join(folder, 'bin')}:$PATH && export PATH && exec "$@"`;

  return {
    state: () => service.state,
    mainPid: () => service.main,
    starts: () => service.starts,
    systemctl: (...args) =>
      new Promise((done) => {
        execFile(command, args, (error, _, said) =>
          done({ exit: error ? Number(error.code ?? 1) : 0, said }),
        );
      }),
    machine: (file, ...args) => ['unshare', '-m', 'sh', '-c', script, 'sh', file, ...args],
    forgetRun() {
      rmSync(join(service.run, 'system', `${unit}.d`), { recursive: true, force: true });
      service.reload();
    },
    async close() {
      server.close();
      ear.kill('SIGKILL');
      await service.close();
    },
  };
}

/** HAProxy and others say `READY=1` to a socket that Node cannot open. */
async function listenForReady(path: string, heard: string[]): Promise<ChildProcess> {
  const ear = spawn('socat', ['-u', `UNIX-RECV:${path}`, 'STDOUT'], { stdio: ['ignore', 'pipe', 'ignore'] });
  ear.stdout.setEncoding('utf8').on('data', (text: string) => heard.push(text));
  await until('the notify socket', async () => existsSync(path));
  return ear;
}

type Answer = (args: readonly string[]) => Promise<{ readonly exit: number; readonly said: string }>;

async function listenForCalls(path: string, answer: Answer): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let asked = '';
    socket.on('error', () => {});
    socket.setEncoding('utf8').on('data', (text: string) => {
      asked += text;
    });
    socket.on('end', () => {
      void answer(asked.split('\n').filter(Boolean)).then(({ exit, said }) => socket.end(`${exit}\n${said}`));
    });
  });
  server.listen(path);
  await once(server, 'listening');
  return server;
}

class Service {
  readonly #plan: ServicePlan;
  readonly #group: string;
  /** Stands for /run/systemd. */
  readonly run: string;
  readonly heard: string[] = [];
  #rules: ReadonlyMap<string, readonly string[]>;
  #again: NodeJS.Timeout | undefined;
  state: ServiceState = 'inactive';
  main = 0;
  starts = 0;

  constructor(plan: ServicePlan) {
    this.#plan = plan;
    this.run = join(plan.folder, 'systemd');
    const name = `hf-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
    this.#group = join(groups, name, plan.unit);
    for (const path of [join(this.run, 'system'), this.#group]) mkdirSync(path, { recursive: true });
    this.#rules = this.#load();
  }

  /** `systemctl daemon-reload` */
  reload(): void {
    this.#rules = this.#load();
  }

  readonly answer: Answer = async (args) => {
    const { unit } = this.#plan;
    const [verb = '', ...rest] = args;
    const named = rest.filter((word) => !word.startsWith('--'));
    if (named.some((name) => name !== unit && `${name}.service` !== unit))
      return { exit: 5, said: `Unit ${named.join()} not loaded.` };
    const verbs: Readonly<Record<string, () => Promise<number>>> = {
      'daemon-reload': async () => {
        this.reload();
        return 0;
      },
      start: () => this.#start(),
      stop: () => this.#stop(),
      disable: () => this.#stop(),
      reload: async () => (this.state === 'active' ? await this.#all('ExecReload') : 1),
    };
    const act = verbs[verb];
    if (!act) return { exit: 1, said: `Unknown command verb ${verb}.` };
    const done = act();
    const exit = rest.includes('--no-block') ? 0 : await done;
    return { exit, said: exit === 0 ? '' : `Job for ${unit} failed.` };
  };

  async close(): Promise<void> {
    this.state = 'inactive';
    clearTimeout(this.#again);
    await until('an empty control group', async () => {
      this.#killAll();
      return this.#members().length === 0;
    });
    for (const one of [this.#group, join(this.#group, '..')]) rmdirSync(one);
  }

  /** The unit, then its drop-ins; an empty value takes back what stood there before. */
  #load(): ReadonlyMap<string, readonly string[]> {
    const drops = join(this.run, 'system', `${this.#plan.unit}.d`);
    const more = existsSync(drops) ? readdirSync(drops).sort() : [];
    const all = [this.#plan.text, ...more.map((name) => readFileSync(join(drops, name), 'utf8'))];
    const found = new Map<string, string[]>();
    for (const [name, value] of all.flatMap(serviceLines))
      found.set(name, value === '' ? [] : [...(found.get(name) ?? []), value]);
    return found;
  }

  #rule(name: string, otherwise: string): string {
    return this.#rules.get(name)?.at(-1) ?? otherwise;
  }

  #members(): number[] {
    return readFileSync(join(this.#group, 'cgroup.procs'), 'utf8').split('\n').map(Number).filter(Boolean);
  }

  #killAll(): void {
    for (const pid of this.#members()) signal(pid, 'SIGKILL');
  }

  #environment(): Record<string, string> {
    const lines = (this.#rules.get('Environment') ?? []).flatMap(wordsOf);
    for (const name of this.#rules.get('EnvironmentFile') ?? []) {
      const path = name.replace(/^-/, '');
      if (existsSync(path)) lines.push(...(readFileSync(path, 'utf8').match(/^\w+=.*$/gm) ?? []));
      else if (!name.startsWith('-')) throw new Error(`${path} is missing`);
    }
    const pairs = lines.map((line) => [
      line.split('=', 1)[0] ?? '',
      line.replace(/^[^=]*=/, '').replace(/^"|"$/g, ''),
    ]);
    return { PATH: process.env.PATH ?? '', ...Object.fromEntries(pairs) };
  }

  /** In the unit's control group from its first instruction on. */
  #begin(line: string): ChildProcess {
    const { folder } = this.#plan;
    const notify = join(folder, 'notify.sock');
    const env = { ...this.#environment(), MAINPID: String(this.main), NOTIFY_SOCKET: notify };
    const words = wordsOf(line.replace(/^-/, '')).flatMap((word) => expanded(word, env));
    const command = words[0] === '/usr/bin/holdfast' ? [process.execPath, program, ...words.slice(1)] : words;
    const output = openSync(join(folder, 'service.log'), 'a');
    const enter = `echo $$ > ${join(this.#group, 'cgroup.procs')}; exec "$@"`;
    const child = spawn('/bin/sh', ['-c', enter, 'sh', ...command], {
      cwd: '/',
      detached: true,
      env,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    return child;
  }

  async #all(name: string): Promise<number> {
    for (const line of this.#rules.get(name) ?? []) {
      const [code] = (await once(this.#begin(line), 'exit')) as [number | null];
      if (code !== 0 && !line.startsWith('-')) return code ?? 1;
    }
    return 0;
  }

  async #start(): Promise<number> {
    if (this.state === 'active' || this.state === 'activating') return 0;
    clearTimeout(this.#again);
    [this.state, this.main] = ['activating', 0];
    this.starts += 1;
    this.heard.length = 0;
    if ((await this.#all('ExecStartPre')) !== 0) return this.#failed();
    this.main = await this.#untilStarted(this.#begin(this.#rule('ExecStart', '')));
    if (this.main === 0) return this.#failed();
    this.state = 'active';
    const watched = this.main;
    void until('its end', async () => identify(watched) === null, 3_600_000).then(() => {
      if (this.state === 'active' && this.main === watched) this.#failed();
    });
    return 0;
  }

  /** Resolves with the main process; 0: it did not start. */
  async #untilStarted(child: ChildProcess): Promise<number> {
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    const type = this.#rule('Type', 'simple');
    switch (type) {
      case 'forking':
        await until('the end of its parent', async () => ended(), startMsMax);
        if (child.exitCode !== 0) return 0;
        return await until(
          'its pid file',
          async () => Number(readFileSync(this.#rule('PIDFile', ''), 'utf8')),
          startMsMax,
        );
      case 'notify':
        // Two messages may come as one piece, without a line's end between them.
        await until(
          'READY=1',
          async () => ended() || this.heard.join('').includes('READY=1'),
          startMsMax,
        ).catch((error: unknown) => {
          throw new Error(`${String(error)}; heard: ${JSON.stringify(this.heard)}`);
        });
        return ended() ? 0 : (child.pid ?? 0);
      case 'exec':
        return child.pid ?? 0;
      default:
        throw new Error(`Type=${type} is not known here`);
    }
  }

  /** It ended, or did not start, and nobody had wanted that. */
  #failed(): number {
    this.#killAll();
    const restart = this.#rule('Restart', 'no');
    if (restart !== 'always' && restart !== 'no') throw new Error(`Restart=${restart} is not known here`);
    this.state = 'failed';
    if (restart === 'always' && this.starts < startsMax)
      this.#again = setTimeout(() => void this.#start(), restartMs);
    return 1;
  }

  async #stop(): Promise<number> {
    clearTimeout(this.#again);
    if (this.state === 'active') {
      this.state = 'deactivating';
      await this.#all('ExecStop');
      const mode = this.#rule('KillMode', 'control-group');
      if (mode !== 'mixed') throw new Error(`KillMode=${mode} is not known here`);
      signal(this.main, this.#rule('KillSignal', 'SIGTERM') as NodeJS.Signals);
      const patience = msOf(this.#rule('TimeoutStopSec', '90'));
      await until('its end', async () => identify(this.main) === null, patience).catch(() => {});
      this.#killAll();
    }
    this.state = 'inactive';
    return 0;
  }
}

/** Sends its words to the manager, and ends as it says. */
function systemctlScript(path: string): string {
  return `#!/bin/sh
answer=$(printf '%s\\n' "$@" | socat -t 100 - UNIX-CONNECT:${path})
echo "$answer" | tail -n +2 >&2
exit $(echo "$answer" | head -n 1)
`;
}

function serviceLines(text: string): [string, string][] {
  let section = '';
  return text.split('\n').flatMap((line): [string, string][] => {
    section = /^\[(\w+)\]$/.exec(line)?.[1] ?? section;
    const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name === undefined || section !== 'Service' || ignored.has(name)) return [];
    if (!applied.has(name)) throw new Error(`what ${name} does is not known here`);
    return [[name, value]];
  });
}

/** Quotes hold words together; there is no shell. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain ?? '',
  );
}

/** `$NAME` alone becomes as many words as it has, `${NAME}` one. */
function expanded(word: string, env: Readonly<Record<string, string>>): string[] {
  const alone = /^\$(\w+)$/.exec(word)?.[1];
  if (alone !== undefined) return (env[alone] ?? '').split(' ').filter(Boolean);
  return [word.replace(/\$\{(\w+)\}/g, (_, name: string) => env[name] ?? '')];
}

function msOf(text: string): number {
  return text === 'infinity' ? 3_600_000 : Number(text) * 1_000;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

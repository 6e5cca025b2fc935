/**
 * A stand-in for systemd, for one service. It is not systemd: it applies the rules of a unit file, as
 * systemd.service(5) and systemd.kill(5) have them, to real processes in a real control group of the unit's name, and
 * answers a `systemctl` of its own. A rule that it does not know is refused, not skipped.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { identify } from '#base';
import { until } from './stack.ts';

/** Debian's unit files are read here. */
export const unitFolder = '/lib/systemd/system';
const groups = '/sys/fs/cgroup/systemd';
const startMsMax = 90_000;
const restartMs = 100;
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
  const run = join(folder, 'systemd');
  const group = join(groups, `hf-${process.pid}-${Math.random().toString(36).slice(2, 8)}`, unit);
  for (const path of [join(run, 'system'), join(folder, 'bin'), group]) mkdirSync(path, { recursive: true });
  const log = join(folder, 'service.log');
  const notify = join(folder, 'notify.sock');
  const heard: string[] = [];
  const ear = spawn('socat', ['-u', `UNIX-RECV:${notify}`, 'STDOUT'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  ear.stdout.setEncoding('utf8').on('data', (text: string) => heard.push(...text.split('\n')));
  await until('the notify socket', async () => existsSync(notify));
  let rules = load();
  let state: ServiceState = 'inactive';
  let main = 0;
  let starts = 0;
  let again: NodeJS.Timeout | undefined;
  const children: ChildProcess[] = [];

  /** The unit, then its drop-ins; an empty value takes back what stood there before. */
  function load(): ReadonlyMap<string, readonly string[]> {
    const drops = join(run, 'system', `${unit}.d`);
    const more = existsSync(drops) ? readdirSync(drops).sort() : [];
    const all = [plan.text, ...more.map((name) => readFileSync(join(drops, name), 'utf8'))];
    const found = new Map<string, string[]>();
    for (const [name, value] of all.flatMap(serviceLines))
      found.set(name, value === '' ? [] : [...(found.get(name) ?? []), value]);
    return found;
  }

  const rule = (name: string, otherwise: string) => rules.get(name)?.at(-1) ?? otherwise;
  const members = () =>
    readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').map(Number).filter(Boolean);
  const killAll = () => {
    for (const pid of members()) signal(pid, 'SIGKILL');
  };

  function environment(): Record<string, string> {
    const lines = (rules.get('Environment') ?? []).flatMap((value) => wordsOf(value));
    for (const name of rules.get('EnvironmentFile') ?? []) {
      const path = name.replace(/^-/, '');
      if (existsSync(path))
        lines.push(
          ...readFileSync(path, 'utf8')
            .split('\n')
            .filter((line) => /^\w+=/.test(line)),
        );
      else if (!name.startsWith('-')) throw new Error(`${path} is missing`);
    }
    const pairs = lines.map((line) => [
      line.split('=', 1)[0] ?? '',
      line.replace(/^[^=]*=/, '').replace(/^"|"$/g, ''),
    ]);
    return { PATH: process.env.PATH ?? '', ...Object.fromEntries(pairs) };
  }

  /** In the unit's control group from its first instruction on. */
  function begin(line: string): ChildProcess {
    const env = { ...environment(), MAINPID: String(main), NOTIFY_SOCKET: notify };
    const words = wordsOf(line.replace(/^-/, '')).flatMap((word) => expanded(word, env));
    const command = words[0] === '/usr/bin/holdfast' ? [process.execPath, program, ...words.slice(1)] : words;
    const output = openSync(log, 'a');
    const child = spawn(
      '/bin/sh',
      ['-c', `echo $$ > ${join(group, 'cgroup.procs')}; exec "$@"`, 'sh', ...command],
      {
        cwd: '/',
        detached: true,
        env,
        stdio: ['ignore', output, output],
      },
    );
    closeSync(output);
    children.push(child);
    return child;
  }

  async function all(name: string): Promise<number> {
    for (const line of rules.get(name) ?? []) {
      const [code] = (await once(begin(line), 'exit')) as [number | null];
      if (code !== 0 && !line.startsWith('-')) return code ?? 1;
    }
    return 0;
  }

  async function start(): Promise<number> {
    if (state === 'active' || state === 'activating') return 0;
    clearTimeout(again);
    [state, main] = ['activating', 0];
    starts += 1;
    heard.length = 0;
    if ((await all('ExecStartPre')) !== 0) return failed();
    const child = begin(rule('ExecStart', ''));
    const ended = () => child.exitCode !== null || child.signalCode !== null;
    const type = rule('Type', 'simple');
    try {
      if (type === 'forking') {
        await until('the end of its parent', async () => ended(), startMsMax);
        if (child.exitCode !== 0) return failed();
        main = await until(
          'its pid file',
          async () => Number(readFileSync(rule('PIDFile', ''), 'utf8')),
          startMsMax,
        );
      } else if (type === 'notify') {
        main = child.pid ?? 0;
        await until('READY=1', async () => ended() || heard.includes('READY=1'), startMsMax);
        if (ended()) return failed();
      } else if (type === 'exec' || type === 'simple') main = child.pid ?? 0;
      else throw new Error(`Type=${type} is not known here`);
    } catch (error) {
      appendFileSync(log, `${String(error)}\n`);
      return failed();
    }
    state = 'active';
    const watched = main;
    void until('its end', async () => identify(watched) === null, 3_600_000).then(() => {
      if (state === 'active' && main === watched) failed();
    });
    return 0;
  }

  /** It ended, or did not start, and nobody had wanted that. */
  function failed(): number {
    killAll();
    const restart = rule('Restart', 'no');
    if (restart !== 'always' && restart !== 'no') throw new Error(`Restart=${restart} is not known here`);
    // What systemd calls a start limit: five in ten seconds.
    state = 'failed';
    if (restart === 'always' && starts < 5) again = setTimeout(() => void start(), restartMs);
    return 1;
  }

  async function stop(): Promise<number> {
    clearTimeout(again);
    if (state !== 'active') {
      state = 'inactive';
      return 0;
    }
    state = 'deactivating';
    await all('ExecStop');
    if (rule('KillMode', 'control-group') !== 'mixed') throw new Error('only KillMode=mixed is known here');
    signal(main, rule('KillSignal', 'SIGTERM') as NodeJS.Signals);
    await until(
      'its end',
      async () => identify(main) === null,
      secondsOf(rule('TimeoutStopSec', '90')),
    ).catch(() => {});
    killAll();
    state = 'inactive';
    return 0;
  }

  async function reload(): Promise<number> {
    return state === 'active' ? await all('ExecReload') : 1;
  }

  async function answer(args: readonly string[]): Promise<{ exit: number; said: string }> {
    const [verb = '', ...rest] = args.filter((word) => word !== '--now');
    const blocks = !rest.includes('--no-block');
    const named = rest.filter((word) => !word.startsWith('--'));
    if (verb === 'daemon-reload') {
      rules = load();
      return { exit: 0, said: '' };
    }
    if (named.some((name) => name !== unit && `${name}.service` !== unit))
      return { exit: 5, said: `Unit ${named.join()} not loaded.` };
    const verbs: Readonly<Record<string, () => Promise<number>>> = { start, stop, reload, disable: stop };
    const act = verbs[verb];
    if (!act) return { exit: 1, said: `Unknown command verb ${verb}.` };
    const done = act();
    const exit = blocks ? await done : 0;
    return { exit, said: exit === 0 ? '' : `Job for ${unit} failed.` };
  }

  const path = join(folder, 'systemctl.sock');
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let asked = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      asked += text;
    });
    socket.on('error', () => {});
    socket.on('end', () => {
      void answer(asked.split('\n').filter(Boolean)).then(({ exit, said }) => socket.end(`${exit}\n${said}`));
    });
  });
  server.listen(path);
  await once(server, 'listening');
  writeFileSync(join(folder, 'bin/systemctl'), systemctlScript(path), { mode: 0o755 });

  return {
    state: () => state,
    mainPid: () => main,
    starts: () => starts,
    systemctl: (...args) =>
      new Promise((done) => {
        execFile(join(folder, 'bin/systemctl'), args, (error, _, said) =>
          done({ exit: error ? Number(error.code ?? 1) : 0, said }),
        );
      }),
    machine: (file, ...args) => [
      'unshare',
      '-m',
      'sh',
      '-c',
      `mkdir -p /run/systemd && mount --bind ${run} /run/systemd && PATH=${join(folder, 'bin')}:$PATH && export PATH && exec "$@"`,
      'sh',
      file,
      ...args,
    ],
    forgetRun() {
      const drops = join(run, 'system', `${unit}.d`);
      for (const name of existsSync(drops) ? readdirSync(drops) : []) writeFileSync(join(drops, name), '');
      rules = load();
    },
    async close() {
      state = 'inactive';
      clearTimeout(again);
      server.close();
      ear.kill('SIGKILL');
      await until('an empty control group', async () => {
        killAll();
        return members().length === 0;
      });
      for (const one of [group, join(group, '..')]) rmdirSync(one);
    },
  };
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

function secondsOf(text: string): number {
  return text === 'infinity' ? 3_600_000 : Number(text) * 1_000;
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

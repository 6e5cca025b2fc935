import { execFileSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure, identify, type ProcessIdentity } from '#base';
import { type CommandLine, type ForeignEngine, foreignEngines } from '#engines';
import { type Listening, listeningSockets, processIds, sameHost, socketsOf } from './listening.ts';
import { linkOf, mainOf, programOf, readOr, wordsOf } from './processes.ts';
import { unitOf } from './service.ts';
import { startedAt } from './started.ts';

/** A listening socket of the engine, as one of its processes has it. */
export interface EngineSocket {
  readonly host: string;
  readonly port: number;
  readonly inode: string;
  readonly pid: number;
  readonly fd: number;
}

/** An engine that somebody else started and that listens on the addresses of a text. */
export interface RunningEngine {
  readonly dialect: keyof typeof foreignEngines;
  readonly binary: string;
  readonly version: string;
  /** Who takes signals: the master, or the only process. */
  readonly main: ProcessIdentity;
  /** All of its processes that have its sockets open, the main one too where it has. */
  readonly processes: readonly ProcessIdentity[];
  readonly command: CommandLine;
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: string;
  /** Null where it sees the whole file system. */
  readonly root: string | null;
  /** Its systemd unit. */
  readonly unit: string | null;
  /** When it read its text last, in milliseconds since 1970. */
  readonly loadedAt: number;
  readonly sockets: readonly EngineSocket[];
}

export interface Asked {
  readonly dialect: RunningEngine['dialect'];
  /** The text, and every file that it includes. */
  readonly file: string;
  readonly includes: readonly string[];
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** Processes of ours, which may have the same sockets. */
  readonly except?: readonly number[];
}

const versionMsMax = 5_000;
const looksMax = 5;

/**
 * The engine that serves the text, found by who listens on its addresses. Only reads below /proc.
 * @throws Failure HF501 (nobody listens), HF502 (it cannot be adopted: the message says why), HF503 (another text runs).
 */
export function findEngine(asked: Asked): RunningEngine {
  const sockets = socketsNow(asked);
  const main = theOne(asked, sockets);
  const binary = linkOf(`/proc/${main.pid}/exe`);
  const foreign = foreignEngines[asked.dialect];
  const version = versionOf(main, binary, foreign);
  const command = foreign.commandLine(wordsOf(main.pid, 'cmdline'));
  const folder = linkOf(`/proc/${main.pid}/cwd`) || '/';
  sameText(asked, main, { command, folder, foreign });
  const processes = [...new Set([main.pid, ...sockets.map(({ pid }) => pid)])].flatMap((pid) => {
    const found = identify(pid);
    return found && socketsOf(pid) ? [found] : [];
  });
  const loadedAt = Math.max(...sockets.map(({ pid }) => startedAt(pid)), startedAt(main.pid));
  notNewer(asked, main, loadedAt);
  const accepting = sockets.find(({ pid }) => pid !== main.pid)?.pid ?? main.pid;
  const root = linkOf(`/proc/${accepting}/root`);
  return {
    dialect: asked.dialect,
    binary,
    version,
    main,
    processes,
    command,
    folder,
    environment: environmentOf(main.pid, foreign),
    user: userOf(accepting),
    root: root === '' || root === '/' ? null : root,
    unit: unitOf(main.pid),
    loadedAt,
    sockets: sockets.filter(({ pid }) => mainOf(pid) === main.pid),
  };
}

/** A socket may be closed between the look at the kernel's list and that at the processes: who is not seen is looked for again. */
function socketsNow(asked: Asked): EngineSocket[] {
  for (let left = looksMax; ; left -= 1)
    try {
      return socketsAt(asked);
    } catch (error) {
      if (left <= 1 || !(error instanceof Failure) || error.code !== 'HF502') throw error;
    }
}

/** Every process that has one of the addresses open, by address. @throws Failure HF501, HF502 */
function socketsAt({ addresses, file, except = [] }: Asked): EngineSocket[] {
  const all = listeningSockets();
  const wanted = addresses.map((address) => ({
    ...address,
    open: all.filter((one) => one.port === address.port && one.host === sameHost(address.host)),
  }));
  const missing = wanted.filter(({ open }) => open.length === 0);
  const name = ({ host, port }: { host: string; port: number }) =>
    `${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (missing.length > 0)
    throw new Failure(
      'HF501',
      `nobody listens on ${missing.map(name).join(', ')}, where ${file} would`,
      missing.length === addresses.length
        ? 'Start the engine as ever and adopt it then, or start the site without it: `holdfast up FILE`.'
        : 'The engine may run with another text, or in a container: adopt it from where it runs.',
    );
  const owners = ownersOf(wanted.flatMap(({ open }) => open));
  const unseen = wanted.filter(({ open }) => open.some(({ inode }) => !owners.has(inode)));
  if (unseen.length > 0)
    throw new Failure(
      'HF502',
      `who listens on ${unseen.map(name).join(', ')} cannot be seen`,
      process.getuid?.() === 0
        ? 'It runs in another container or network namespace: adopt it from in there.'
        : 'Run the command as root, or as the user of the engine.',
    );
  const theirs = wanted.map((address) => ({
    ...address,
    sockets: address.open
      .flatMap(({ inode }) => owners.get(inode) ?? [])
      .filter(({ pid }) => !except.includes(pid)),
  }));
  const ours = theirs.filter(({ sockets }) => sockets.length === 0);
  if (ours.length > 0)
    throw new Failure('HF501', `nobody but Holdfast listens on ${ours.map(name).join(', ')}`);
  return theirs.flatMap(({ sockets }) => sockets);
}

function ownersOf(wanted: readonly Listening[]): Map<string, EngineSocket[]> {
  const owners = new Map<string, EngineSocket[]>();
  for (const pid of processIds()) {
    const open = socketsOf(pid);
    if (!open) continue;
    for (const { host, port, inode } of wanted) {
      const fd = open.get(inode)?.[0];
      if (fd === undefined) continue;
      owners.set(inode, [...(owners.get(inode) ?? []), { host, port, inode, pid, fd }]);
    }
  }
  return owners;
}

function theOne({ dialect, file }: Asked, sockets: readonly EngineSocket[]): ProcessIdentity {
  const mains = [...new Set(sockets.map(({ pid }) => mainOf(pid)))];
  const [pid = 0] = mains;
  const described = mains.map((one) => `process ${one} (${programOf(one)})`).join(' and ');
  if (mains.length > 1)
    throw new Failure(
      'HF502',
      `${described} share the addresses of ${file}`,
      'One of them may be what is left of a reload: wait until it has ended, or stop what should not be there.',
    );
  const { executable } = foreignEngines[dialect];
  if (programOf(pid) !== executable)
    throw new Failure(
      'HF502',
      `${described} listens on the addresses of ${file}, and is not ${executable}`,
      `See it: ps -fp ${pid}`,
    );
  const found = identify(pid);
  if (!found) throw new Failure('HF501', `${described} has just ended`, 'Run the command again.');
  return found;
}

/** @throws Failure HF502 when the binary does not say what it should. */
function versionOf({ pid }: ProcessIdentity, binary: string, { version, executable }: ForeignEngine): string {
  let said = '';
  try {
    // NGINX says it on standard error.
    said = execFileSync('/bin/sh', ['-c', `exec "/proc/${pid}/exe" -v 2>&1`], {
      encoding: 'utf8',
      timeout: versionMsMax,
    });
  } catch (error) {
    said = error instanceof Error ? error.message : String(error);
  }
  const found = version.exec(said)?.[1];
  if (found !== undefined) return found;
  throw new Failure(
    'HF502',
    `${binary} (process ${pid}) is not ${executable}: asked with -v it says "${said.trim().split('\n')[0]}"`,
    'Adopt the engine that the text is for.',
  );
}

/** @throws Failure HF503 when the engine was started with another text. */
function sameText(
  { file }: Asked,
  { pid }: ProcessIdentity,
  { command, folder, foreign }: { command: CommandLine; folder: string; foreign: ForeignEngine },
): void {
  const files = command.files.length > 0 ? command.files : [foreign.defaultFile].filter(Boolean);
  const real = (path: string) => {
    try {
      return realpathSync(path);
    } catch {
      return path;
    }
  };
  const running = files.map((path) => real(resolve(folder, path)));
  if (running.length === 1 && running[0] === real(resolve(file))) return;
  throw new Failure(
    'HF503',
    `process ${pid} runs with ${running.join(' and ') || 'no text that its command line names'}, not with ${file}`,
    running.length > 1
      ? 'Put its texts together in one file, reload it with that, and adopt it then.'
      : `Adopt what runs: holdfast adopt ${running[0] ?? 'FILE'}`,
  );
}

const clockSlackMs = 100;

/** @throws Failure HF503 when a file was written after the engine had read it. */
function notNewer({ file, includes }: Asked, { pid }: ProcessIdentity, loadedAt: number): void {
  for (const path of [file, ...includes]) {
    const writtenAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (writtenAt <= loadedAt + clockSlackMs) continue;
    const time = (at: number) => new Date(at).toISOString();
    throw new Failure(
      'HF503',
      `${path} was written at ${time(writtenAt)}, after process ${pid} had read it at ${time(loadedAt)}: what is on disk may not be what runs`,
      'Reload the engine as ever, so that it runs what is on disk; or put back the text that it runs.',
    );
  }
}

function environmentOf(pid: number, { ownVariables }: ForeignEngine): Record<string, string> {
  const pairs = wordsOf(pid, 'environ').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return Object.fromEntries(pairs.filter(([name]) => !ownVariables.test(name)));
}

function userOf(pid: number): string {
  const uid = /^Uid:\s+\d+\s+(\d+)/m.exec(readOr(`/proc/${pid}/status`))?.[1] ?? '';
  const line = readOr('/etc/passwd')
    .split('\n')
    .find((one) => one.split(':')[2] === uid);
  return line?.split(':')[0] ?? uid;
}

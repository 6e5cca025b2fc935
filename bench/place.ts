/** A folder, processes and servers of one benchmark: all of it is gone after `close`. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, until } from '../test/world/stack.ts';
import { sum } from './measure.ts';

export interface Place {
  readonly folder: string;
  write(name: string, text: string): string;
  /** Starts a program and waits until it listens on `port`. `fds` are its descriptors from 3 on. */
  start(file: string, args: readonly string[], port: number, fds?: readonly number[]): Promise<number>;
  /** Runs at the end, the last one first. */
  atEnd(work: () => Promise<void> | void): void;
  close(): Promise<void>;
}

export function openPlace(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'hf-bench-'));
  chmodSync(folder, 0o755);
  const ends: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  return {
    folder,
    write(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    async start(file, args, port, fds = []) {
      const child = spawn(file, [...args], {
        cwd: folder,
        // A session of its own, as everything that Holdfast starts: the scheduler gives each session its share.
        detached: true,
        stdio: ['ignore', 'ignore', 'pipe', ...fds],
      });
      let words = '';
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        words = (words + chunk).slice(-4_000);
      });
      child.on('error', (error) => {
        words += error.message;
      });
      ends.push(() => ended(child));
      await until(`${file} on port ${port}`, async () => {
        if (child.exitCode !== null) throw new Error(words);
        return await listens(port);
      }).catch((error) => {
        throw new Error(`${String(error)} ${words}`);
      });
      return child.pid ?? 0;
    },
    atEnd: (work) => void ends.push(work),
    async close() {
      for (const end of ends.toReversed()) await end();
    },
  };
}

export async function withPlace<T>(use: (place: Place) => Promise<T>): Promise<T> {
  const place = openPlace();
  try {
    return await use(place);
  } finally {
    await place.close();
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 2_000);
  await gone;
  clearTimeout(timer);
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.on('connect', () => answer(true)).on('error', () => answer(false));
  });
}

const longBytes = 64 * 1024;

/**
 * The servers behind everything that is measured: a small answer, `/long` with 64 kB, `/stream` with the same in chunks.
 * NGINX, because it is the one that costs least.
 */
export async function startServers(place: Place, count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  for (let i = 0; i < count; i += 1) ports.push(await freePort());
  const long = place.write('long', 'x'.repeat(longBytes));
  const servers = ports.map(
    (port) =>
      `server { listen 127.0.0.1:${port}; location / { return 200 "a small answer of a server\\n"; }
    location /long { alias ${long}; }
    location /stream { alias ${long}; sub_filter_types *; sub_filter nowhere nowhere; } }`,
  );
  const text = nginxText(place, 'servers', servers.join('\n  '));
  await place.start('nginx', ['-e', 'stderr', '-c', place.write('servers.conf', text)], ports[0] ?? 0);
  return ports;
}

/** One worker, nothing written; every path lies in the place's folder. */
export function nginxText(place: Place, name: string, http: string): string {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${place.folder}/${name}-${kind};`,
  );
  return `daemon off;
worker_processes 1;
pid ${place.folder}/${name}.pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
  keepalive_timeout 60s;
  ${paths.join('\n  ')}
  ${http}
}
`;
}

const run = promisify(execFile);

export interface Loaded {
  readonly requests: number;
  readonly failed: number;
  readonly perSecond: number;
}

/** Exactly `requests` requests over kept-alive HTTP/1.1 connections, as fast as they are answered. */
export async function h2load(plan: {
  readonly port: number;
  readonly requests: number;
  readonly connections: number;
  readonly host: string;
}): Promise<Loaded> {
  const { stdout } = await run('h2load', [
    '--h1',
    '-n',
    String(plan.requests),
    '-c',
    String(plan.connections),
    '-t',
    '1',
    '-H',
    `:authority: ${plan.host}`,
    `http://127.0.0.1:${plan.port}/`,
  ]);
  const count = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? Number.NaN);
  const good = count(/status codes: (\d+) 2xx/);
  const requests = count(/requests: (\d+) total/);
  return { requests, failed: requests - good, perSecond: count(/finished in .*?, ([\d.]+) req\/s/) };
}

/** Processes that `pid` started: NGINX's work is done by one. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
}

/** At once, of every load. */
export const connections = 32;
const secondsEach = 1;
/** One that hangs is not waited for without end. */
const wrkMsMax = 30_000;

/** As many requests as are answered within a second. */
export async function wrk(url: string, keptAlive: boolean) {
  const { stdout } = await run(
    'wrk',
    [
      ...['-t', '1', '-c', String(connections), '-d', `${secondsEach}s`, '--timeout', '5s'],
      ...(keptAlive ? [] : ['-H', 'Connection: close']),
      url,
    ],
    { timeout: wrkMsMax, killSignal: 'SIGKILL' },
  ).catch((error: unknown) => {
    throw new Error(`wrk of ${url}, which has ${wrkMsMax / 1_000} s to end: ${String(error)}`);
  });
  const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? 0);
  const broken = sum((/Socket errors: (.*)/.exec(stdout)?.[1] ?? '').match(/\d+/g)?.map(Number) ?? []);
  return {
    requests: number(/(\d+) requests in/),
    perSecond: number(/Requests\/sec:\s+([\d.]+)/),
    failed: number(/Non-2xx or 3xx responses: (\d+)/) + broken,
  };
}

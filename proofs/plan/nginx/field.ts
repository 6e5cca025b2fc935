import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Asked } from './requests.ts';
import type { Machine } from './texts.ts';

/** What came back: a whole answer, or nothing before the end. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Servers that say who they are and what they saw, and an NGINX in front of them, in a folder of their own. */
export interface PlanField extends AsyncDisposable {
  readonly machine: Machine;
  /** Free ports, for `listen`. */
  ports(count: number): Promise<readonly number[]>;
  /** Starts NGINX with these words in `http`. Null: it refuses them, or a port was taken. */
  start(http: string): Promise<Running | { readonly refused: string }>;
}

export interface Running extends AsyncDisposable {
  ask(port: number, asked: Asked): Promise<Answer | null>;
  /** False: the process has ended, or is about to: nobody listens. */
  lives(port: number): Promise<boolean>;
}

export async function planField(): Promise<PlanField> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-plan-'));
  await chmod(folder, 0o755);
  const root = join(folder, 'root');
  await mkdir(join(root, 'folder'), { recursive: true });
  for (const name of ['there.txt', 'folder/index.html', 'a', 'error'])
    await writeFile(join(root, name), `file ${name}`);
  const origins = await Promise.all([1, 2, 3].map(() => origin()));
  return {
    machine: { origins: origins.map(portOf), root },
    ports,
    start: (http) => start(folder, http),
    async [Symbol.asyncDispose]() {
      for (const server of origins) server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

async function origin(): Promise<Server> {
  const server = createServer((socket) => {
    let seen = '';
    socket.on('error', () => socket.destroy());
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      seen += chunk;
      const end = seen.indexOf('\r\n\r\n');
      if (end < 0) return;
      const body = seen.slice(0, end);
      socket.end(
        `HTTP/1.1 200 OK\r\nX-Origin: ${portOf(server)}\r\nX-Head: ${Buffer.from(body, 'latin1').toString('base64')}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok`,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function ports(count: number): Promise<readonly number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => origin()));
  const found = held.map(portOf);
  await Promise.all(held.map((server) => new Promise((done) => server.close(done))));
  return found;
}

async function start(folder: string, http: string): Promise<Running | { readonly refused: string }> {
  const paths = ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name === 'body' ? 'client_body' : name}_temp_path ${folder}/${name};`,
  );
  const text = `daemon off;\nmaster_process off;\npid ${folder}/pid;\nerror_log stderr crit;\nevents { worker_connections 1024; }\nhttp {\naccess_log off;\nserver_names_hash_bucket_size 128;\nvariables_hash_max_size 4096;\nlog_not_found off;\n${paths.join('\n')}\n${http}\n}\n`;
  const file = join(folder, 'nginx.conf');
  await writeFile(file, text);
  const child = spawn('nginx', ['-p', folder, '-c', file, '-g', 'error_log stderr crit;'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    said = (said + chunk).slice(-4000);
  });
  const first = Number(/listen 127\.0\.0\.1:(\d+)/.exec(http)?.[1]);
  for (let tries = 0; tries < 2000; tries++) {
    if (child.exitCode !== null || child.signalCode !== null) return { refused: said };
    if (await opens(first)) return running(child);
    await new Promise((done) => setTimeout(done, 10));
  }
  await ended(child);
  return { refused: `it did not listen: ${said}` };
}

function opens(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = new Socket();
    const end = (is: boolean) => {
      socket.destroy();
      done(is);
    };
    socket
      .on('connect', () => end(true))
      .on('error', () => end(false))
      .connect(port, '127.0.0.1');
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

function running(child: ChildProcess): Running {
  const lives = (port: number) => opens(port);
  return { ask, lives, [Symbol.asyncDispose]: () => ended(child) };
}

function bytesOf({ method, path, query, host, version, headers }: Asked): string {
  const lines = [`${method} ${path}${query === null ? '' : `?${query}`} HTTP/${version}`];
  if (host !== null) lines.push(`Host: ${host}`);
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return `${[...lines, 'Connection: close', 'Content-Length: 0'].join('\r\n')}\r\n\r\n`;
}

const answerMsMax = 100_000;

function ask(port: number, asked: Asked): Promise<Answer | null> {
  return new Promise((done, fail) => {
    const socket = new Socket();
    let seen = '';
    socket.setTimeout(answerMsMax, () => {
      socket.destroy();
      fail(new Error(`no answer to ${JSON.stringify(asked)}`));
    });
    socket.on('error', () => undefined);
    socket.on('close', () => done(answerOf(seen)));
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      seen += chunk;
    });
    socket.connect(port, '127.0.0.1', () => socket.write(bytesOf(asked), 'latin1'));
  });
}

function answerOf(seen: string): Answer | null {
  const end = seen.indexOf('\r\n\r\n');
  const [first = '', ...lines] = seen.slice(0, end).split('\r\n');
  const status = /^HTTP\/1\.1 (\d{3})/.exec(first)?.[1];
  if (end < 0 || status === undefined) return null;
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const raw = seen.slice(end + 4);
  return {
    status: Number(status),
    headers,
    body: headers['transfer-encoding'] === 'chunked' ? (raw.split('\r\n')[1] ?? '') : raw,
  };
}

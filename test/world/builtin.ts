import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BuiltinLimits, type BuiltinText, builtinDialect, type Placement } from '#dialects';
import { builtinEngine } from '#engines';
import type { Site } from '#model';
import { openListening } from '../../src/agent/holder/sockets.ts';
import { type Generation, type PublicSocket, type TestServer, until } from './haproxy.ts';

/** A place for processes of the built-in engine: everything it starts or makes is gone after `close`. */
export interface BuiltinWorld {
  readonly folder: string;
  /** A listening socket on a free port of 127.0.0.1, as the holder would own it. */
  socket(): Promise<PublicSocket>;
  /** A server that answers with its name. */
  server(name: string, handle?: RequestListener): Promise<TestServer>;
  /** A server that speaks raw bytes. */
  rawServer(handle: Parameters<typeof createSocketServer>[1]): Promise<TestServer>;
  /** A port of 127.0.0.1 that refuses connections. */
  closedPort(): Promise<number>;
  start(site: Site, options: BuiltinStart): Promise<Generation>;
  close(): Promise<void>;
}

export interface BuiltinStart {
  readonly name: string;
  readonly sockets: Readonly<Record<string, PublicSocket>>;
  readonly generation?: number;
  readonly parked?: boolean;
  readonly threads?: number;
  readonly neighbour?: string | null;
  readonly certificates?: Placement['certificates'];
  readonly ticketKeys?: string | null;
  readonly knownDown?: Placement['knownDown'];
  /** Time-outs that a test would otherwise have to wait for. */
  readonly limits?: Partial<BuiltinLimits>;
}

export async function builtinWorld(): Promise<BuiltinWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  chmodSync(folder, 0o755);
  const closers: (() => Promise<void> | void)[] = [];
  return {
    folder,
    async socket() {
      const port = await freePort();
      const fd = openListening('127.0.0.1', port);
      closers.push(() => closeSync(fd));
      return { port, fd };
    },
    async server(name, handle = (_request, response) => response.end(name)) {
      const server = createServer({ keepAliveTimeout: 60_000, requireHostHeader: false }, handle);
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const close = async () => {
        server.closeAllConnections();
        if (server.listening) await new Promise((resolve) => server.close(resolve));
      };
      closers.push(close);
      return { port: (server.address() as AddressInfo).port, close };
    },
    async rawServer(handle) {
      const sockets = new Set<{ destroy(): void }>();
      const server = createSocketServer(handle).listen(0, '127.0.0.1');
      server.on('connection', (socket) => {
        sockets.add(socket);
        socket.on('error', () => socket.destroy());
      });
      await once(server, 'listening');
      const close = async () => {
        for (const socket of sockets) socket.destroy();
        if (server.listening) await new Promise((resolve) => server.close(resolve));
      };
      closers.push(close);
      return { port: (server.address() as AddressInfo).port, close };
    },
    closedPort: freePort,
    async start(site, options) {
      const generation = await startGeneration(folder, site, options);
      closers.push(() => generation.kill());
      return generation;
    },
    async close() {
      for (const close of closers.reverse()) await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createSocketServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function startGeneration(world: string, site: Site, options: BuiltinStart): Promise<Generation> {
  const folder = join(world, options.name);
  mkdirSync(folder);
  const names = Object.keys(options.sockets);
  const placement: Placement = {
    generation: options.generation ?? 1,
    threads: options.threads ?? 1,
    listeners: Object.fromEntries(names.map((name, index) => [name, { kind: 'fd', fd: index + 3 }])),
    control: join(folder, 'control.sock'),
    entrance: join(folder, 'entrance.sock'),
    neighbour: options.neighbour ?? null,
    certificates: options.certificates ?? {},
    ticketKeys: options.ticketKeys ?? null,
    servers: null,
    knownDown: options.knownDown ?? [],
  };
  const lowered = JSON.parse(builtinDialect.lower(site, placement)) as BuiltinText;
  const text = JSON.stringify({ ...lowered, limits: { ...lowered.limits, ...options.limits } });
  const textFile = join(folder, builtinDialect.fileName);
  writeFileSync(textFile, text);
  const binary = { path: process.execPath, version: '' };
  const command = builtinEngine.command(binary, { textFile, parked: options.parked ?? false });
  const output = openSync(join(folder, 'engine.log'), 'a');
  const child = spawn(command.file, [...command.args], {
    env: { ...process.env, ...command.env },
    stdio: ['ignore', output, output, ...names.map((name) => options.sockets[name]?.fd)],
  });
  closeSync(output);
  const ended = once(child, 'exit').then(() => {});
  const control = builtinEngine.control({ pid: child.pid ?? 0, control: placement.control });
  const said = () => readFileSync(join(folder, 'engine.log'), 'utf8');
  const kill = async () => {
    control.close();
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  };
  try {
    await until('the engine answers', () => isReady(child, () => control.state(500)), 20_000);
  } catch (error) {
    await kill();
    throw new Error(`${error}\n${said()}`);
  }
  const entrance = placement.entrance ?? '';
  const pid = child.pid ?? 0;
  return { pid, entrance, socketPath: placement.control, control, text, said, ended: () => ended, kill };
}

async function isReady(child: ChildProcess, state: () => Promise<unknown>): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error('the engine ended while it started');
  return state().then(
    () => true,
    () => false,
  );
}

/** Writes bytes to a port or a Unix socket, and resolves with all that comes back until the other side ends. */
export function rawly(at: number | string, bytes: string | Buffer, msMax = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = typeof at === 'number' ? connect(at, '127.0.0.1') : connect(at);
    let came = '';
    const timer = setTimeout(() => socket.destroy(), msMax);
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      came += chunk;
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(came);
    });
    socket.write(bytes);
  });
}

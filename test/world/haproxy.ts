import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Placement } from '#dialects';
import {
  type Engine,
  type EngineBinary,
  type EngineControl,
  haproxyEngine,
  type Identity,
  nginxEngine,
} from '#engines';
import type { Site } from '#model';
import { openListening } from '../../src/agent/holder/sockets.ts';
import { killGroup } from './group.ts';

/** A place for real engines' processes: everything it starts or makes is gone after `close`. */
export interface HaproxyWorld {
  readonly folder: string;
  readonly binary: EngineBinary;
  /** A listening socket on a free port of 127.0.0.1, as the holder would own it. */
  socket(): Promise<PublicSocket>;
  /** A server that answers with its name; resolves to its port. */
  server(name: string, handle?: RequestListener, port?: number): Promise<TestServer>;
  start(site: Site, options: StartOptions): Promise<Generation>;
  close(): Promise<void>;
}

export interface PublicSocket {
  readonly port: number;
  readonly fd: number;
}

export interface TestServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface StartOptions {
  readonly name: string;
  /** By listener name. */
  readonly sockets: Readonly<Record<string, PublicSocket>>;
  readonly parked?: boolean;
  readonly neighbour?: string | null;
  readonly certificates?: Placement['certificates'];
  readonly ticketKeys?: string | null;
  readonly servers?: Placement['servers'];
}

export interface Generation {
  readonly pid: number;
  readonly entrance: string;
  readonly socketPath: string;
  readonly control: EngineControl;
  readonly text: string;
  /** What it wrote to its standard output and error. */
  said(): string;
  ended(): Promise<void>;
  kill(): Promise<void>;
}

const firstFd = 3;
const readyMsMax = 45_000;

export function haproxyWorld(): Promise<HaproxyWorld> {
  return worldOf(haproxyEngine, null);
}

/** Without rights, as it runs for real: its workers would be without them in any case. */
export function nginxWorld(): Promise<HaproxyWorld> {
  return worldOf(nginxEngine, process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null);
}

async function worldOf(engine: Engine, identity: Identity): Promise<HaproxyWorld> {
  const binary = await engine.find();
  if (!binary) throw new Error(`${engine.name} is not installed: ${engine.install}`);
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  chmodSync(folder, 0o755);
  const closers: (() => Promise<void> | void)[] = [];
  return {
    folder,
    binary,
    async socket() {
      const port = await freePort();
      const fd = openListening('127.0.0.1', port);
      closers.push(() => closeSync(fd));
      return { port, fd };
    },
    async server(name, handle = (_request, response) => response.end(name), port = 0) {
      const server = createServer({ keepAliveTimeout: 60_000 }, handle).listen(port, '127.0.0.1');
      await once(server, 'listening');
      const close = async () => {
        server.closeAllConnections();
        await closeServer(server);
      };
      closers.push(close);
      return { port: (server.address() as AddressInfo).port, close };
    },
    async start(site, options) {
      const generation = await startGeneration({ engine, identity, binary, world: folder }, site, options);
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
  await closeServer(server);
  return port;
}

async function closeServer(server: SocketServer): Promise<void> {
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

async function startGeneration(
  {
    engine,
    identity,
    binary,
    world,
  }: {
    readonly engine: Engine;
    readonly identity: Identity;
    readonly binary: HaproxyWorld['binary'];
    readonly world: string;
  },
  site: Site,
  options: StartOptions,
): Promise<Generation> {
  const folder = join(world, options.name);
  mkdirSync(folder);
  const names = Object.keys(options.sockets);
  const placement: Placement = {
    generation: 1,
    threads: 2,
    listeners: Object.fromEntries(names.map((name, index) => [name, { kind: 'fd', fd: firstFd + index }])),
    control: join(folder, 'control.sock'),
    entrance: join(folder, 'entrance.sock'),
    neighbour: options.neighbour ?? null,
    certificates: options.certificates ?? {},
    ticketKeys: options.ticketKeys ?? null,
    servers: options.servers ?? null,
  };
  const text = engine.dialect.lower({ ...site, listeners: listenersAt(site, options) }, placement);
  const textFile = join(folder, engine.dialect.fileName);
  writeFileSync(textFile, text);
  for (const [file, content] of Object.entries(engine.dialect.files?.(site) ?? {}))
    writeFileSync(join(folder, file), content);
  if (identity) chownSync(folder, identity.uid, identity.gid);
  const command = engine.command(binary, { textFile, parked: options.parked ?? false });
  const output = openSync(join(folder, 'engine.log'), 'a');
  const child = spawn(command.file, [...command.args], {
    env: { ...process.env, ...command.env },
    detached: true,
    ...(identity ?? {}),
    stdio: ['ignore', output, output, ...names.map((name) => options.sockets[name]?.fd)],
  });
  closeSync(output);
  const ended = once(child, 'exit').then(() => {});
  const control = engine.control({
    pid: child.pid ?? 0,
    control: placement.control,
    keeps: options.parked ? 'parked' : 'unknown',
  });
  const said = () => readFileSync(join(folder, 'engine.log'), 'utf8');
  const kill = async () => {
    control.close();
    killGroup(child.pid ?? 0);
    await ended;
  };
  await untilReady(child, control).catch(async (error) => {
    await kill();
    throw new Error(`${error}\n${said()}`);
  });
  return {
    pid: child.pid ?? 0,
    entrance: placement.entrance ?? '',
    socketPath: placement.control,
    control,
    text,
    said,
    ended: () => ended,
    kill,
  };
}

/** NGINX knows a socket that it is lent by its address. */
function listenersAt(site: Site, { sockets }: StartOptions): Site['listeners'] {
  return site.listeners.map((listener) => ({
    ...listener,
    port: sockets[listener.name]?.port ?? listener.port,
  }));
}

async function untilReady(child: ChildProcess, control: EngineControl): Promise<void> {
  const deadline = performance.now() + readyMsMax;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error('the engine ended while it started');
    const answered = await control.state(500).then(
      () => true,
      () => false,
    );
    if (answered) return;
    await sleep(5);
  }
  throw new Error('the engine did not answer');
}

/** Waits until `holds`, and says what it waited for when it never does. */
export async function until(
  what: string,
  holds: () => Promise<boolean> | boolean,
  msMax = 40_000,
): Promise<void> {
  const deadline = performance.now() + msMax;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never happened within ${msMax} ms: ${what}`);
    await sleep(5);
  }
}

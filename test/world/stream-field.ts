import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { unsupportedBy } from '#dialects';
import type { Evidence } from '#engines';
import type { EngineName } from '#model';
import { siteOf } from '../model/site.ts';
import { selfSigned } from './certificate.ts';
import { everyEngineWorld } from './engines.ts';
import type { Generation, PublicSocket } from './haproxy.ts';
import { freePort } from './stack.ts';
import { type Listener, left, listeners, names, textFor } from './stream-site.ts';
import { startGreeter } from './streams.ts';

export const waitMsMax = 20_000;

/** One engine with all the listeners of `stream-site.ts`, and the servers behind them. */
export interface StreamField {
  readonly generation: Generation;
  /** What the raw server does with each connection, health checks too; it ends them before a test says otherwise. */
  serve: (socket: Socket) => void;
  portOf(name: Listener): number;
  evidence(): Promise<Evidence>;
  /** The next connection to the raw server on which something is said: no health check. */
  nextServed(): Promise<Socket>;
  close(): Promise<void>;
}

/** A case that every engine agrees about; left out where the engine refuses the listener that it needs. */
export function agreedOn(engine: EngineName, field: () => StreamField) {
  return (what: string, body: () => Promise<void>, needs: Listener | null = null) =>
    test(what, { timeout: 4 * waitMsMax }, async (t) => {
      if (needs && left[engine]?.includes(needs)) return t.skip(`HF021: ${listeners[needs]}`);
      field().serve = (socket) => socket.end();
      await body();
    });
}

/** Ends when its client does. */
export function greet(socket: Socket): void {
  socket.write('hello\n');
  socket.on('end', () => socket.end()).resume();
}

export async function openStreamField(engine: EngineName): Promise<StreamField> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const end of closers.toReversed()) await end();
  };
  try {
    const raw = await startRaw();
    closers.push(raw.close);
    const ports = await startServers(closers);
    const world = await everyEngineWorld[engine]();
    closers.push(world.close);
    let sockets = {} as Record<Listener, PublicSocket>;
    for (const name of names) sockets = { ...sockets, [name]: await world.socket() };
    const site = siteOf(
      textFor(sockets, { raw: raw.port, ...ports, nobody: await freePort() }, left[engine] ?? []),
    );
    const [refused] = unsupportedBy(site, engine);
    if (refused) throw new Error(refused.message);
    const said = site.listeners.map(({ name }) => [name, sockets[name as Listener]] as const);
    const generation = await world.start(site, { name: 'streams', sockets: Object.fromEntries(said) });
    return {
      generation,
      get serve() {
        return raw.serve;
      },
      set serve(next) {
        raw.serve = next;
      },
      portOf: (name) => sockets[name].port,
      evidence: () => generation.control.evidence(2_000),
      nextServed: () =>
        new Promise((resolve) => {
          raw.serve = (socket) => socket.once('data', () => resolve(socket));
        }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startRaw() {
  const served = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    served.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => served.delete(socket));
    raw.serve(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const raw = {
    port: (server.address() as AddressInfo).port,
    serve: (socket: Socket): void => void socket.end(),
    close() {
      for (const socket of served) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
  return raw;
}

async function startServers(closers: (() => unknown)[]) {
  const start = async (name: string, tls: ReturnType<typeof selfSigned> | null = null) => {
    const greeter = await startGreeter(name, { tls });
    closers.push(greeter.close);
    return greeter.port;
  };
  return {
    one: await start('one'),
    two: await start('two'),
    rest: await start('rest'),
    exact: await start('exact', selfSigned('one.shop.example')),
    wild: await start('wild', selfSigned('wild.shop.example')),
  };
}

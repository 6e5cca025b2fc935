/** Servers that speak first, and clients that listen: what goes over TCP byte by byte. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTls } from 'node:tls';

export interface Greeter {
  readonly name: string;
  readonly port: number;
  /** Connections that it took, health checks too. */
  connections(): number;
  /** From now on nothing listens, and what was open is reset. */
  close(): Promise<void>;
}

/** Says its name to whoever connects, then sends back what it is sent, and ends when its client has. */
export async function startGreeter(
  name: string,
  {
    tls = null,
    port = 0,
  }: { readonly tls?: { key: string; cert: string } | null; readonly port?: number } = {},
): Promise<Greeter> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const greet = (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    socket.write(`${name}\n`);
    socket.pipe(socket);
  };
  const server: Server = tls
    ? createTls({ ...tls, allowHalfOpen: true }, greet)
    : createServer({ allowHalfOpen: true }, greet);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    name,
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async close() {
      for (const socket of sockets) socket.resetAndDestroy();
      if (server.listening) await new Promise((resolve) => server.close(resolve));
    },
  };
}

export interface Talk {
  readonly socket: Socket;
  /** Everything that was heard so far. */
  heard(): string;
  /** Resolves once it was heard, rejects when the connection ends before. */
  until(text: string): Promise<void>;
  /** How the connection ended: `end`, or the error's code. */
  readonly ended: Promise<string>;
}

const heardMsMax = 20_000;

/** A connection; with `name` (empty: none) over TLS. */
export function talkTo(port: number, name: string | null = null): Talk {
  const socket =
    name === null
      ? connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      : connectTls({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ...(name === '' ? {} : { servername: name }),
        });
  let heard = '';
  let over: string | null = null;
  const waiting = new Set<() => void>();
  const tell = () => {
    for (const one of waiting) one();
  };
  const ended = new Promise<string>((resolve) => {
    const end = (how: string) => {
      over ??= how;
      tell();
      resolve(over);
    };
    socket
      .on('end', () => end('end'))
      .on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
      .on('close', () => end('close'));
  });
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
    tell();
  });
  return {
    socket,
    ended,
    heard: () => heard,
    until: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const isHeard = heard.includes(text);
          if (!isHeard && over === null) return;
          clearTimeout(late);
          waiting.delete(look);
          if (isHeard) resolve();
          else
            reject(
              new Error(`${over} before ${JSON.stringify(text)}, heard ${JSON.stringify(heard.slice(-200))}`),
            );
        };
        const late = setTimeout(() => {
          waiting.delete(look);
          reject(
            new Error(`${JSON.stringify(text)} was not heard, only ${JSON.stringify(heard.slice(-200))}`),
          );
        }, heardMsMax);
        waiting.add(look);
        look();
      }),
  };
}

/** Who answers a new connection. @throws Error when nobody does. */
export async function whoIsAt(port: number, name: string | null = null): Promise<string> {
  const talk = talkTo(port, name);
  try {
    await talk.until('\n');
    return talk.heard().trim();
  } finally {
    talk.socket.destroy();
  }
}

export interface StreamCounts {
  readonly byAnswer: Readonly<Record<string, number>>;
  readonly failed: readonly string[];
}

/** New connections one after the other, `atOnce` of them, until stopped; each is a greeting, an echo, and an end. */
export function startStreamLoad(port: number, atOnce: number): { stop(): Promise<StreamCounts> } {
  const byAnswer: Record<string, number> = {};
  const failed: string[] = [];
  let stopping = false;
  const one = async () => {
    const talk = talkTo(port);
    try {
      await talk.until('\n');
      const who = talk.heard().trim();
      talk.socket.end('over\n');
      await talk.until('over\n');
      const how = await talk.ended;
      if (how !== 'end') throw new Error(how);
      byAnswer[who] = (byAnswer[who] ?? 0) + 1;
    } catch (error) {
      failed.push(String(error));
    } finally {
      talk.socket.destroy();
    }
  };
  const running = Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (!stopping) await one();
    }),
  );
  return {
    async stop() {
      stopping = true;
      await running;
      return { byAnswer, failed };
    },
  };
}

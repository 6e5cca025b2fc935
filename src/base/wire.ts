import { connect, createServer, type Server, type Socket } from 'node:net';
import { Failure, messageOf } from './failure.ts';

/** Requests and answers as JSON lines over a Unix socket: what holder, agent and built-in engine speak among themselves. */
const lineBytesMax = 8 * 1024 * 1024;

export type Handlers = Readonly<Record<string, (input: unknown) => unknown | Promise<unknown>>>;

/** Splits a stream into lines; ends the socket of a peer that sends a longer line than `lineBytesMax`. */
export function eachLine(socket: Socket, use: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    rest += chunk;
    let end = rest.indexOf('\n');
    while (end >= 0) {
      use(rest.slice(0, end));
      rest = rest.slice(end + 1);
      end = rest.indexOf('\n');
    }
    if (rest.length > lineBytesMax) socket.destroy();
  });
}

export function serveWire(handlers: Handlers): Server {
  return createServer((socket) => {
    socket.on('error', () => socket.destroy());
    eachLine(socket, async (line) => {
      let id: unknown = null;
      try {
        const { id: asked, call, input } = JSON.parse(line) as { id: number; call: string; input: unknown };
        id = asked;
        const handler = handlers[call];
        if (!handler) throw new Error(`unknown call ${call}`);
        const output = await handler(input);
        socket.write(`${JSON.stringify({ id, output: output ?? null })}\n`);
      } catch (error) {
        const { code, remedy } = error instanceof Failure ? error : {};
        socket.write(`${JSON.stringify({ id, error: messageOf(error), code, remedy })}\n`);
      }
    });
  });
}

export interface WireClient {
  /** Rejects when the peer says so (a Failure comes as a Failure), ends, or does not answer within `timeoutMs`. */
  call(name: string, input: unknown, timeoutMs?: number): Promise<unknown>;
  close(): void;
}

/** Connects on the first call and again after the peer has ended. */
interface Answer {
  readonly id: number;
  readonly output?: unknown;
  readonly error?: string;
  /** Of a Failure. */
  readonly code?: string;
  readonly remedy?: string;
}

export function wireClient(path: string): WireClient {
  let socket: Socket | null = null;
  let lastId = 0;
  const waiting = new Map<
    number,
    { on: Socket; resolve(v: unknown): void; reject(e: Error): void; timer: NodeJS.Timeout }
  >();

  function open(): Socket {
    const fresh = connect(path);
    const failAll = (error: Error) => {
      if (socket === fresh) socket = null;
      for (const [id, w] of waiting) {
        // Between a connection's error and its end somebody may have asked again, on another one.
        if (w.on !== fresh) continue;
        clearTimeout(w.timer);
        waiting.delete(id);
        w.reject(error);
      }
    };
    fresh.on('error', failAll);
    fresh.on('close', () => failAll(new Error(`${path}: the peer ended`)));
    eachLine(fresh, (line) => {
      const { id, output, error, code, remedy } = JSON.parse(line) as Answer;
      const w = waiting.get(id);
      if (!w) return;
      waiting.delete(id);
      clearTimeout(w.timer);
      if (error === undefined) w.resolve(output);
      else w.reject(code === undefined ? new Error(error) : new Failure(code, error, remedy));
      if (waiting.size === 0) fresh.unref();
    });
    return fresh;
  }

  return {
    call(name, input, timeoutMs = 5_000) {
      return new Promise((resolve, reject) => {
        socket ??= open();
        const id = ++lastId;
        const timer = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`${path}: no answer to ${name} within ${timeoutMs} ms`));
        }, timeoutMs);
        waiting.set(id, { on: socket, resolve, reject, timer });
        socket.ref();
        socket.write(`${JSON.stringify({ id, call: name, input })}\n`);
      });
    },
    close() {
      socket?.destroy();
      socket = null;
    },
  };
}

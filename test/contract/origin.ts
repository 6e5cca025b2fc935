import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTls } from 'node:tls';
import { type ContractCase, type OriginAnswer, ok } from './case.ts';
import { type Message, MessageReader } from './message.ts';

/** One connection that an engine opened and said something on. Health checks that only connect leave no trace. */
export interface OriginConnection {
  /** All that came, at most the beginning of it. */
  bytes: string;
  readonly reader: MessageReader;
  readonly other: boolean;
}

/** A server that keeps what it was sent, byte for byte, and answers as it is told. */
export interface Origin {
  readonly port: number;
  readonly otherPort: number;
  readonly connections: readonly OriginConnection[];
  /** Requests in the order in which their heads came. */
  readonly requests: readonly (Message & { readonly other: boolean })[];
  close(): Promise<void>;
}

const bytesMax = 262_144;
/** Outside of what the system gives away, so it never becomes somebody's. */
const nobodysPort = 9;

export async function startOrigin(options: {
  readonly host: string;
  readonly answers: readonly OriginAnswer[];
  /** Of the other one, where it has its own. */
  readonly otherAnswers?: readonly OriginAnswer[] | undefined;
  readonly listens: boolean;
  readonly greeting?: ContractCase['greeting'];
  /** Null: plain text. */
  readonly tls: { readonly key: string; readonly cert: string } | null;
}): Promise<Origin> {
  if (!options.listens)
    return {
      port: nobodysPort,
      otherPort: nobodysPort,
      connections: [],
      requests: [],
      close: async () => {},
    };
  const connections: OriginConnection[] = [];
  const requests: (Message & { readonly other: boolean })[] = [];
  const sockets = new Set<Socket>();
  const { answers, otherAnswers } = options;
  const answerFor = (other: boolean): OriginAnswer => {
    const own = otherAnswers ? requests.filter((one) => one.other === other) : requests;
    const said = other ? (otherAnswers ?? answers) : answers;
    return said[Math.min(own.length, said.length - 1)] ?? { when: 'body', steps: [ok] };
  };
  const serve = (other: boolean) => (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    const { greeting } = options;
    if (greeting) socket.write(greeting.says, 'latin1');
    if (greeting?.ends) socket.end();
    let turn: Promise<void> = Promise.resolve();
    const answerTo = new Map<Message, OriginAnswer>();
    const answer = (message: Message, steps: OriginAnswer['steps']) => {
      turn = turn.then(() => play(socket, reader, message, steps)).catch(() => void socket.destroy());
    };
    const reader = new MessageReader({
      kind: 'request',
      onHead(message) {
        const todo = answerFor(other);
        requests.push(Object.assign(message, { other }));
        answerTo.set(message, todo);
        if (todo.steps.some((step) => typeof step === 'object' && step.kind === 'echo')) reader.tunnel();
        if (todo.when === 'head') answer(message, todo.steps);
      },
      onMessage(message) {
        const todo = answerTo.get(message);
        if (todo?.when === 'body') answer(message, todo.steps);
      },
    });
    const connection: OriginConnection = { bytes: '', reader, other };
    socket.setEncoding('latin1').on('data', (bytes: string) => {
      if (connection.bytes === '') connections.push(connection);
      if (connection.bytes.length < bytesMax) connection.bytes += bytes;
      reader.push(bytes);
      if (reader.fault !== null)
        socket.end('HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    });
    socket.on('end', () => {
      reader.end();
      void turn.then(() => socket.end());
    });
  };
  const open = { allowHalfOpen: true, noDelay: true };
  const servers = [false, true].map((other) =>
    options.tls ? createTls({ ...open, ...options.tls }, serve(other)) : createServer(open, serve(other)),
  );
  for (const server of servers) {
    // Of TLS those too that never come to a handshake.
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy());
    });
    await listen(server, options.host);
  }
  const [port = 0, otherPort = 0] = servers.map((server) => (server.address() as AddressInfo).port);
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  };
  return { port, otherPort, connections, requests, close };
}

async function listen(server: Server, host: string): Promise<void> {
  server.listen(0, host);
  await once(server, 'listening');
}

const piece = 'x'.repeat(65_536);

export async function fill(socket: Socket, bytes: number): Promise<void> {
  for (let left = bytes; left > 0 && !socket.destroyed; left -= piece.length) {
    if (socket.write(left < piece.length ? piece.slice(0, left) : piece, 'latin1')) continue;
    await drained(socket);
  }
}

async function drained(socket: Socket): Promise<void> {
  const over = new AbortController();
  const either = ['drain', 'close'].map((name) => once(socket, name, over));
  await Promise.race(either).catch(() => {});
  over.abort();
}

async function play(
  socket: Socket,
  reader: MessageReader,
  message: Message,
  steps: OriginAnswer['steps'],
): Promise<void> {
  for (const step of steps) {
    if (socket.destroyed) return;
    if (typeof step === 'string') {
      socket.write(step, 'latin1');
      continue;
    }
    switch (step.kind) {
      case 'pause':
        await sleep(step.ms);
        break;
      case 'fill':
        await fill(socket, step.bytes);
        break;
      case 'stopReading':
        socket.pause();
        await sleep(step.ms);
        socket.resume();
        break;
      case 'awaitBody':
        while (message.bodyBytes < step.bytes && !socket.readableEnded && !socket.destroyed) await sleep(2);
        break;
      case 'continue':
        if (message.headers.some(([name]) => name === 'expect'))
          socket.write('HTTP/1.1 100 Continue\r\n\r\n');
        break;
      case 'reply':
        socket.write(step.to(message.start), 'latin1');
        break;
      case 'line':
        socket.write(
          `HTTP/1.1 200 OK\r\nContent-Length: ${message.start.length}\r\n\r\n${message.start}`,
          'latin1',
        );
        break;
      case 'echo':
        if (reader.raw !== '') socket.write(reader.raw, 'latin1');
        socket.on('data', (bytes: string) => socket.write(bytes, 'latin1'));
        break;
      case 'close':
        socket.end();
        break;
      case 'reset':
        // What was written is on its way first.
        await new Promise((done) => socket.write('', done));
        socket.resetAndDestroy();
        break;
    }
  }
}

import { createServer, IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ConnectionFacts, Exchange } from './exchange.ts';
import { farewell, shortAnswer } from './farewell.ts';
import { serve } from './forward.ts';
import type { Generation } from './generation.ts';

/** Speaks HTTP on connections that others accept: public side, TLS, private entrance. */
export interface Front {
  /** Takes over a connection whose client is known. */
  take(socket: Duplex, facts: ConnectionFacts, protocol: 'http/1.1' | 'h2'): void;
  /** HTTP/2 clients are told to open another connection; HTTP/1.1 ones hear it with their next answer. */
  drain(): void;
  /** At once: what is left of connections is dropped. */
  close(): void;
}

export function createFront(generation: Generation): Front {
  const connections = new WeakMap<Duplex, Known>();
  const sessions = new Set<{ close(): void; destroy(): void }>();
  const sockets = new WeakMap<object, Duplex>();
  const find: Find = (socket) => (socket && connections.get(socket)) ?? null;
  const run = (exchange: Exchange) => serve(generation, exchange);
  const one = createHttp1(generation, find, run);
  const two = createHttp2({ settings: { maxConcurrentStreams: 100 }, maxSessionMemory: 4 });
  two.on('session', (session) => {
    sessions.add(session);
    session.setTimeout(generation.text.limits.idleMs, () => session.close());
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  two.on('request', (request, response) => {
    const connection = find(sockets.get(request.stream.session ?? {}));
    if (connection) void run(new Exchange(connection.facts, request, response));
    else request.stream.destroy();
  });
  return {
    take(socket, facts, protocol) {
      connections.set(socket, { facts, underWay: new Set() });
      if (protocol === 'http/1.1') return void one.emit('connection', socket);
      two.once('session', (session) => sockets.set(session, socket));
      two.emit('connection', socket);
    },
    drain() {
      for (const session of sessions) session.close();
    },
    close() {
      one.close();
      for (const session of sessions) session.destroy();
    },
  };
}

/** A client's connection. */
interface Known {
  readonly facts: ConnectionFacts;
  /** Requests whose answers have not left it yet: a pipelining client may have several. HTTP/1.1 only. */
  readonly underWay: Set<Exchange>;
}

type Find = (socket: Duplex | undefined) => Known | null;
const nobody: ReadonlySet<Exchange> = new Set();

/**
 * A request of whose body nothing more is read while nobody takes it. Left to itself, Node reads on into a buffer of its
 * own: so much more for each client whose server does not read.
 */
class OneReading extends IncomingMessage {
  override push(chunk: unknown, encoding?: BufferEncoding): boolean {
    return super.push(chunk, encoding) && this.readableFlowing === true;
  }
}

function createHttp1(generation: Generation, find: Find, run: (exchange: Exchange) => Promise<void>): Server {
  const { limits } = generation.text;
  const server = createServer({
    IncomingMessage: OneReading,
    headersTimeout: limits.headMs,
    requestTimeout: 0,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headBytesMax,
    connectionsCheckingInterval: Math.min(1_000, Math.ceil(limits.headMs / 4)),
    // Behind a request that still awaits its answer there is no connection to give away: it gets an ordinary answer.
    shouldUpgradeCallback: (request) => isUpgrade(request) && find(request.socket)?.underWay.size === 0,
  });
  const handle = (request: IncomingMessage, response: ServerResponse, expects: boolean) => {
    const connection = find(request.socket);
    if (!connection) return void response.destroy();
    const { facts, underWay } = connection;
    if (underWay.size >= limits.pipelinedMax) return void request.socket.destroy();
    const exchange = new Exchange(facts, request, response);
    exchange.expectsContinue = expects;
    underWay.add(exchange);
    response.on('close', () => underWay.delete(exchange));
    void run(exchange);
  };
  server.on('request', (request, response) => handle(request, response, false));
  server.on('checkContinue', (request, response) => handle(request, response, true));
  server.on('connect', (_request, socket) => {
    farewell(socket, shortAnswer(405, 'Method Not Allowed'));
  });
  server.on('upgrade', (request, stream, first) => {
    const connection = find(request.socket);
    if (connection) void run(upgradeExchange(connection.facts, request, stream, first));
    else stream.destroy();
  });
  server.on('clientError', (error, socket) =>
    badRequest(generation, find(socket)?.underWay ?? nobody, error, socket),
  );
  // Bounded by their bytes. Node would leave out what is beyond a number, silently.
  server.maxHeadersCount = 0;
  // A client that has closed its side still hears its answer. Node has this switch, its types do not.
  Object.assign(server, { httpAllowHalfOpen: true });
  // It never listens itself: connections come from the sides. This starts its watch over slow heads all the same.
  server.emit('listening');
  return server;
}

/** Only WebSocket: whoever asks for h2c gets HTTP/1.1, as RFC 9110 7.8 allows. */
function isUpgrade(request: IncomingMessage): boolean {
  const hasBody =
    request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined;
  return (
    request.method === 'GET' && !hasBody && request.headers.upgrade?.trim().toLowerCase() === 'websocket'
  );
}

function upgradeExchange(
  facts: ConnectionFacts,
  request: IncomingMessage,
  stream: Duplex,
  first: Buffer,
): Exchange {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  // Carries an ordinary answer when the server does not want to switch; the connection ends behind it.
  if (stream instanceof Socket) response.assignSocket(stream);
  stream.on('drain', () => response.emit('drain'));
  stream.on('error', () => stream.destroy());
  response.on('finish', () => farewell(stream));
  return new Exchange(facts, request, response, { protocol: 'websocket', stream, first });
}

const answersTo: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What the parser refused: a head that is none, or the body of a request that is under way. */
function badRequest(
  generation: Generation,
  underWay: ReadonlySet<Exchange>,
  error: Error & { readonly code?: string },
  socket: Duplex,
): void {
  const code = error.code ?? '';
  const silentSoFar = socket instanceof Socket && socket.bytesRead === 0;
  // What stands behind a request that asked for the end of its connection is nobody's; the request gets its answer.
  if (code === 'HPE_CLOSED_CONNECTION' && underWay.size > 0) return;
  const parsed = code.startsWith('HPE_') || code.startsWith('ERR_HTTP_');
  if (!parsed || !socket.writable || silentSoFar) return void socket.destroy();
  const status = answersTo[code] ?? 400;
  const [only] = underWay;
  generation.errors.add({
    status,
    why: code,
    pool: only?.pool ?? '',
    server: only?.server ?? '',
    retries: 0,
    method: only?.request.method ?? '',
    path: only?.head?.path ?? '',
    host: only?.head?.host ?? '',
  });
  if (only) {
    only.closeAfter();
    // Behind an answer that has begun, or before one that is owed to an earlier request, nothing can be said.
    if (underWay.size === 1 && !only.started) only.answer(status);
    else socket.destroy();
    return;
  }
  generation.counts.clientErrors += 1;
  generation.counts.requests += 1;
  farewell(socket, shortAnswer(status, STATUS_CODES[status] ?? ''));
}

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ClientRequest, type ClientResponse, type ConnectionFacts, Exchange } from './exchange.ts';
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
  const facts = new WeakMap<Duplex, ConnectionFacts>();
  const sessions = new Set<{ close(): void; destroy(): void }>();
  const sockets = new WeakMap<object, Duplex>();
  const known = (socket: Duplex | undefined) => (socket && facts.get(socket)) ?? null;
  const run = (exchange: Exchange) => void serve(generation, exchange);
  const one = createHttp1(generation, known, run);
  const two = createHttp2({ settings: { maxConcurrentStreams: 100 }, maxSessionMemory: 16 });
  two.on('session', (session) => {
    sessions.add(session);
    session.setTimeout(generation.text.limits.idleMs, () => session.close());
    session.on('close', () => sessions.delete(session));
    session.on('error', () => session.destroy());
  });
  two.on('request', (request, response) => {
    const connection = known(sockets.get(request.stream.session ?? {}));
    if (connection) run(new Exchange(connection, request, response));
    else request.stream.destroy();
  });
  return {
    take(socket, connection, protocol) {
      facts.set(socket, connection);
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

type Known = (socket: Duplex | undefined) => ConnectionFacts | null;

function createHttp1(generation: Generation, known: Known, run: (exchange: Exchange) => void): Server {
  const { limits } = generation.text;
  const server = createServer({
    headersTimeout: limits.headMs,
    requestTimeout: 0,
    keepAliveTimeout: limits.idleMs,
    maxHeaderSize: limits.headBytesMax,
    connectionsCheckingInterval: Math.min(1_000, Math.ceil(limits.headMs / 4)),
    shouldUpgradeCallback: isUpgrade,
  });
  const handle = (request: ClientRequest, response: ClientResponse, expects: boolean) => {
    const connection = known(request.socket);
    if (!connection) return void response.destroy();
    const exchange = new Exchange(connection, request, response);
    exchange.expectsContinue = expects;
    run(exchange);
  };
  server.on('request', (request, response) => handle(request, response, false));
  server.on('checkContinue', (request, response) => handle(request, response, true));
  server.on('connect', (_request, socket) => {
    socket.end('HTTP/1.1 405 Method Not Allowed\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
  });
  server.on('upgrade', (request, stream, first) => {
    const connection = known(request.socket);
    if (connection) run(upgradeExchange(connection, request, stream, first));
    else stream.destroy();
  });
  server.on('clientError', (error, socket) => badRequest(generation, error, socket));
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
  response.on('finish', () => stream.end());
  return new Exchange(facts, request, response, { protocol: 'websocket', stream, first });
}

const answersTo: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** What the parser refused. Requests that are being answered on that connection lose nothing by it: it ends behind them. */
function badRequest(generation: Generation, error: Error & { code?: string }, socket: Duplex): void {
  const code = error.code ?? '';
  if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = answersTo[code] ?? '400 Bad Request';
  generation.counts.clientErrors += 1;
  generation.counts.requests += 1;
  generation.errors.add({
    status: Number(status.slice(0, 3)),
    why: code,
    pool: '',
    server: '',
    retries: 0,
    method: '',
    path: '',
    host: '',
  });
  const answering = '_httpMessage' in socket && socket._httpMessage;
  if (answering) return void socket.destroy();
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

/** Web servers that answer with their name, and misbehave by name. In this process; small on purpose. */
import { createServer as createHttp, type Server as HttpServer, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createNet } from 'node:net';

/**
 * What a server does to a request. `refuses` has no listening socket at all; `leaves` gives one more answer, and then has none
 * either: nobody is sent away in the middle; `blackhole` accepts and never answers.
 */
export const ways = [
  'right',
  'wrong',
  'errors',
  'slow',
  'resets',
  'half',
  'blackhole',
  'refuses',
  'leaves',
] as const;
export type Way = (typeof ways)[number];

export interface OriginOptions {
  readonly name: string;
  readonly way: Way;
  /** Before a `right` answer. `slow` adds `slowMs`. */
  readonly delayMs: number;
  /** Requests at once; more wait in line. */
  readonly atOnceMax: number;
  readonly slowMs: number;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: { readonly key: string; readonly cert: string } | null;
}

export interface Origin {
  readonly name: string;
  readonly host: '127.0.0.1';
  /** Stays the same through `become`; for `refuses` a port where nothing listens. */
  readonly port: number;
  readonly requests: () => number;
  /** The most requests that were worked on at once. */
  readonly atOnce: () => number;
  /** Misbehave from now on; `right` mends it. Open connections of one that now `refuses` are reset. */
  become(way: Way): Promise<void>;
  close(): Promise<void>;
}

const usual: Omit<OriginOptions, 'name'> = {
  way: 'right',
  delayMs: 0,
  atOnceMax: Number.POSITIVE_INFINITY,
  slowMs: 2_000,
  port: 0,
  tls: null,
};

export async function startOrigin(
  options: Partial<OriginOptions> & { readonly name: string },
): Promise<Origin> {
  const settled: OriginOptions = { ...usual, ...options };
  const line = waitingLine(settled.atOnceMax);
  let way = settled.way;
  let isGone = false;
  let requests = 0;
  let server = build();
  let port = await listen(server, settled.port);
  if (way === 'refuses') await go();

  function build(): HttpServer {
    const handler = (_: unknown, response: ServerResponse) => {
      requests += 1;
      const leave = line.enter(() => setTimeout(() => answer(response), waitMs()));
      response.on('close', leave);
    };
    const made = settled.tls ? createTls({ ...settled.tls }, handler) : createHttp(handler);
    made.keepAliveTimeout = 60_000;
    return made;
  }
  const waitMs = () => settled.delayMs + (way === 'slow' ? settled.slowMs : 0);

  async function go(): Promise<void> {
    if (isGone) return;
    isGone = true;
    await shut(server);
  }

  function answer(response: ServerResponse) {
    if (way === 'blackhole') return;
    if (way === 'resets') return reset(response.socket);
    if (way === 'half') {
      response.writeHead(200, { 'content-length': '1000' });
      return response.write('half of it', () => reset(response.socket));
    }
    if (way === 'leaves') {
      response.shouldKeepAlive = false;
      response.on('finish', () => void go());
    }
    const isBad = way === 'errors';
    response.writeHead(isBad ? 500 : 200, { 'content-type': 'text/plain', 'x-origin': settled.name });
    response.end(isBad ? 'broken\n' : `${way === 'wrong' ? 'somebody else' : settled.name}\n`);
  }

  return {
    name: settled.name,
    host: '127.0.0.1',
    get port() {
      return port;
    },
    requests: () => requests,
    atOnce: line.most,
    async become(next) {
      way = next;
      if (next === 'refuses') return go();
      if (!isGone) return;
      isGone = false;
      server = build();
      port = await listen(server, port);
    },
    async close() {
      await go();
    },
  };
}

export function startOrigins(count: number, options: Partial<OriginOptions> = {}): Promise<Origin[]> {
  return Promise.all(
    Array.from({ length: count }, (_, i) => startOrigin({ ...options, name: `web-${i + 1}` })),
  );
}

/** A port on which nothing listens now. Another process may take it: bind it soon. */
export async function freePort(): Promise<number> {
  const server = createNet();
  const port = await listen(server, 0);
  await new Promise((done) => server.close(done));
  return port;
}

interface WaitingLine {
  /** Calls `work` when there is room; the function it gives back makes room. */
  enter(work: () => void): () => void;
  most(): number;
}

function waitingLine(atOnceMax: number): WaitingLine {
  const waiting: (() => void)[] = [];
  let now = 0;
  let most = 0;
  function begin(work: () => void) {
    now += 1;
    most = Math.max(most, now);
    work();
  }
  return {
    most: () => most,
    enter(work) {
      let state: 'waiting' | 'working' | 'gone' = 'waiting';
      const start = () => {
        state = 'working';
        begin(work);
      };
      if (now < atOnceMax) start();
      else waiting.push(start);
      return () => {
        const was = state;
        state = 'gone';
        if (was === 'waiting') waiting.splice(waiting.indexOf(start), 1);
        if (was !== 'working') return;
        now -= 1;
        waiting.shift()?.();
      };
    },
  };
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', backlog: 4_096 }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function shut(server: HttpServer): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()));
  server.closeAllConnections();
  return closed;
}

function reset(socket: Socket | null) {
  socket?.resetAndDestroy();
}

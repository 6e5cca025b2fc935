/** Servers that say who they are and what they saw, each on a Unix socket and on a port of its own; over TLS, too. */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer as createSecureServer } from 'node:tls';

/** What a server saw of one request. */
export interface Seen {
  readonly server: string;
  /** Null: it was asked in a protocol whose words are not HTTP's. */
  readonly head: Head | null;
}

export interface Head {
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** Names in lower case; several of one name are one, with `, ` between them. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface Servers {
  /** By number. */
  readonly paths: readonly string[];
  readonly ports: readonly number[];
  close(): void;
}

export async function startServers(
  folder: string,
  count: number,
  pair: { readonly cert: string; readonly key: string },
): Promise<Servers> {
  const open = new Set<Socket>();
  const started = await Promise.all(
    Array.from({ length: count }, async (_, number) => {
      const path = join(folder, `server${number}.sock`);
      const secure = createSecureServer(pair, (socket) => answer(socket, number));
      secure.on('tlsClientError', () => undefined);
      const take = (socket: Socket) => {
        open.add(socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy()));
        // The first byte of a ClientHello is 22, that of FastCGI is its version.
        socket.once('readable', () => {
          const first: Buffer | null = socket.read(1);
          if (first === null) return;
          socket.unshift(first);
          if (first[0] === 22) secure.emit('connection', socket);
          else if (first[0] === 1) answerFastCgi(socket, number);
          else answer(socket, number);
        });
      };
      const [onPath, onPort] = [createServer(take).listen(path), createServer(take).listen(0, '127.0.0.1')];
      await Promise.all([once(onPath, 'listening'), once(onPort, 'listening')]);
      chmodSync(path, 0o777);
      return { path, port: portOf(onPort), servers: [onPath, onPort] };
    }),
  );
  return {
    paths: started.map(({ path }) => path),
    ports: started.map(({ port }) => port),
    close: () => {
      for (const { servers } of started) for (const server of servers) server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

export function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/** Requests have no bodies here. */
function answer(socket: Socket, number: number): void {
  let rest = '';
  socket.on('error', () => socket.destroy());
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    rest += chunk;
    for (let end = rest.indexOf('\r\n\r\n'); end >= 0; end = rest.indexOf('\r\n\r\n')) {
      const head = rest.slice(0, end);
      rest = rest.slice(end + 4);
      const isLast =
        /HTTP\/1\.0(?:\r|$)/.test(head.split('\n')[0] ?? '') || /\r\nconnection: close/i.test(head);
      const body = head.startsWith('HEAD ') ? '' : 'ok';
      const seen = Buffer.from(head, 'latin1').toString('base64');
      const close = isLast ? 'Connection: close\r\n' : '';
      socket.write(
        `HTTP/1.1 200 OK\r\nX-Server: ${number}\r\nX-Head: ${seen}\r\n${close}Content-Length: 2\r\n\r\n${body}`,
      );
      if (isLast) socket.end();
    }
  });
}

const [endRequest, standardIn, standardOut] = [3, 5, 6];

/** One request a connection, answered when its body has ended. */
function answerFastCgi(socket: Socket, number: number): void {
  let rest: Buffer = Buffer.alloc(0);
  const made = (type: number, body: Buffer) => {
    const head = Buffer.from([1, type, 0, 1, body.length >> 8, body.length & 255, 0, 0]);
    return Buffer.concat([head, body]);
  };
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 8) {
      const length = rest.readUInt16BE(4);
      const end = 8 + length + (rest[6] ?? 0);
      if (rest.length < end) return;
      const isLast = rest[1] === standardIn && length === 0;
      rest = rest.subarray(end);
      if (!isLast) continue;
      const text = Buffer.from(`Status: 200 OK\r\nX-Server: ${number}\r\nContent-Length: 2\r\n\r\nok`);
      const all = [
        made(standardOut, text),
        made(standardOut, Buffer.alloc(0)),
        made(endRequest, Buffer.alloc(8)),
      ];
      socket.end(Buffer.concat(all));
    }
  });
}

/** What the server says it saw. Null: no server answered. */
export function seenIn(headers: ReadonlyMap<string, string>): Seen | null {
  const [server, head] = [headers.get('x-server'), headers.get('x-head')];
  if (server === undefined) return null;
  return { server, head: head === undefined ? null : headOf(head) };
}

function headOf(head: string): Head {
  const [line = '', ...rest] = Buffer.from(head, 'base64').toString('latin1').split('\r\n');
  const seen = new Map<string, string>();
  for (const one of rest) {
    const at = one.indexOf(':');
    const name = one.slice(0, at).toLowerCase();
    const value = one.slice(at + 1).trim();
    const before = seen.get(name);
    seen.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const [from, to] = [line.indexOf(' '), line.lastIndexOf(' ')];
  return { method: line.slice(0, from), url: line.slice(from + 1, to), headers: seen };
}

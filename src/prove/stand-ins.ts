import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer as httpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { StagedServer } from '#dialects';

/** What a server saw of one request. */
export interface Seen {
  readonly server: Pick<StagedServer, 'pool' | 'server' | 'address' | 'foreign'>;
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** Names in lower case, values as they came, several of one name with `, ` between them. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface StandIns {
  /** What the stand-in whose answer has this mark saw. */
  seen(mark: string): Seen | null;
  close(): void;
}

/** The header by which a stand-in's answer is known. */
export const markHeader = 'x-holdfast-stand-in';

/** Servers that say who they are, on sockets in the folder; plain or over TLS, whatever comes. */
export async function startStandIns(
  servers: readonly StagedServer[],
  folder: string,
  certificate: { readonly cert: string; readonly key: string },
): Promise<StandIns> {
  const seen = new Map<string, Seen>();
  const running: Server[] = [];
  const sockets = new Set<Socket>();
  const context = createSecureContext(certificate);
  const answer = (server: Seen['server'], asked: IncomingMessage, response: ServerResponse) => {
    const mark = `${seen.size}`;
    const { method = '', url = '', rawHeaders } = asked;
    seen.set(mark, { server, method, url, headers: joined(rawHeaders) });
    asked.resume();
    response.sendDate = false;
    const body = method === 'HEAD' ? '' : 'ok';
    response.writeHead(200, { [markHeader]: mark, 'cache-control': 'no-store', 'content-length': 2 });
    response.end(body);
  };
  /** What Node refuses to read, and an engine says all the same: a request line without a target, after a rewrite. */
  const answerOdd = (server: Seen['server'], raw: Buffer | undefined, socket: Socket | TLSSocket) => {
    const asked = oddRequest(raw?.toString('latin1') ?? '');
    if (asked === null || !socket.writable) {
      socket.destroy();
      return;
    }
    const mark = `${seen.size}`;
    seen.set(mark, { server, ...asked });
    socket.end(`HTTP/1.1 200 OK\r\n${markHeader}: ${mark}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  };
  try {
    await Promise.all(
      servers.map(async (server) => {
        const { socket: name, ...who } = server;
        const http = httpServer({ insecureHTTPParser: true, requireHostHeader: false }, (asked, response) =>
          answer(who, asked, response),
        ).on('clientError', (error: Error & { readonly rawPacket?: Buffer }, socket) =>
          answerOdd(who, error.rawPacket, socket as Socket),
        );
        const listening = createServer((socket) => {
          sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy()));
          socket.once('data', (first: Buffer) => {
            socket.pause();
            socket.unshift(first);
            const isTls = first[0] === 0x16;
            const spoken = isTls ? new TLSSocket(socket, { isServer: true, secureContext: context }) : socket;
            spoken.on('error', () => socket.destroy());
            http.emit('connection', spoken);
            spoken.resume();
          });
        });
        running.push(listening);
        const path = join(folder, name);
        listening.listen(path);
        await once(listening, 'listening');
        chmodSync(path, 0o666);
      }),
    );
  } catch (error) {
    close();
    throw error;
  }
  return { seen: (mark) => seen.get(mark) ?? null, close };

  function close(): void {
    for (const server of running) server.close();
    for (const socket of sockets) socket.destroy();
  }
}

function oddRequest(raw: string): Omit<Seen, 'server'> | null {
  const [first = '', ...lines] = (raw.split('\r\n\r\n')[0] ?? '').split('\r\n');
  const [, method, url] = /^([A-Z]+) (\S*) HTTP\/1\.[01]$/.exec(first) ?? [];
  if (method === undefined || url === undefined) return null;
  const headers = lines.flatMap((line) => {
    const at = line.indexOf(':');
    return at < 1 ? [] : [line.slice(0, at), line.slice(at + 1).trim()];
  });
  return { method, url, headers: joined(headers) };
}

function joined(raw: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

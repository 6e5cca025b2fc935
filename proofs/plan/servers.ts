/** Servers that say who they are and what they saw, on Unix sockets. */
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';

/** What a server saw of one request. */
export interface Seen {
  readonly server: string;
  readonly method: string;
  /** With its query. */
  readonly url: string;
  /** Names and values, as they came, one after the other. */
  readonly headers: readonly string[];
}

export interface Servers {
  /** Paths of their sockets, by number. */
  readonly paths: readonly string[];
  close(): Promise<void>;
}

export async function startServers(folder: string, count: number): Promise<Servers> {
  const servers = await Promise.all(Array.from({ length: count }, (_, number) => start(folder, number)));
  return {
    paths: servers.map(({ path }) => path),
    close: async () => {
      for (const { server } of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

async function start(
  folder: string,
  number: number,
): Promise<{ readonly server: Server; readonly path: string }> {
  const path = join(folder, `server${number}.sock`);
  const server = createServer({ insecureHTTPParser: true, keepAlive: true }, (request, response) => {
    const { method = '', url = '', rawHeaders: headers } = request;
    const seen: Seen = { server: String(number), method, url, headers };
    const body = Buffer.from(JSON.stringify(seen), 'latin1');
    response.writeHead(200, { 'content-length': body.length, 'x-seen': body.toString('base64') });
    request.resume();
    response.end(method === 'HEAD' ? '' : body);
  });
  server.maxRequestsPerSocket = 0;
  server.keepAliveTimeout = 0;
  server.listen(path);
  await once(server, 'listening');
  chmodSync(path, 0o777);
  return { server, path };
}

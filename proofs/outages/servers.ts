import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ServerName, type Servers, serverNames } from './scenario.ts';

/** What it answers to everything but its health check, with its name; the staff's own server refuses customers. */
const statuses: Partial<Record<ServerName, number>> = { 'admin-1': 403, 'broken-1': 500 };

export async function startServers(): Promise<{ readonly servers: Servers; close(): void }> {
  const started = await Promise.all(
    serverNames.map(async (name) => {
      const server = createServer((request, response) => {
        response.statusCode = request.url === '/health' ? 200 : (statuses[name] ?? 200);
        response.end(`${name}\n`);
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      return { name, server };
    }),
  );
  const ports = started.map(({ name, server }) => [name, { port: (server.address() as AddressInfo).port }]);
  return {
    servers: Object.fromEntries(ports) as Servers,
    close() {
      for (const { server } of started) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

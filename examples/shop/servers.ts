/**
 * The four web servers of the example, in one process. Each answers `/health`, and anything else with its name.
 * Ends on SIGTERM, SIGINT, or when its standard input ends: when whoever started it goes away.
 */
import { createServer, type Server } from 'node:http';

const servers = [
  { name: 'web-1', port: 9101 },
  { name: 'web-2', port: 9102 },
  { name: 'api-1', port: 9103 },
  { name: 'api-2', port: 9104 },
] as const;

function serve(name: string, port: number): Server {
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    response.setHeader('content-type', 'text/plain');
    response.setHeader('x-server', name);
    response.end(request.url === '/health' ? 'ok\n' : `${name}\n`);
  });
  server.on('error', (error) => {
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  });
  return server.listen(port, '127.0.0.1');
}

const running = servers.map(({ name, port }) => serve(name, port));
let waiting = running.length;
for (const server of running) {
  server.once('listening', () => {
    waiting -= 1;
    if (waiting === 0)
      process.stdout.write(`ready: ${servers.map((s) => `${s.name} :${s.port}`).join(', ')}\n`);
  });
}

const end = () => process.exit(0);
process.stdin.on('end', end).on('close', end).on('error', end).resume();
process.on('SIGTERM', end).on('SIGINT', end);

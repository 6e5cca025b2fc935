/**
 * The four web servers of the example, in one process. Each answers `/health`, and anything else with its name.
 * Ends on SIGTERM, SIGINT, or when its standard input ends: when whoever started it goes away.
 */
import { createServer, type Server } from 'node:http';

/** The site file names ports 9101 to 9104; another first port may be given as an argument. */
const firstPort = Number(process.argv[2] ?? 9101);
const servers = ['web-1', 'web-2', 'api-1', 'api-2'].map((name, i) => ({ name, port: firstPort + i }));

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

/** One web server, a process on its own machine, that misbehaves as it is told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Machine } from './network.ts';

export interface Manner {
  readonly how: 'answers' | 'hangs' | 'resets' | 'halves';
  readonly status: number;
  readonly delayMs: number;
  /** So many requests of a hundred are treated so; the others as ever. */
  readonly percent: number;
  /** Its health check too. */
  readonly checkToo: boolean;
  /** Whose site it is. */
  readonly site: string;
}

const well: Manner = {
  how: 'answers',
  status: 200,
  delayMs: 8,
  percent: 100,
  checkToo: false,
  site: 'shop',
};

export interface ServerProcess {
  readonly name: string;
  /** Without a word: as ever. */
  become(manner?: Partial<Manner>): Promise<void>;
  signal(name: NodeJS.Signals): void;
  pid(): number;
  /** Starts it again, when it has been killed. */
  start(): Promise<void>;
  close(): Promise<void>;
}

interface ServerPlan {
  readonly name: string;
  readonly machine: Machine;
  readonly port: number;
  /** What paths it knows; to others it says 404, or `unknown`. */
  readonly knows: string;
  readonly unknown: number;
  readonly backlog?: number;
}

export async function startServer(plan: ServerPlan): Promise<ServerProcess> {
  const { name, machine, port, knows, unknown, backlog = 511 } = plan;
  const words = JSON.stringify({ name, port, host: machine.address, knows, unknown, backlog });
  let child: ChildProcess;
  const start = async () => {
    child = spawn(
      'ip',
      [
        'netns',
        'exec',
        machine.namespace,
        process.execPath,
        '--max-semi-space-size=1',
        import.meta.filename,
        words,
      ],
      { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true },
    );
    await once(child, 'message');
  };
  await start();
  return {
    name,
    start,
    pid: () => child.pid ?? 0,
    signal: (signal) => void child.kill(signal),
    async become(manner = {}) {
      const said = once(child, 'message');
      child.send({ ...well, ...manner });
      await said;
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

type Words = Required<Omit<ServerPlan, 'machine'>> & { readonly host: string };

function serve({ name, port, host, knows, unknown, backlog }: Words): void {
  let manner = well;
  const server = createServer((asked, response) => {
    const isCheck = asked.url === '/health';
    const isMeant = (!isCheck || manner.checkToo) && Math.random() * 100 < manner.percent;
    const how = isMeant ? manner : well;
    setTimeout(() => answer(asked, response, how), how.delayMs);
  });
  function answer({ url = '' }: IncomingMessage, response: ServerResponse, { how, status, site }: Manner) {
    if (how === 'hangs') return;
    if (how === 'resets') return response.socket?.resetAndDestroy();
    if (how === 'halves') {
      response.writeHead(200, { 'content-length': '1000' });
      return response.write('half of it', () => response.socket?.resetAndDestroy());
    }
    const isKnown = url === '/health' || new RegExp(knows).test(url);
    response.writeHead(isKnown ? status : unknown, { 'content-type': 'text/plain', 'x-site': site });
    response.end(`${site} ${name}\n`);
  }
  server.keepAliveTimeout = 60_000;
  server.listen({ port, host, backlog }, () => process.send?.('listens'));
  process.on('message', (next: Manner) => {
    manner = next;
    process.send?.('so it is');
  });
  process.on('disconnect', () => process.exit(0));
}

if (import.meta.main) serve(JSON.parse(process.argv[2] ?? '{}') as Words);

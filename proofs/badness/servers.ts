/** Good servers and bad ones, in a process of their own: what answers must not take its time from what measures. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startBlackhole } from '../../test/world/blackhole.ts';
import { startOrigin, type Way } from '../../test/world/origins.ts';
import { type Badness, goodName } from './kinds.ts';

export interface Servers {
  readonly good: readonly number[];
  /** Ports, one for each way. */
  bad(kind: Badness): readonly number[];
  close(): Promise<void>;
}

interface Ports {
  readonly good: readonly number[];
  readonly bad: Readonly<Partial<Record<Way, number>>>;
  readonly hole: number;
}

/** Ten good ones, and one of each bad way: a balancer takes the same port ten times for ten servers. */
export async function startServers(): Promise<Servers> {
  const child = spawn(process.execPath, [import.meta.filename], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await once(child.stdout, 'data');
  const { good, bad, hole } = JSON.parse(String(line)) as Ports;
  return {
    good,
    bad: ({ ways }) =>
      ways.map((way, at) => {
        if (way === 'no answer to SYN') return hole;
        return (way === 'right' ? good[at] : bad[way]) ?? 0;
      }),
    async close() {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}

/** Ends when its standard input does: with whoever started it. */
async function serve(): Promise<void> {
  const each = Array.from({ length: 10 }, (_, at) =>
    startOrigin({ name: `${goodName}${at + 1}`, way: 'right' }),
  );
  const good = (await Promise.all(each)).map(({ port }) => port);
  const bad: Partial<Record<Way, number>> = {};
  for (const way of ['refuses', 'errors', 'slow', 'wrong'] as const)
    bad[way] = (await startOrigin({ name: 'elsewhere', way, slowMs: 1_500 })).port;
  const { port: hole } = await startBlackhole();
  process.stdin.on('end', () => process.exit(0)).resume();
  process.stdout.write(`${JSON.stringify({ good, bad, hole } satisfies Ports)}\n`);
}

if (import.meta.main) await serve();

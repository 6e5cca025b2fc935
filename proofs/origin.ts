/** One web server in a process and session of its own: what measures must not be what answers, nor take its time from it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startOrigin } from '../test/world/origins.ts';

export interface OriginProcess {
  readonly port: number;
  close(): Promise<void>;
}

export async function startOriginProcess(name: string): Promise<OriginProcess> {
  const child = spawn(process.execPath, [import.meta.filename, name], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  return {
    port: Number(String(line)),
    async close() {
      const gone = once(child, 'exit');
      child.stdin.end();
      await gone;
    },
  };
}

/** Ends when its standard input does: with whoever started it. */
if (import.meta.main) {
  const origin = await startOrigin({ name: process.argv[2] ?? '' });
  process.stdin.on('end', () => process.exit(0)).resume();
  process.stdout.write(`${origin.port}\n`);
}

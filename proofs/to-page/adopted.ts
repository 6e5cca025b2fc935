/** A HAProxy that runs already, taken over by `holdfast adopt`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { adoptedBy, untilAdopted } from '../../test/world/adopted.ts';
import { ask } from '../../test/world/ask.ts';
import { until } from '../../test/world/stack.ts';
import { type Folders, type } from '../../test/world/up.ts';

export async function startAdopted(
  file: string,
  http: number,
  folders: Folders,
  onCall: string,
): Promise<{ close(): Promise<void> }> {
  const engine = spawn('haproxy', ['-W', '-f', file], { stdio: 'ignore', detached: true });
  await until('HAProxy', async () => (await ask(http, {}).catch(() => null))?.status === 200);
  const words = ['adopt', file, '--name', 'shop', '--port', '0', '--wait', '2', '--oncall', onCall];
  const adopted = adoptedBy(type(words, { env: folders.env }), folders);
  await untilAdopted(adopted);
  return {
    async close() {
      await adopted.close();
      if (engine.exitCode !== null || engine.signalCode !== null) return;
      const gone = once(engine, 'exit');
      engine.kill('SIGKILL');
      await gone;
    },
  };
}

/** The same change under Holdfast, forced past every gate: what is left is the exposure by steps, the net and the guard. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeView } from '../../src/contract/index.ts';
import { shopText } from '../../test/world/shop.ts';
import { freePort } from '../../test/world/stack.ts';
import { makeFolders, type as typeLine, type UpSite, up } from '../../test/world/up.ts';
import { undoing } from '../proof.ts';
import { type Outcome, underLoad } from './load.ts';
import type { UsualPlan } from './usual.ts';

/** As the usual stack has it; every policy is the default. */
const healthCheck = '{ interval: 2s, rise: 2, fall: 3 }';

export async function holdfastRun({ kind, rate, good, bad }: UsualPlan): Promise<Outcome> {
  const folders = makeFolders();
  let site: UpSite | null = null;
  const end = undoing(async () => {
    await site?.stop();
    folders.remove();
  });
  try {
    const port = await freePort();
    const write = (name: string, servers: readonly number[]) => {
      const file = join(folders.folder, name);
      const named = servers.map((at, index) => ({ name: `web-${index + 1}`, port: at }));
      const plan = { http: port, https: null, engine: 'haproxy', servers: named, healthCheck, more: '' };
      writeFileSync(file, shopText(plan, folders.folder));
      return file;
    };
    const args = [write('site.yaml', good), '--port', String(await freePort())];
    const changed = write('changed.yaml', bad);
    const { env } = folders;
    site = await up(args, env);
    return await underLoad({ port, rate, timeoutMs: kind.timeoutMs }, async () => {
      const words = ['apply', changed, '--force', '--reason', 'to see what it costs', '--json'];
      const { out, err } = await typeLine(words, { env }).ended;
      if (out === '') throw new Error(`apply: ${err}`);
      const { state, why } = JSON.parse(out) as ChangeView;
      return `${state}: ${why}`;
    });
  } finally {
    await end();
  }
}

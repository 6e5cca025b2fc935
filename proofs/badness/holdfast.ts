/** The same change under Holdfast, forced past every gate: what is left is the exposure by steps, the net and the guard. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChangeView } from '../../src/contract/index.ts';
import { freePort } from '../../test/world/stack.ts';
import { makeFolders, type as typeLine, up } from '../../test/world/up.ts';
import { type Outcome, underLoad } from './load.ts';
import type { UsualPlan } from './usual.ts';

export async function holdfastRun({ kind, rate, good, bad }: UsualPlan): Promise<Outcome> {
  const folders = makeFolders();
  try {
    const port = await freePort();
    const write = (name: string, servers: readonly number[]) => {
      const file = join(folders.folder, name);
      writeFileSync(file, siteText(port, servers));
      return file;
    };
    const args = [write('site.yaml', good), '--port', String(await freePort())];
    const changed = write('changed.yaml', bad);
    const site = await up(args, folders.env);
    try {
      return await underLoad({ port, rate, timeoutMs: kind.timeoutMs }, async () => {
        const words = ['apply', changed, '--force', '--reason', 'to see what it costs', '--json'];
        const { out, err } = await typeLine(words, { env: site.env }).ended;
        if (out === '') throw new Error(`apply: ${err}`);
        const { state, why } = JSON.parse(out) as ChangeView;
        return `${state}: ${why}`;
      });
    } finally {
      await site.stop();
    }
  } finally {
    folders.remove();
  }
}

const siteText = (port: number, servers: readonly number[]) => `site: t
listeners:
  - { name: http, address: "*:${port}" }
routes:
  - { name: web, pool: web }
pools:
  - name: web
    servers:
${servers.map((at, index) => `      - { name: web-${index + 1}, address: "127.0.0.1:${at}" }`).join('\n')}
    healthCheck: { interval: 2s, rise: 2, fall: 3 }
balancers:
  - { name: lb-1, engine: haproxy, address: 127.0.0.1 }
`;

/** The same under Holdfast: `holdfast up`, commands as a person or a tool types them, and its own alarm clock. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Diagnostic } from '../../src/base/index.ts';
import type { ChangeView } from '../../src/contract/index.ts';
import { freePort } from '../../test/world/stack.ts';
import { makeFolders, type as typeLine, up } from '../../test/world/up.ts';
import { type Requests, underRequests } from './requests.ts';
import type { OursPlace, Scenario, Servers } from './scenario.ts';

const quietMs = 2_000;

export interface OursOutcome extends Requests {
  readonly what: string;
  readonly tookMs: number;
}

export async function underHoldfast(scenario: Scenario, servers: Servers): Promise<OursOutcome> {
  const folders = makeFolders();
  try {
    const port = await freePort();
    const { folder } = folders;
    const write = (name: string, text: string) => {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    };
    const ours = scenario.ours({ folder, port, servers });
    const { env = {}, on } = ours;
    const args = [write('site.yaml', ours.text), '--port', '0'];
    const site = await up(args, folders.env, env, on ? { on } : {});
    try {
      let [what, tookMs] = ['', 0];
      const cli: OursPlace['cli'] = (...words) =>
        typeLine(words, { env: { ...site.env, ...env }, ...(on ? { on } : {}) });
      const requests = await underRequests(scenario, port, async () => {
        const began = performance.now();
        what = await ours.act({ folder, port, servers, write, cli, site });
        tookMs = Math.round(performance.now() - began);
        await sleep(quietMs);
      });
      return { ...requests, what, tookMs };
    } finally {
      await site.stop();
    }
  } finally {
    folders.remove();
  }
}

/** What is no change: the text was not even sent. */
interface Refusal {
  readonly error: {
    readonly code: string;
    readonly detail: string;
    readonly diagnostics?: readonly Pick<Diagnostic, 'code' | 'message'>[];
  };
}

function refusalText({ error: { code, detail, diagnostics = [] } }: Refusal): string {
  const [first] = diagnostics;
  return first ? `refused: parse (${first.code}: ${first.message})` : `refused (${code}: ${detail})`;
}

/** `refused: existence (...)`, `rolled back: ...` */
export async function applied({ cli }: OursPlace, file: string, ...more: string[]): Promise<string> {
  const { out, err } = await cli('apply', file, '--json', ...more).ended;
  if (out === '') return err.split('\n')[0] ?? '';
  const said = JSON.parse(out) as ChangeView | Refusal;
  if (!('gates' in said)) return refusalText(said);
  const { state, why, gates } = said;
  const by = gates.find(({ verdict }) => verdict !== 'passed');
  const [first = ''] = (by?.summary ?? why).split('\n');
  return state === 'refused' ? `refused: ${by?.gate ?? ''} (${first})` : `${state}${first && `: ${first}`}`;
}

/**
 * `npm run prove:ladder [-- --engine WAY] [--phase PHASE]`: an engine that misbehaves in each way known by name, from each
 * point in the life of a change on. Real HAProxy behind a script or with a library loaded into it; a real site under load.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type LoadResult, startLoadProcess, usualLoad } from '../test/world/load.ts';
import { startOrigin } from '../test/world/origins.ts';
import { patientCheck, shopText } from '../test/world/shop.ts';
import { freePort, until } from '../test/world/stack.ts';
import { makeFolders, up } from '../test/world/up.ts';
import { badHaproxy } from './ladder/engine.ts';
import { type Misbehaviour, misbehaviours } from './ladder/misbehaviour.ts';
import { type Came, type Phase, phases } from './ladder/phases.ts';
import { tableOf } from './ladder/table.ts';
import { prove } from './proof.ts';

const ratePerSecond = 100;
/** At the end so many requests in a row are answered. */
const servedAtTheEnd = 50;

interface Cell extends Came {
  readonly failed: number;
  readonly of: number;
  /** The longest time in which no request that was sent was answered. */
  readonly gapMs: number;
  readonly served: boolean;
}

/** Long enough that somebody who asks every second meets the canary. */
const guard = 'guard:\n  canary: { steps: [0.25, 1], step: 3s }\n  bake: 2s\n';

async function cell(way: Misbehaviour, phase: Phase, ports: readonly number[]): Promise<Cell> {
  const folders = makeFolders();
  const bad = mkdtempSync(join(tmpdir(), 'hf-bad-'));
  chmodSync(bad, 0o755);
  const engine = badHaproxy(bad);
  const env = { HOLDFAST_HAPROXY: engine.path };
  const http = await freePort();
  const write = (name: string, count: number) => {
    const file = join(folders.folder, name);
    const servers = ports.slice(0, count).map((port, at) => ({ name: `web-${at + 1}`, port }));
    const plan = { http, https: null, engine: 'haproxy', servers, healthCheck: patientCheck, more: guard };
    writeFileSync(file, shopText(plan, folders.folder));
    return file;
  };
  try {
    if (phase.fromTheStart) engine.become(way);
    const args = [write('site.yaml', 1), '--port', String(await freePort())];
    const site = await up(args, folders.env, env);
    const load = await startLoadProcess({ ...usualLoad, port: http, ratePerSecond, timeoutMs: 20_000 });
    try {
      await until('some traffic', async () => (await load.counts()).ok > ratePerSecond / 4);
      const came = await phase.run({ way, engine, site, nextFile: write('next.yaml', 2) });
      const before = (await load.counts()).ended;
      await until('requests at the end', async () => (await load.counts()).ended > before + servedAtTheEnd);
      return { ...came, ...countsOf(await load.stop()) };
    } finally {
      load.kill();
      await site.stop();
    }
  } finally {
    folders.remove();
    rmSync(bad, { recursive: true, force: true });
  }
}

/** The other cells are worth knowing all the same. */
function nothingCame(error: unknown): Cell {
  const what = error instanceof Error ? error.message.split('\n')[0] : String(error);
  return { what: what ?? '', failed: 0, of: 0, gapMs: 0, served: false };
}

function countsOf({ records, counts }: LoadResult): Omit<Cell, keyof Came> {
  const answered = records.filter(({ outcome }) => outcome === 'ok').map(({ endedAt }) => endedAt);
  answered.sort((a, b) => a - b);
  const gaps = answered.slice(1).map((at, i) => at - (answered[i] ?? at));
  const latest = records.toSorted((a, b) => a.sentAt - b.sentAt).slice(-servedAtTheEnd);
  return {
    failed: counts.ended - counts.ok,
    of: counts.ended,
    gapMs: Math.round(Math.max(0, ...gaps)),
    served: latest.every(({ outcome }) => outcome === 'ok'),
  };
}

function chosen<T extends string>(all: readonly T[], named: string | undefined, what: string): readonly T[] {
  if (named === undefined) return all;
  const found = all.filter((one) => one === named);
  if (found.length === 0) throw new Error(`there is no ${what} "${named}". Known: ${all.join(', ')}`);
  return found;
}

await prove('ladder', async (proof) => {
  const { values } = parseArgs({
    options: { engine: { type: 'string' }, phase: { type: 'string' }, json: { type: 'boolean' } },
  });
  const ways = chosen(Object.keys(misbehaviours) as Misbehaviour[], values.engine, 'engine');
  const names = chosen(
    phases.map(({ name }) => name),
    values.phase,
    'phase',
  );
  const origins = await Promise.all(['one', 'two'].map((name) => startOrigin({ name })));
  const ports = origins.map(({ port }) => port);
  const table = new Map<Misbehaviour, Map<string, string>>();
  try {
    for (const way of ways) {
      proof.say(`${way}: ${misbehaviours[way].what}`);
      const row = new Map<string, string>();
      table.set(way, row);
      for (const phase of phases.filter(({ name }) => names.includes(name))) {
        const { what, failed, of, gapMs, served } = await cell(way, phase, ports).catch(nothingCame);
        const mayPromote = misbehaviours[way].harmless === true || !phase.changesUnderIt;
        const wanted = [
          `at most ${phase.failedMax} failed`,
          mayPromote ? '' : 'not promoted',
          'serves at the end',
        ].filter(Boolean);
        const holds = failed <= phase.failedMax && served && (mayPromote || !what.startsWith('promoted'));
        const seen = `${what}; ${failed} of ${of} failed, longest silence ${gapMs} ms${served ? '' : ', NOT SERVED'}`;
        proof.holds(phase.name, seen, wanted.join(', '), holds);
        row.set(phase.name, `${what}${failed > 0 ? `, ${failed} failed` : ''}`);
      }
    }
  } finally {
    for (const origin of origins) await origin.close();
  }
  for (const line of tableOf(table, names)) proof.say(line);
});

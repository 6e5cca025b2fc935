/** One cell of the ladder's table: a real site under load, an engine that misbehaves in one way from one point on. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LoadResult, startLoadProcess, usualLoad } from '../../test/world/load.ts';
import { patientCheck, shopText } from '../../test/world/shop.ts';
import { freePort, until } from '../../test/world/stack.ts';
import { makeFolders, type UpSite, up } from '../../test/world/up.ts';
import { undoing } from '../proof.ts';
import { badHaproxy } from './engine.ts';
import { type Misbehaviour, misbehaviours } from './misbehaviour.ts';
import { type Came, type Phase, startsMayTake } from './phases.ts';

const ratePerSecond = 100;
/** The last so many requests are answered, but for what one that just started took. */
const servedAtTheEnd = 50;

export interface Cell extends Came {
  readonly failed: number;
  readonly of: number;
  /** The longest time in which no request that was sent was answered. */
  readonly gapMs: number;
  readonly served: boolean;
}

/** Long enough that somebody who asks every second meets the canary. */
const guard = 'guard:\n  canary: { steps: [0.25, 1], step: 3s }\n  bake: 2s\n';

/** Runs it, and ends all that it started. `ports` of two servers: the second one comes with the change. */
export async function cell(way: Misbehaviour, phase: Phase, ports: readonly number[]): Promise<Cell> {
  const folders = makeFolders();
  const bad = mkdtempSync(join(tmpdir(), 'hf-bad-'));
  chmodSync(bad, 0o755);
  const engine = badHaproxy(bad, [way]);
  const env = { HOLDFAST_HAPROXY: engine.path };
  const http = await freePort();
  const write = (name: string, count: number) => {
    const file = join(folders.folder, name);
    const servers = ports.slice(0, count).map((port, at) => ({ name: `web-${at + 1}`, port }));
    const plan = { http, https: null, engine: 'haproxy', servers, healthCheck: patientCheck, more: guard };
    writeFileSync(file, shopText(plan, folders.folder));
    return file;
  };
  let site: UpSite | null = null;
  const end = undoing(async () => {
    await site?.stop();
    folders.remove();
    rmSync(bad, { recursive: true, force: true });
  });
  try {
    if (phase.fromTheStart) engine.become(way);
    const args = [write('site.yaml', 1), '--port', String(await freePort())];
    site = await up(args, folders.env, env);
    const load = await startLoadProcess({ ...usualLoad, port: http, ratePerSecond, timeoutMs: 20_000 });
    try {
      await until('some traffic', async () => (await load.counts()).ok > ratePerSecond / 4);
      const came = await phase.run({ way, engine, site, nextFile: write('next.yaml', 2) });
      const before = (await load.counts()).ended;
      await until('requests at the end', async () => (await load.counts()).ended > before + servedAtTheEnd);
      return { ...came, ...countsOf(await load.stop()) };
    } finally {
      load.kill();
    }
  } finally {
    await end();
  }
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
    served: latest.filter(({ outcome }) => outcome !== 'ok').length <= startsMayTake,
  };
}

export interface Judged {
  /** What came of it, in a line. */
  readonly seen: string;
  readonly wanted: string;
  readonly holds: boolean;
}

/** What a cell has to come to: hardly anybody notices, nothing bad is promoted, and it serves at the end. */
export function judged(way: Misbehaviour, phase: Phase, { what, failed, of, gapMs, served }: Cell): Judged {
  const mayPromote = misbehaviours[way].harmless === true || !phase.changesUnderIt;
  const wanted = [
    phase.failedMax === null ? 'failed: told only' : `at most ${phase.failedMax} failed`,
    mayPromote ? '' : 'not promoted',
    'serves at the end',
  ].filter(Boolean);
  return {
    seen: `${what}; ${failed} of ${of} failed, longest silence ${gapMs} ms${served ? '' : ', NOT SERVED'}`,
    wanted: wanted.join(', '),
    holds:
      (phase.failedMax === null || failed <= phase.failedMax) &&
      served &&
      (mayPromote || !what.startsWith('promoted')),
  };
}

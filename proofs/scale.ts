/**
 * `npm run prove:scale`: what a plan costs as a text grows, one route changed and every route changed, in each dialect.
 * Times are processor time of the whole command, its start with it, so that a busy machine is no slow plan (a very busy one
 * is, by a half). Judged by what is wanted, not by what was reached before. The curves are drawn into docs/scale.svg with `--write`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Proof, prove } from './proof.ts';
import { type Chart, type Curve, drawn } from './scale/curve.ts';
import { type Cost, planOnce } from './scale/plan-once.ts';
import { type Change, type DialectName, dialectNames, fileNames, sizeOf, textOf } from './scale/texts.ts';

const root = resolve(import.meta.dirname, '..');
/** A site has at most ten thousand routes. */
const sizes: Readonly<Record<DialectName, readonly number[]>> = {
  haproxy: [100, 1_000, 10_000, 100_000],
  nginx: [100, 1_000, 10_000],
  site: [100, 1_000, 10_000],
};

/** A hundred thousand differences are told by nobody. */
const allMax = 10_000;

/** `--up-to=1000`: no larger text. */
const upTo = Number(process.argv.find((word) => word.startsWith('--up-to='))?.split('=')[1] ?? 100_000);
/** What is wanted at ten thousand routes over a thousand hosts with a hundred thousand servers; judged up to there. */
const goals = { one: 1_000, all: 5_000, memoryMb: 1_000 } as const;

async function costOf(folder: string, dialect: DialectName, routes: number, change: Change): Promise<Cost> {
  const files = (['none', change] as const).map((one) => {
    const file = join(folder, one, fileNames[dialect]);
    mkdirSync(join(folder, one), { recursive: true });
    writeFileSync(file, textOf(dialect, sizeOf(routes), one));
    return file;
  });
  const [before = '', after = ''] = files;
  return await planOnce(before, after);
}

async function grow(proof: Proof, folder: string): Promise<void> {
  const time: Curve[] = [];
  const memory: Curve[] = [];
  for (const dialect of dialectNames)
    for (const change of ['one', 'all'] as const) {
      const name = `${fileNames[dialect]}, ${change === 'one' ? 'one route changed' : 'every route changed'}`;
      const costs: (readonly [number, Cost])[] = [];
      for (const routes of sizes[dialect].filter((size) => size <= upTo)) {
        if (change === 'all' && routes > allMax) continue;
        const cost = await costOf(folder, dialect, routes, change);
        costs.push([routes, cost]);
        judge(proof, `${name}, ${routes.toLocaleString('en')} routes`, routes, change, cost);
      }
      time.push({ name, points: costs.map(([routes, { cpuMs }]) => [routes, cpuMs / 1_000]) });
      memory.push({ name, points: costs.map(([routes, { memoryMb }]) => [routes, memoryMb]) });
    }
  const charts: readonly Chart[] = [
    { title: 'Processor time of a plan', unit: 's', curves: time },
    { title: 'Memory', unit: 'MB', curves: memory },
  ];
  if (process.argv.includes('--write')) writeFileSync(join(root, 'docs/scale.svg'), drawn(charts));
}

function judge(proof: Proof, name: string, routes: number, change: 'one' | 'all', cost: Cost): void {
  const found =
    change === 'one' ? cost.differences >= 1 && cost.differences <= 4 : cost.differences >= routes;
  proof.holds(
    `${name}: differences`,
    `${cost.differences}`,
    change === 'one' ? '1 to 4' : `${routes} or more`,
    found,
  );
  if (routes <= 10_000) {
    proof.atMost(`${name}: processor time`, cost.cpuMs, goals[change], 'ms');
    proof.atMost(`${name}: memory`, cost.memoryMb, goals.memoryMb, 'MB');
  } else {
    proof.tell(`${name}: processor time, ms`, cost.cpuMs);
    proof.tell(`${name}: memory, MB`, cost.memoryMb);
  }
}

await prove('scale', async (proof) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-scale-'));
  try {
    // The first start on a machine makes what the others take from Node's compile cache.
    for (const dialect of dialectNames) await costOf(folder, dialect, 100, 'one');
    await grow(proof, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The disk of an engine's folder is full: a small file system in memory, so that it is a real one. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EngineName } from '../../src/model/index.ts';
import { startLoadProcess, usualLoad } from '../../test/world/load.ts';
import { until } from '../../test/world/stack.ts';
import type { Proof } from '../proof.ts';
import { arrange, closeField, type Field, isWhole, openField } from './field.ts';

const sizeMb = 24;
/** The page that each log has begun is written to its end first. */
const takenBackMsMax = 30_000;
/** A page: whoever has begun one may fill it. */
const pieceBytes = 4_096;

export async function fillDisk(proof: Proof, engine: EngineName): Promise<void> {
  const before = process.env.TMPDIR;
  const folder = mkdtempSync(join(tmpdir(), 'hf-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeMb}m,mode=755`, 'tmpfs', folder]);
  let field: Field | null = null;
  try {
    process.env.TMPDIR = folder;
    field = await openField(engine);
    for (const moment of ['none', 'half', 'alone'] as const) await full(proof, field, folder, moment);
    await killedWhileFull(proof, field, folder);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
    if (field) await closeField(field);
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  }
}

/** Until nothing more goes in, and again whenever somebody made room; resolves to how to end it. */
export function fill(folder: string): () => void {
  const path = join(folder, 'full');
  const more = () => {
    for (;;) {
      try {
        writeFileSync(path, Buffer.alloc(pieceBytes), { flag: 'a' });
      } catch {
        return;
      }
    }
  };
  more();
  const timer = setInterval(more, 10);
  return () => {
    clearInterval(timer);
    rmSync(path);
  };
}

function startLoads(http: number) {
  const usual = {
    ...usualLoad,
    port: http,
    hostname: 'shop.example',
    ratePerSecond: 300,
    expectBody: 'web',
    timeoutMs: 20_000,
  };
  return Promise.all((['new', 'kept'] as const).map((kind) => startLoadProcess({ ...usual, kind })));
}

const whole = ({ holder }: Field) =>
  until('the whole', async () => isWhole(await holder.call('status', {}, 500)), 30_000);

async function full(
  proof: Proof,
  field: Field,
  folder: string,
  moment: 'none' | 'half' | 'alone',
): Promise<void> {
  proof.say(`full disk, ${moment === 'none' ? 'no change' : `candidate ${moment}`}`);
  const change = `disk-${moment}`;
  const loads = await startLoads(field.http);
  let end = () => {};
  try {
    end = await arrange(field, { moment }, change);
    const empty = fill(folder);
    const began = performance.now();
    if (moment === 'none') await new Promise((resolve) => setTimeout(resolve, 3_000));
    else {
      const seen = await until(
        'it is taken back',
        async () => {
          const { takenBack } = await field.stack.call('observe', { change });
          return takenBack && { after: performance.now() - began, why: takenBack.reason };
        },
        takenBackMsMax,
      ).catch(() => null);
      // Nobody sees a candidate whose log is not written: it does not stay.
      if (field.engine === 'nginx')
        proof.holds('  the candidate is taken back', seen?.why ?? 'no', 'a reason', seen !== null);
      else proof.tell('  the candidate is taken back', seen?.why ?? 'no');
      if (seen) proof.tell('  after, ms', seen.after);
    }
    end();
    empty();
    if (moment !== 'none') await field.stack.call('rollback', { reason: 'measured', change }).catch(() => {});
    await whole(field);
    await judgeLoads(proof, loads);
  } finally {
    end();
    for (const load of loads) load.kill();
  }
}

async function judgeLoads(proof: Proof, loads: Awaited<ReturnType<typeof startLoads>>): Promise<void> {
  const records = (await Promise.all(loads.map((load) => load.stop()))).flatMap((r) => r.records);
  const failed = records.filter((r) => r.outcome !== 'ok');
  const kinds = [...Map.groupBy(failed, (r) => r.outcome)].map(([kind, all]) => `${kind} ${all.length}`);
  proof.atMost(`  failed of ${records.length} ${kinds.join(', ')}`, failed.length, 0);
}

async function killedWhileFull(proof: Proof, field: Field, folder: string): Promise<void> {
  proof.say('full disk, and the main process of the active one is killed: the standby needs no room');
  const loads = await startLoads(field.http);
  try {
    const empty = fill(folder);
    const active = await field.stack.pidOf('active');
    process.kill(active, 'SIGKILL');
    const { takenOverBy } = await until('somebody takes over', async () => {
      const { deaths } = await field.holder.call('status', {}, 500);
      const death = deaths.at(-1);
      return death?.role === 'active' && death.takenOverBy !== null && death;
    });
    proof.holds('  taken over', `generation ${takenOverBy}`, 'a generation', takenOverBy !== null);
    empty();
    await whole(field);
    const records = (await Promise.all(loads.map((load) => load.stop()))).flatMap((r) => r.records);
    const failed = records.filter((r) => r.outcome !== 'ok').length;
    if (field.engine === 'nginx') proof.atMost(`  failed of ${records.length}`, failed, 0);
    else proof.tell(`  failed of ${records.length}`, failed);
  } finally {
    for (const load of loads) load.kill();
  }
}

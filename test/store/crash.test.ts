import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { Failure, systemClock } from '#base';
import { openJournal, verifyJournal } from '#store';
import { seededRandom } from '../world/random.ts';
import { journalIn, stopped, temporaryFolder } from './folders.ts';

/** Kills the writer at some moment after it acknowledged `atLeast`; the highest number that it acknowledged. */
async function writeAndKill(folder: string, atLeast: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let acknowledged = 0;
  const exit = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged = Number(line);
    if (acknowledged >= atLeast) child.kill('SIGKILL');
  }
  const [code, signal] = await exit;
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`);
  return acknowledged;
}

test('kill -9 of a writer, 20 times: every acknowledged entry is there', async (t) => {
  const folder = temporaryFolder(t);
  const random = seededRandom(20);
  let before = 0;
  for (let round = 0; round < 20; round += 1) {
    const acknowledged = await writeAndKill(folder, before + 1 + random.integer(120));
    const check = await verifyJournal(folder);
    assert.equal(check.why, '', `round ${round}`);
    assert.ok(check.entries >= acknowledged, `round ${round}: ${check.entries} of ${acknowledged}`);
    before = check.entries;
  }
  const journal = await journalIn(t, folder);
  assert.equal((await journal.append('a', stopped)).sequence, before + 1);
});

test('another process that holds it is named', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer.ts'), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  try {
    await once(child.stdout, 'data');
    await assert.rejects(openJournal({ folder, clock: systemClock }), {
      code: 'HF201',
      message: new RegExp(`process ${child.pid}$`),
    });
    assert.equal((await verifyJournal(folder)).ok, true);
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
});

function smallDisk(t: TestContext): string | null {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    rmdirSync(folder);
    t.skip('only root may mount a small disk');
    return null;
  }
  t.after(() => {
    execFileSync('umount', ['-l', folder]);
    rmdirSync(folder);
  });
  return folder;
}

test('a full disk: nothing is acknowledged that is not kept, and it goes on when there is room', async (t) => {
  const folder = smallDisk(t);
  if (folder === null) return;
  const ballast = join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(400 * 1024));
  const journal = await openJournal({ folder, clock: systemClock });
  const event = { kind: 'pipeline.frozen', why: 'y'.repeat(5_000) } as const;
  let kept = 0;
  let refused = 0;
  for (let i = 0; i < 400 && refused < 20; i += 1) {
    try {
      kept = (await journal.append('a', event)).sequence;
    } catch (error) {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, 'HF203');
      assert.equal(journal.status().ok, false);
      refused += 1;
    }
  }
  assert.equal(refused, 20, 'the disk was never full');
  assert.equal(journal.entries().length, kept);

  rmSync(ballast);
  assert.equal((await journal.append('a', event)).sequence, kept + 1);
  assert.deepEqual(
    { ...journal.status(), transactions: 0 },
    { ok: true, why: '', code: '', entries: kept + 1, transactions: 0 },
  );
  await journal.close();
  const check = await verifyJournal(folder);
  assert.equal(check.why, '');
  assert.equal(check.entries, kept + 1);
});

test('opening on a full disk is HF203, and works when there is room', async (t) => {
  const folder = smallDisk(t);
  if (folder === null) return;
  const ballast = join(folder, 'ballast');
  writeFileSync(ballast, Buffer.alloc(1024 * 1024));
  await assert.rejects(openJournal({ folder, clock: systemClock }), { code: 'HF203' });
  rmSync(ballast);
  const journal = await openJournal({ folder, clock: systemClock });
  assert.equal((await journal.append('a', stopped)).sequence, 1);
  await journal.close();
});

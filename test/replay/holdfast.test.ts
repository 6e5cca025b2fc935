import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '#base';
import { type HoldfastOptions, type HoldfastOutcome, runHoldfast } from '../../src/main/replay/holdfast.ts';
import type { ReplayRun } from '../../src/main/replay/run.ts';

const small = { rate: 50, engine: 'haproxy', net: true, withPostmortem: false, log: silentLog } as const;
const forced = { forcedBecause: 'a test' } as const;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hf-arm-'));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Processes that name the run's folder, in their command or their environment. */
function left(): string[] {
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return [];
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const names = words + readFileSync(`/proc/${pid}/environ`, 'utf8');
      return names.includes(folder) ? [`${pid} ${words.replaceAll('\0', ' ')}`] : [];
    } catch {
      return []; // it ended while we looked
    }
  });
}

function run(options: Partial<HoldfastOptions>): Promise<HoldfastOutcome> {
  return runHoldfast({ name: 'test', folder, forcedBecause: null, ...small, ...options });
}

function assertTakenBack(taken: ReplayRun): void {
  const told = JSON.stringify(taken);
  assert.equal(taken.refused, false);
  assert.ok(taken.seenMs !== null && taken.seenMs > 0 && taken.seenMs < 2_000, told);
  assert.ok(taken.causeNamedMs !== null && taken.causeNamedMs >= taken.seenMs, told);
  assert.match(taken.words.join('\n'), /gate existence refused, passed by force/);
  assert.match(taken.words.join('\n'), /guard of lb-1: .*1 of 10 servers live/);
  const times = taken.timeline.map(({ atMs }) => atMs);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.ok(
    taken.timeline.some(({ atMs, what }) => atMs === 0 && /new connections on lb-1/.test(what)),
    told,
  );
}

describe('the founding incident under Holdfast', () => {
  test('as proposed it is refused, the gate names servers and lines, no request fails', async () => {
    const { run: refused, postmortem } = await run({});
    assert.equal(refused.refused, true);
    assert.equal(refused.failed, 0, refused.words.join('\n'));
    assert.ok(refused.requests > 50);
    assert.equal(postmortem, null);
    for (const never of [refused.firstErrorMs, refused.seenMs, refused.restoredMs, refused.failedShare])
      assert.equal(never, null);
    assert.match(refused.words.join('\n'), /changed\.yaml:\d+ .*"web-2".*connection refused/);
    assert.deepEqual(left(), []);
  });

  test('forced it is taken back without a failed request, and the postmortem names the line', async () => {
    const { run: taken, postmortem } = await run({ ...forced, withPostmortem: true });
    assertTakenBack(taken);
    assert.equal(taken.failed, 0, JSON.stringify(taken));
    assert.ok(postmortem !== null);
    assert.match(postmortem, /#### Root Cause and Resolution[\s\S]*web\/web-2 .*`changed\.yaml:\d+:\d+`/);
    assert.match(postmortem, /was resolved/);
    assert.deepEqual(left(), []);
  });

  test('forced without the net it is taken back too', async () => {
    const { run: taken } = await run({ ...forced, net: false });
    assertTakenBack(taken);
    assert.equal(taken.exposed?.netUses, 0);
    assert.deepEqual(left(), []);
  });
});

describe('whatever it started ends', () => {
  for (const moment of ['load', 'apply'] as const) {
    test(`on SIGINT, ${moment === 'load' ? 'while the site starts' : 'in the middle of the change'}`, async () => {
      const program = spawn(process.execPath, [join(import.meta.dirname, 'run-replay.ts'), folder], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      program.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise<number | null>((resolve) => program.once('exit', resolve));
      const reached = () => left().length >= 4 && (moment === 'load' || said.includes('holdfast apply'));
      try {
        const deadline = performance.now() + 60_000;
        while (!reached()) {
          assert.ok(performance.now() < deadline, `not reached within 60 s; said: ${said}`);
          await sleep(20);
        }
        program.kill('SIGINT');
        assert.equal(await ended, 1);
        assert.match(said, /interrupted/);
        assert.deepEqual(left(), []);
      } finally {
        program.kill('SIGKILL');
      }
    });
  }
});

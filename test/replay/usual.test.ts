import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '#base';
import { figures } from '../../src/main/replay/run.ts';
import { findBinaries } from '../../src/main/replay/usual/stack.ts';
import { alertmanagerText, prometheusText, rulesText } from '../../src/main/replay/usual/texts.ts';
import { runUsual } from '../../src/main/replay/usual.ts';
import type { RequestRecord } from '../world/load.ts';

const usual = { rate: 100, seconds: 30, speed: 'tuned', log: silentLog, rollbackWithheldMs: 500 } as const;
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-usual-'));
  await chmod(folder, 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Processes that work in the run's folder: what it started and has not ended. */
function left(): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readlinkSync(`/proc/${pid}/cwd`).startsWith(folder);
    } catch {
      return false; // it ended while we looked
    }
  });
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, `not within 30 s: ${what}`);
    await sleep(20);
  }
}

describe('the usual stack', () => {
  test('takes the bad change, fails most requests, pages after the first error, is mended by the old file', async () => {
    const run = await runUsual({ ...usual, folder });
    assert.equal(run.refused, false);
    assert.deepEqual(run.leftOut, []);
    assert.ok(
      run.failedShare !== null && run.failedShare > 0.5 && run.failedShare < 0.97,
      `${run.failedShare}`,
    );
    assert.ok(
      run.firstErrorMs !== null && run.seenMs !== null && run.restoredMs !== null,
      JSON.stringify(run),
    );
    assert.ok(run.firstErrorMs < run.seenMs && run.seenMs < run.restoredMs, JSON.stringify(run));
    assert.ok(run.restoredMs > run.seenMs + usual.rollbackWithheldMs, JSON.stringify(run));
    assert.equal(run.simulated.length, 2);
    assert.deepEqual(
      run.timeline.map(({ atMs }) => atMs),
      run.timeline.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
    );
    assert.deepEqual(left(), []);
  });

  test('without Prometheus it says so, goes on, and nobody is paged', async () => {
    const said: string[] = [];
    const log = { ...silentLog, warn: (line: string) => said.push(line) };
    const binaries = { ...findBinaries(), prometheus: null };
    const run = await runUsual({ ...usual, folder, seconds: 1, log, binaries });
    assert.equal(run.seenMs, null);
    assert.ok(run.failed > 0 && run.restoredMs !== null, JSON.stringify(run));
    assert.deepEqual(run.leftOut, said);
    assert.match(run.leftOut.join(), /Prometheus is not installed.*apt-get install prometheus$/);
  });

  test('without HAProxy it says so and nothing happened', async () => {
    const run = await runUsual({ ...usual, folder, binaries: { ...findBinaries(), haproxy: null } });
    assert.equal(run.requests, 0);
    assert.match(run.leftOut.join(), /HAProxy is not installed/);
  });

  test('a change that this HAProxy refuses is refused, and the site goes on', async () => {
    const haproxy = join(folder, 'haproxy');
    const real = findBinaries().haproxy;
    writeFileSync(haproxy, `#!/bin/sh\n[ "$1" = -c ] && exit 1\nexec ${real} "$@"\n`, { mode: 0o755 });
    const run = await runUsual({
      ...usual,
      folder,
      binaries: { ...findBinaries(), haproxy, prometheus: null },
    });
    assert.equal(run.refused, true);
    assert.equal(run.failed, 0);
    assert.deepEqual(left(), []);
  });
});

describe('whatever it started ends', () => {
  test('when a part does not start, and the part is named', async () => {
    const binaries = { ...findBinaries(), prometheus: '/bin/false' };
    await assert.rejects(runUsual({ ...usual, folder, binaries }), {
      code: 'HF303',
      message: /prometheus ended while it started/,
    });
    assert.deepEqual(left(), []);
  });

  test('when the caller gives up', async () => {
    const abort = new AbortController();
    const run = runUsual({ ...usual, folder, signal: abort.signal });
    const seen = assert.rejects(run, /enough/);
    await until(() => left().length >= 2, 'HAProxy runs');
    abort.abort(new Error('enough'));
    await seen;
    assert.deepEqual(left(), []);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    test(`on ${signal} in the middle of the outage`, async () => {
      const program = spawn(process.execPath, [join(import.meta.dirname, 'run-usual.ts'), folder], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      program.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise<number | null>((resolve) => program.once('exit', resolve));
      try {
        await until(() => said.includes('the change is applied'), `the change is applied; said: ${said}`);
        assert.ok(left().length >= 4, 'HAProxy, Prometheus and Alertmanager run');
        program.kill(signal);
        assert.equal(await ended, 1);
        assert.deepEqual(left(), []);
      } finally {
        program.kill('SIGKILL');
      }
    });
  }
});

describe('the texts', () => {
  for (const speed of ['default', 'tuned'] as const) {
    test(`Prometheus and Alertmanager accept what is written for ${speed}`, () => {
      const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
      write('prometheus.yml', prometheusText(speed, 9_101, 9_093));
      write('rules.yml', rulesText(speed));
      write('alertmanager.yml', alertmanagerText(speed, 9_000));
      const options = { cwd: folder, stdio: 'pipe' } as const;
      execFileSync('promtool', ['check', 'config', 'prometheus.yml'], options);
      execFileSync('amtool', ['check-config', 'alertmanager.yml'], options);
    });
  }
});

test('the figures are what clients saw', () => {
  const record = (dueAt: number, endedAt: number, isOk: boolean): RequestRecord => ({
    ...{ dueAt, sentAt: dueAt, endedAt, status: null, reused: false, marker: '' },
    ...{ openedAt: dueAt, detail: '' },
    outcome: isOk ? 'ok' : 'reset',
  });
  const records = [
    ...[record(900, 950, false), record(990, 1_010, true)],
    ...[record(1_100, 1_300, false), record(1_200, 1_260, false), record(1_400, 1_410, true)],
    ...[record(1_490, 1_600, false), record(1_500, 1_510, false), record(1_700, 1_710, true)],
  ];
  assert.deepEqual(figures(records, 1_000, 1_500, true), {
    requests: 7,
    failed: 4,
    failedShare: 0.75,
    firstErrorMs: 260,
    restoredMs: 600,
  });
  assert.equal(figures(records, 1_000, 1_500, false).restoredMs, null);
  assert.deepEqual(figures([], 1_000, 1_500, true), {
    requests: 0,
    failed: 0,
    failedShare: null,
    firstErrorMs: null,
    restoredMs: null,
  });
});

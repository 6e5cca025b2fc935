import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { noCounts, type Tick } from '#events';
import { type OpenTicks, openTicks } from '#store';

const noon = Date.UTC(2026, 0, 5, 12);
const dayMs = 86_400_000;

function tickOf(at: number, requests: number, over: Partial<Tick> = {}): Tick {
  const nothing = { connectionErrors: 0, retries: 0, responseErrors: 0 };
  const pool = { pool: 'web', requests, errors: 1, ...nothing, serversLive: 2, serversAll: 2, queued: 3 };
  return {
    number: 1,
    at,
    forMs: 100,
    balancer: 'lb-1',
    generation: 1,
    answered: true,
    counts: { ...noCounts, requests, errors: 1 },
    connections: 7,
    inHand: 0,
    pools: [{ ...pool, timedRequests: requests, timeMs: 5 * requests }],
    ...over,
  };
}

function withTicks(use: (ticks: OpenTicks, folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'hf-ticks-'));
  const ticks = openTicks(folder);
  try {
    use(ticks, folder);
  } finally {
    ticks.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test('ticks are summed up by second, minute and hour, for a balancer and its pools', () =>
  withTicks((ticks) => {
    for (let at = noon; at < noon + 120_000; at += 100) ticks.add(tickOf(at, 10));
    ticks.add(tickOf(noon + 120_000, 0));
    const read = (resolution: 'second' | 'minute' | 'hour', pool: string) =>
      ticks.read({ resolution, from: noon, to: noon + 120_000, pool }).map(({ requests }) => requests);
    assert.deepEqual(read('second', '').slice(0, 3), [100, 100, 100]);
    assert.deepEqual(read('minute', 'web'), [6_000, 6_000]);
    assert.deepEqual(read('hour', 'web'), [12_000]);
    const [minute] = ticks.read({
      resolution: 'minute',
      from: noon,
      to: noon + 1,
      balancer: 'lb-1',
      pool: 'web',
    });
    assert.deepEqual([minute?.errors, minute?.timeMs, minute?.queued], [600, 30_000, 3]);
  }));

test('peaks are those of the busiest minute', () =>
  withTicks((ticks) => {
    for (let at = noon; at < noon + 60_000; at += 1_000) ticks.add(tickOf(at, 20));
    for (let at = noon + 60_000; at < noon + 120_000; at += 1_000) ticks.add(tickOf(at, 50));
    ticks.add(tickOf(noon + 120_000, 0));
    assert.deepEqual(ticks.peaks(noon), [
      { balancer: 'lb-1', pool: '', requestsPerSecond: 50, connections: 7 },
      { balancer: 'lb-1', pool: 'web', requestsPerSecond: 50, connections: 0 },
    ]);
  }));

test('seconds go after hours, minutes after weeks; an engine that said nothing is no zero', () =>
  withTicks((ticks) => {
    const well = { counts: { ...noCounts, requests: 10 } };
    ticks.add(tickOf(noon, 10, well));
    ticks.add(tickOf(noon + 1_000, 0, { answered: false }));
    ticks.add(tickOf(noon + 2_000, 10, well));
    ticks.add(tickOf(noon + 3_000, 10, well));
    const seconds = () =>
      ticks.read({ resolution: 'second', from: noon, to: noon + dayMs, pool: '' }).map(({ at }) => at - noon);
    assert.deepEqual(seconds(), [0, 2_000]);
    ticks.expire(noon + dayMs);
    assert.deepEqual(seconds(), []);
    assert.equal(ticks.read({ resolution: 'minute', from: noon, to: noon + dayMs, pool: '' }).length, 1);
  }));

test('what was kept is there when it is opened again', () =>
  withTicks((ticks, folder) => {
    ticks.add(tickOf(noon, 10));
    ticks.add(tickOf(noon + 1_000, 10));
    const again = openTicks(folder);
    try {
      assert.equal(again.read({ resolution: 'second', from: noon, to: noon + 1_000, pool: 'web' }).length, 1);
    } finally {
      again.close();
    }
  }));

test('seconds in which something was bad outlive the others, and history tells them apart from what was good', () =>
  withTicks((ticks) => {
    const good = { counts: { ...noCounts, requests: 10, errors: 0 } };
    for (let at = noon; at < noon + 60_000; at += 1_000)
      ticks.add(
        tickOf(at, 10, at === noon + 30_000 ? { counts: { ...noCounts, requests: 10, errors: 4 } } : good),
      );
    ticks.add(tickOf(noon + 60_000, 0, { counts: noCounts }));
    ticks.expire(noon + dayMs);
    const { history, knownMs } = ticks.history('lb-1', 'errors', noon, noon + 60_000);
    assert.deepEqual(history, [
      { at: noon, requests: 295, bad: 0 },
      { at: noon + 30_000, requests: 10, bad: 4 },
      { at: noon, requests: 295, bad: 0 },
    ]);
    assert.equal(knownMs, 60_000);
    const seconds = { resolution: 'second', from: noon, to: noon + 60_000, pool: '' } as const;
    assert.deepEqual(
      ticks.read(seconds).map(({ at }) => at - noon),
      [30_000],
    );
    ticks.expire(noon + 16 * dayMs);
    assert.deepEqual(ticks.read(seconds), []);
  }));

test('history up to the middle of a minute ends: who starts again then reads it', () =>
  withTicks((ticks) => {
    for (let at = noon; at < noon + 30_000; at += 1_000) ticks.add(tickOf(at, 10));
    ticks.add(tickOf(noon + 31_000, 0, { counts: noCounts }));
    const { history, knownMs } = ticks.history('lb-1', 'errors', noon, noon + 31_500);
    assert.equal(knownMs, 60_000);
    assert.ok(history.reduce((sum, { requests }) => sum + requests, 0) > 0);
  }));

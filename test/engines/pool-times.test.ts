import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PoolTimes } from '../../src/engines/haproxy/pool-times.ts';

/** HAProxy's own way to keep a mean: exact up to 512 requests, a sliding one from then on; told in whole milliseconds. */
function engine() {
  let [requests, sum] = [0, 0];
  return {
    add(timeMs: number) {
      requests += 1;
      sum += requests > 512 ? timeMs - sum / 512 : timeMs;
    },
    said: () => ({ requests, meanMs: Math.floor(sum / Math.min(requests, 512)) }),
  };
}

test('the sum of times follows means that HAProxy tells, before and after its window is full', () => {
  const haproxy = engine();
  const times = new PoolTimes();
  let truth = 0;
  for (let at = 0; at < 3_000; at += 1) {
    const timeMs = at < 1_500 ? 20 : 220;
    truth += timeMs;
    haproxy.add(timeMs);
    if (at % 7 !== 0) continue;
    const { requests, meanMs } = haproxy.said();
    const sum = times.sum('web', requests, meanMs);
    assert.ok(Math.abs(sum - truth) <= 600 + truth / 50, `${sum} for ${truth} after ${requests}`);
  }
  assert.ok(truth > 300_000);
});

test('an answer like the last one changes nothing, and pools are kept apart', () => {
  const times = new PoolTimes();
  assert.equal(times.sum('a', 10, 30), 300);
  assert.equal(times.sum('b', 2, 5), 10);
  assert.equal(times.sum('a', 10, 30), 300);
});

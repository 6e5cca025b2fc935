import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hungTest, slownessTest } from '#detect';
import { type Random, seededRandom } from '../world/random.ts';

/** What one side shows at each reading: requests that arrive by chance, each taking its time; cumulative. */
interface Side {
  /** Of one request; Infinity: it is never answered. */
  readonly timeMs: (random: Random) => number;
  readonly perSecond: number;
}

const tickMs = 100;

function* readings(random: Random, { timeMs, perSecond }: Side) {
  let open: { readonly endsAt: number; readonly timeMs: number }[] = [];
  let [finished, sumMs] = [0, 0];
  for (let atMs = tickMs; ; atMs += tickMs) {
    for (let left = random.poisson((perSecond * tickMs) / 1_000); left > 0; left -= 1) {
      const time = timeMs(random);
      open.push({ endsAt: atMs - tickMs * random.next() + time, timeMs: time });
    }
    const [ended, still] = [open.filter((r) => r.endsAt <= atMs), open.filter((r) => r.endsAt > atMs)];
    open = still;
    finished += ended.length;
    sumMs += ended.reduce((sum, request) => sum + request.timeMs, 0);
    yield { atMs, finished, inHand: open.length, requests: finished, timeMs: sumMs };
  }
}

const start = { finished: 0, inHand: 0, requests: 0, timeMs: 0 };

interface Ended {
  /** When the evidence exceeded the limit; null: never. */
  readonly slowAtMs: number | null;
  readonly hungAtMs: number | null;
}

function run(
  random: Random,
  sides: { candidate: Side; incumbent: Side },
  alpha: number,
  seconds: number,
): Ended {
  const limit = -Math.log(alpha);
  const slow = slownessTest({ candidate: start, incumbent: start });
  const hung = hungTest({ atMs: 0, candidate: start, incumbent: start });
  const candidate = readings(random, sides.candidate);
  const incumbent = readings(random, sides.incumbent);
  let [slowAtMs, hungAtMs]: (number | null)[] = [null, null];
  for (let at = 0; at < (seconds * 1_000) / tickMs; at += 1) {
    const [one, other] = [candidate.next().value, incumbent.next().value];
    if (!one || !other) break;
    slow.add(one, other);
    hung.add(one.atMs, one, other);
    if (slow.logEValue() >= limit) slowAtMs ??= one.atMs;
    if (hung.logEValue() >= limit) hungAtMs ??= one.atMs;
  }
  return { slowAtMs: slowAtMs ?? null, hungAtMs: hungAtMs ?? null };
}

/** Most are quick, few take very long: the shape that times of real sites have. */
const heavyTail = (medianMs: number, sigma: number) => (random: Random) => {
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return medianMs * Math.exp(sigma * normal);
};

const side = (perSecond: number, timeMs: Side['timeMs']): Side => ({ perSecond, timeMs });

test('a candidate that is as fast as the incumbent is refused at most as often as alpha says, heavy tails or not', () => {
  const random = seededRandom(11);
  const [runs, alpha] = [400, 0.01];
  for (const timeMs of [heavyTail(20, 0.3), heavyTail(80, 1.2), heavyTail(400, 1.5), heavyTail(3, 2)]) {
    let refused = 0;
    for (let at = 0; at < runs; at += 1) {
      const ended = run(random, { candidate: side(15, timeMs), incumbent: side(60, timeMs) }, alpha, 12);
      if (ended.slowAtMs !== null || ended.hungAtMs !== null) refused += 1;
    }
    // Two tests, each with its alpha: 8 expected at most; three standard deviations more.
    assert.ok(refused <= 16, `${refused} of ${runs} refused`);
  }
});

test('a bet on the incumbent being twice as fast as it is would refuse it: the bound is reached', () => {
  const random = seededRandom(12);
  const twice = { candidate: side(15, heavyTail(400, 0.3)), incumbent: side(60, heavyTail(100, 0.3)) };
  const refused = Array.from({ length: 50 }, () => run(random, twice, 0.01, 30)).filter(
    ({ slowAtMs }) => slowAtMs !== null,
  );
  assert.ok(refused.length >= 45, `${refused.length} of 50`);
});

test('requests that take a second longer are seen after few of them, at one in a million', () => {
  const random = seededRandom(13);
  const sides = { candidate: side(5, () => 1_500), incumbent: side(95, heavyTail(5, 0.5)) };
  for (let at = 0; at < 50; at += 1) {
    const { slowAtMs } = run(random, sides, 1e-6, 60);
    assert.ok(slowAtMs !== null && slowAtMs < 6_000, `${slowAtMs}`);
  }
});

test('requests that nobody answers are seen when some twenty of them are a second old', () => {
  const random = seededRandom(14);
  const sides = {
    candidate: side(25, () => Number.POSITIVE_INFINITY),
    incumbent: side(75, heavyTail(5, 0.5)),
  };
  for (let at = 0; at < 50; at += 1) {
    const { hungAtMs } = run(random, sides, 1e-6, 60);
    assert.ok(hungAtMs !== null && hungAtMs < 3_500, `${hungAtMs}`);
  }
});

test('connections that are held for long on both sides are no hung requests', () => {
  const random = seededRandom(15);
  const mixed = (r: Random) => (r.next() < 0.5 ? 60_000 : 10);
  for (let at = 0; at < 20; at += 1) {
    const { hungAtMs } = run(random, { candidate: side(10, mixed), incumbent: side(90, mixed) }, 1e-6, 40);
    assert.equal(hungAtMs, null);
  }
});

test('without requests of the incumbent nothing is said', () => {
  const random = seededRandom(16);
  const sides = { candidate: side(20, () => 5_000), incumbent: side(0, () => 1) };
  assert.deepEqual(run(random, sides, 0.01, 30), { slowAtMs: null, hungAtMs: null });
});

test('what an engine counts as in hand now and then, and never as finished, is no request that hangs', () => {
  const hung = hungTest({ atMs: 0, candidate: start, incumbent: start });
  for (let at = 1; at < 3_000; at += 1) {
    const busy = { finished: 30 * at, inHand: at % 3 };
    hung.add(at * tickMs, { finished: 0, inHand: at % 2 }, busy);
    assert.ok(hung.logEValue() <= 0, `${hung.logEValue()} after ${at}`);
  }
  assert.equal(hung.late().requests, 0);
});

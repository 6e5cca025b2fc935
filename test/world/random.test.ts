import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from './random.ts';

function moments(draw: () => number, count = 200_000): { mean: number; variance: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < count; i += 1) {
    const value = draw();
    sum += value;
    squares += value * value;
  }
  return { mean: sum / count, variance: squares / count - (sum / count) ** 2 };
}

function near(got: number, expected: number, share = 0.02): void {
  assert.ok(Math.abs(got - expected) <= share * expected, `${got}, expected about ${expected}`);
}

test('the same seed gives the same numbers, another seed gives others', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  assert.ok(draw(0).every((value) => value >= 0 && value < 1));
});

test('uniform, binomial and Poisson have the mean and variance that they should', () => {
  const random = seededRandom(42);
  const uniform = moments(() => random.next());
  near(uniform.mean, 0.5);
  near(uniform.variance, 1 / 12);
  for (const [n, p] of [
    [10, 0.3],
    [100, 0.001],
    [50, 0.9],
  ] as const) {
    const binomial = moments(() => random.binomial(n, p));
    near(binomial.mean, n * p, 0.03);
    near(binomial.variance, n * p * (1 - p), 0.03);
  }
  for (const mean of [0.5, 7, 90]) {
    const poisson = moments(() => random.poisson(mean));
    near(poisson.mean, mean);
    near(poisson.variance, mean, 0.03);
  }
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CircuitBreaker } from '../../src/engines/builtin/process/circuit-breaker.ts';

const limits = { failuresShare: 0.5, requests: 4, windowMs: 1_000, openMs: 500 };

function opened(): CircuitBreaker {
  const breaker = new CircuitBreaker(limits);
  for (const failed of [false, true, false, true]) breaker.heard('usual', failed, 0);
  return breaker;
}

test('it opens at the share, and not before there were enough requests', () => {
  const breaker = new CircuitBreaker(limits);
  for (let i = 0; i < 3; i += 1) breaker.heard('usual', true, 0);
  assert.equal(breaker.pass(0), 'usual');
  breaker.heard('usual', false, 0);
  assert.equal(breaker.pass(0), null);
});

test('what failed in an earlier window does not count', () => {
  const breaker = new CircuitBreaker(limits);
  for (let i = 0; i < 3; i += 1) breaker.heard('usual', true, 0);
  breaker.heard('usual', true, 1_001);
  assert.equal(breaker.pass(1_001), 'usual');
});

test('open for its time, then for all but the one that is tried', () => {
  const breaker = opened();
  assert.equal(breaker.pass(499), null);
  assert.equal(breaker.pass(500), 'trial');
  assert.equal(breaker.pass(500), null);
  breaker.heard('usual', false, 500);
  assert.equal(breaker.pass(500), null, 'one that began before it opened decides nothing');
  breaker.heard('trial', true, 600);
  assert.equal(breaker.pass(1_099), null);
  assert.equal(breaker.pass(1_100), 'trial');
  breaker.heard('trial', false, 1_200);
  assert.equal(breaker.pass(1_200), 'usual');
});

test('a client that leaves lets the next one try', () => {
  const breaker = opened();
  assert.equal(breaker.pass(500), 'trial');
  breaker.heard('trial', null, 510);
  assert.equal(breaker.pass(510), 'trial');
});

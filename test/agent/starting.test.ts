import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Starting } from '../../src/agent/starting.ts';

test('a change that was taken back gets no candidate, also when what asks for one comes after that', () => {
  const starting = new Starting();
  assert.equal(starting.takeBack('c1', 'the controller ended'), false);
  assert.throws(() => starting.begin('c1'), /c1 was taken back before .*: the controller ended/);
  assert.equal(starting.now, null);
  starting.begin('c2');
  assert.equal(starting.takeBack('c1', 'again'), false);
  starting.requireWanted('c2');
  assert.equal(starting.takeBack(null, 'whatever it is'), true);
  assert.throws(() => starting.requireWanted('c2'), /whatever it is/);
});

test('what is remembered of that has a limit, and the oldest goes first', () => {
  const starting = new Starting();
  for (let i = 0; i <= 100; i += 1) starting.takeBack(`c${i}`, 'slow');
  starting.requireWanted('c0');
  for (const kept of ['c1', 'c100']) assert.throws(() => starting.requireWanted(kept), /slow/);
});

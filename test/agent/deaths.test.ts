import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deaths, type NewDeath } from '../../src/agent/holder/deaths.ts';

const deathOf = (generation: number): NewDeath => ({
  ...{ generation, role: 'active', siteHash: 'a', change: null, at: 1_000 + generation, how: 'SIGKILL' },
  ...{ takenOverBy: generation + 1, tookOverMs: null },
});

test('a holder that dies while somebody takes over has written the death, and who takes over', () => {
  const first = new Deaths([]);
  first.tell(deathOf(1));
  const death = deathOf(2);
  first.expect(death);
  assert.deepEqual(
    first.told.map(({ number, generation }) => [number, generation]),
    [[1, 1]],
  );
  const next = new Deaths(first.all);
  assert.deepEqual(next.told.at(-1), { number: 2, ...death });
  first.tell(death, { ...death, tookOverMs: 2 });
  assert.deepEqual(first.told.at(-1), { number: 2, ...death, tookOverMs: 2 });
  assert.deepEqual(first.all, first.told);
});

test('two that are expected have two numbers, and keep to the order in which they are told', () => {
  const deaths = new Deaths([]);
  const [one, other] = [deathOf(1), deathOf(2)];
  deaths.expect(one);
  deaths.expect(other);
  assert.deepEqual(
    deaths.all.map(({ number }) => number),
    [1, 2],
  );
  deaths.tell(other);
  deaths.tell(one);
  assert.deepEqual(
    deaths.told.map(({ number, generation }) => [number, generation]),
    [
      [1, 2],
      [2, 1],
    ],
  );
});

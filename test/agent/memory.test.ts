import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchMemory } from '../../src/agent/guard/memory.ts';
import { residentBytes } from '../../src/agent/memory.ts';

const megabytes = (n: number) => n * 1e6;

/** What the watch says after each second of these figures. */
function verdicts(candidate: readonly number[], incumbent: number): readonly (string | null)[] {
  let second = -1;
  const bytesOf = (pid: number) => megabytes(pid === 1 ? (candidate[Math.max(0, second)] ?? 0) : incumbent);
  const watch = watchMemory({ candidate: 1, incumbent: 2, factorMax: 4, bytesOf });
  return candidate.map((_, index) => {
    second = index;
    let said: string | null = null;
    for (let tick = 0; tick < 10; tick += 1) said = watch.tick()?.cause ?? said;
    return said;
  });
}

test('an engine that leaks is told apart from one that warms up, and from one that is as large as the incumbent', () => {
  assert.deepEqual(verdicts([20, 300, 500, 700], 20), [null, null, 'memory', 'memory']);
  assert.deepEqual(verdicts([20, 60, 120, 200], 20), [null, null, null, null]);
  assert.deepEqual(verdicts([20, 900, 900, 900], 300), [null, null, null, null]);
  assert.deepEqual(verdicts([20, 900, 40, 900], 20), [null, null, null, null]);
});

test('the memory of a process is counted with its children; of none it is 0', () => {
  assert.ok(residentBytes(process.pid) > 1e6);
  assert.equal(residentBytes(2 ** 30), 0);
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { cell, judged } from '../../proofs/ladder/cell.ts';
import type { Misbehaviour } from '../../proofs/ladder/misbehaviour.ts';
import { phases } from '../../proofs/ladder/phases.ts';
import { type Origin, startOrigin } from '../world/origins.ts';

/** A few of `npm run prove:ladder`: one for each thing that may become of a broken engine. */
const chosen: readonly (readonly [Misbehaviour, phase: string, came: RegExp])[] = [
  ['never starts', 'before the gates', /^refused: engine check/],
  ['accepts, never answers', 'after the gates', /^(refused|rolled back)/],
  ['503 to everyone', 'first start', /carries it$/],
];

describe('engines that misbehave', () => {
  let origins: Origin[];
  before(async () => {
    origins = await Promise.all(['one', 'two'].map((name) => startOrigin({ name })));
  });
  after(async () => {
    for (const origin of origins) await origin.close();
  });

  for (const [way, name, came] of chosen)
    test(`${way}, ${name}`, async () => {
      const phase = phases.find((one) => one.name === name);
      assert.ok(phase);
      const result = await cell(
        way,
        phase,
        origins.map(({ port }) => port),
      );
      assert.match(result.what, came);
      const { holds, seen, wanted } = judged(way, phase, result);
      assert.ok(holds, `${seen} (${wanted})`);
    });
});

test('what may fail is a number, or is only told', () => {
  const came = { what: 'serves on', failed: 7, of: 900, gapMs: 3, served: true };
  for (const phase of phases) {
    const { holds, wanted } = judged('never starts', phase, came);
    const limit = phase.failedMax === null ? 'failed: told only' : `at most ${phase.failedMax} failed`;
    assert.ok(wanted.split(', ').includes(limit), wanted);
    assert.doesNotMatch(wanted, /Infinity|null/);
    assert.equal(holds, phase.failedMax === null || phase.failedMax >= 7, phase.name);
  }
  assert.ok(phases.some(({ failedMax }) => failedMax === null));
});

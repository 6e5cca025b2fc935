import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { engines } from '#engines';
import { cases } from './contract/cases/index.ts';
import { differenceOf, differences } from './contract/differences.ts';
import { cannotDo, type Tried, tryAll } from './contract/field.ts';
import { described, mismatches } from './contract/judge.ts';

/** Every case against every engine, with real processes. What one does otherwise stands in differences.ts. */
describe('the list of cases', () => {
  test('names each case once, and there are many', () => {
    const ids = cases.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
    assert.ok(ids.length >= 200, `only ${ids.length} cases`);
  });

  test('a difference names a case and an engine that exist, once, and gives its reason', () => {
    const names = differences.map((one) => `${one.engine} ${one.case} ${one.versions ?? ''}`);
    assert.deepEqual(names, [...new Set(names)]);
    for (const one of differences) {
      assert.ok(Object.hasOwn(engines, one.engine), `no engine ${one.engine}`);
      assert.ok(
        cases.some(({ id }) => id === one.case),
        `no case ${one.case}`,
      );
      assert.match(one.reason, /\.$/);
    }
  });
});

for (const engine of Object.values(engines))
  describe(`contract of ${engine.name}`, () => {
    let tried = new Map<string, Tried>();
    let version = '';
    before(async () => {
      const binary = await engine.find();
      assert.ok(binary, `${engine.name} is not installed: ${engine.install}`);
      version = binary.version;
      tried = new Map((await tryAll({ engine, binary }, cases)).map((one) => [one.test.id, one]));
    });
    after(() => tried.clear());

    for (const one of cases)
      test(`${one.id}: ${one.holds}`, { skip: cannotDo(one, engine) ?? false }, () => {
        const outcome = tried.get(one.id)?.outcome;
        assert.ok(outcome, 'it was not tried');
        const told = (wrong: readonly string[]) => `${wrong.join('\n')}\n(${described(outcome.saw)})`;
        const wrong = mismatches(one, outcome);
        const difference = differenceOf(one.id, engine.name, version);
        if (!difference) return assert.equal(wrong.length, 0, told(wrong));
        assert.notEqual(
          wrong.length,
          0,
          'the difference is none any more: take it out of test/contract/differences.ts',
        );
        const still = mismatches({ ...one, ...difference.instead }, outcome);
        assert.equal(
          still.length,
          0,
          `it does neither what is expected nor what the published difference says:\n${told(still)}`,
        );
      });
  });

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { linearMatcher } from '#routing';

const expressions = [
  '/img/.*\\.(?:png|jpe?g)',
  '(?:/[^/]+)*',
  'a|b|',
  '[0-9a-f]{2,4}-\\d+',
  '.*a.*b.?',
  '[^\\w]x\\s*',
  '(a+)+b',
  '(?:ab?){2,3}',
];

describe('a regular expression as a table', () => {
  for (const source of expressions)
    test(`${source} matches what it matches as an expression`, () => {
      const matcher = linearMatcher(source);
      assert.ok(matcher);
      const regex = new RegExp(`^(?:${source})$`);
      const near = fc.array(fc.constantFrom(...'/aabbx.png0f- jpeg\n\xe9'), { maxLength: 12 });
      fc.assert(
        fc.property(
          fc.oneof(
            near.map((all) => all.join('')),
            fc.stringMatching(regex),
          ),
          (value) => {
            fc.pre(/^[\0-\xff]*$/.test(value));
            assert.equal(matcher.test(value), regex.test(value), JSON.stringify(value));
          },
        ),
        { numRuns: 400 },
      );
    });

  test('a value that a backtracking one would take hours for takes no time', () => {
    const value = 'a'.repeat(30_000);
    for (const source of ['(a+)+b', '(a|a)*b', '.*a.*a.*a.*b', '(?:a?){20}a{20}b']) {
      const matcher = linearMatcher(source);
      const began = performance.now();
      assert.equal(matcher?.test(value), false, source);
      assert.ok(performance.now() - began < 1_000, source);
    }
  });

  test('none for an assertion, and none that takes too many states', () => {
    for (const source of ['(?!a).*', 'a\\b', '^a', '.*a.{20}'])
      assert.equal(linearMatcher(source), null, source);
  });
});

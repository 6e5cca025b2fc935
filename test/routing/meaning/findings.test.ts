import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { meaning } from '#routing';
import { meaningOf, step } from './generated.ts';

const { field, sentAsItCame, some, unreached } = meaning;
const to = (pool: string): meaning.Fate => ({ kind: 'pool', pool, sent: sentAsItCame });
const path = (kind: 'is' | 'begins', text: string): meaning.Condition => ({
  kind: 'in',
  value: field('path'),
  language: { kind, text, ignoreCase: false },
});

test('a step that others take all of is dead, and they are named; one that contradicts itself by nobody', () => {
  const begins = (text: string) => path('begins', text);
  const [a, b, other] = [
    step(begins('/a'), to('a')),
    step(begins('/b'), to('b')),
    step(begins('/c'), to('a')),
  ];
  const shadowed = step(some([path('is', '/a/x'), begins('/b/')]), to('c'));
  const never = step(meaning.all([begins('/a'), path('is', '/d')]), to('c'));
  const { steps, pools, complete } = unreached(
    meaningOf({ steps: [a, b, other, shadowed, never], otherwise: to('a') }),
  );
  assert.equal(complete, true);
  assert.deepEqual(steps, [
    { step: shadowed, takenBy: [a, b] },
    { step: never, takenBy: [] },
  ]);
  assert.deepEqual(
    pools.map(({ name }) => name),
    ['c'],
  );
});

test('a setting is compared with its own in a pool that has another name', () => {
  const of = (prefix: string, value: string): meaning.Meaning => ({
    ...meaningOf({ steps: [], otherwise: to(`${prefix}a`) }, prefix),
    settings: [
      {
        scope: { kind: 'pool', name: `${prefix}a` },
        name: 'timeout server',
        value,
        place: { file: 'a.cfg', line: 2, column: 1 },
      },
    ],
  });
  const told = (one: meaning.Meaning, other: meaning.Meaning) =>
    meaning.changedSettings(one, other).map(({ before, after }) => [before?.value, after?.value]);
  assert.deepEqual(told(of('', '30000 ms'), of('new-', '1 ms')), [['30000 ms', '1 ms']]);
  assert.deepEqual(told(of('', '30000 ms'), of('new-', '30000 ms')), []);
});

describe('a step that only an odd request reaches is not dead', () => {
  const reached = (value: meaning.Value, language: meaning.Language): boolean => {
    const odd = step({ kind: 'in', value, language }, to('b'));
    const { steps, complete } = unreached(meaningOf({ steps: [odd], otherwise: to('a') }));
    assert.equal(complete, true);
    return steps.length === 0;
  };
  const pcre = (source: string): meaning.Language => ({
    kind: 'matches',
    regex: { source, ignoreCase: false, syntax: 'pcre' },
  });

  test('a path that has no normal form', () => {
    assert.equal(reached(field('normalisedPath'), { kind: 'absent' }), true);
    const upper: meaning.Value = { kind: 'upper', of: field('normalisedPath') };
    assert.equal(reached(upper, { kind: 'complement', of: { kind: 'present' } }), true);
  });

  test('a method that is not of capital letters', () => {
    assert.equal(reached(field('method'), pcre('-')), true);
    assert.equal(reached(field('method'), pcre('^get$')), true);
    assert.equal(reached(field('method'), pcre(' ')), false);
  });

  test('bytes past ASCII in a path and in a query', () => {
    assert.equal(reached(field('path'), pcre('[^\\x00-\\x7f]')), true);
    assert.equal(reached(field('query'), pcre('[^\\x00-\\x7f]')), true);
  });

  test('a host with what is in no name', () => {
    assert.equal(reached(field('host'), pcre('<script|[^\\x00-\\x7f]')), true);
    assert.equal(reached(field('host'), pcre('[/@{"]')), true);
    assert.equal(reached(field('host'), pcre(' ')), false);
  });

  test('another version, a name that nobody has', () => {
    for (const version of ['0.9', '3.0'])
      assert.equal(reached(field('version'), { kind: 'is', text: version, ignoreCase: false }), true);
    assert.equal(reached(field('sni'), pcre('[*]')), true);
  });
});

test('what differs for paths without a normal form alone is a difference', () => {
  const none = step({ kind: 'in', value: field('normalisedPath'), language: { kind: 'absent' } }, to('b'));
  const { differences } = meaning.difference(
    meaningOf({ steps: [], otherwise: to('a') }),
    meaningOf({ steps: [none], otherwise: to('a') }),
  );
  assert.deepEqual(
    differences.map(({ witness }) => witness.path),
    ['/..'],
  );
});

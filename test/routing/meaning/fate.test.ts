import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { meaning } from '#routing';

const { all, fateOf, field, header, joined, not, requestOf, some, text, sentAsItCame, always } = meaning;
type Condition = meaning.Condition;
type Value = meaning.Value;

const place = { file: 'a.cfg', line: 1, column: 1 };
const step = (when: Condition, then: meaning.Step['then']): meaning.Step => ({ when, then, place, text: '' });
const to = (pool: string): meaning.Fate => ({ kind: 'pool', pool, sent: sentAsItCame });
const is = (value: Value, word: string): Condition => ({
  kind: 'in',
  value,
  language: { kind: 'is', text: word, ignoreCase: false },
});
const unknown = (name: string): Condition => ({ kind: 'unknown', text: name, place, why: 'state' });

function meaningOf(steps: readonly meaning.Step[], otherwise = to('web')): meaning.Meaning {
  const listener = {
    name: 'www',
    host: '*',
    port: 80,
    mode: 'http',
    tls: false,
    rules: { steps, otherwise },
    place,
  } as const;
  return { listeners: [listener], pools: [], settings: [], notUnderstood: [] };
}

const fatesOf = (steps: readonly meaning.Step[], said: Partial<meaning.Request> = {}) =>
  fateOf(meaningOf(steps), requestOf(said)).ways.map(({ fate }) =>
    fate.kind === 'pool' ? fate.pool : fate.kind,
  );

describe('the fate of a request', () => {
  test('the first step that holds decides, and each that was looked at says why', () => {
    const steps = [
      step(all([is(field('path'), '/a'), is(field('method'), 'POST')]), to('a')),
      step(some([is(field('path'), '/b'), is(field('path'), '/a')]), to('b')),
      step(always, to('c')),
    ];
    const { ways, exact } = fateOf(meaningOf(steps), requestOf({ path: '/a' }));
    assert.equal(exact, true);
    assert.deepEqual(
      ways[0]?.because.map(({ held, part }) => `${held} ${meaning.describe(part)}`),
      ['false method is "POST"', 'true path is "/a"'],
    );
    assert.deepEqual(ways[0]?.steps, [steps[1]]);
  });

  test('what is not known may be either way, the same at each place', () => {
    const steps = [
      step(unknown('nbsrv(a) lt 1'), to('a')),
      step(all([unknown('nbsrv(a) lt 1'), is(field('path'), '/')]), to('never')),
      step(unknown('rand lt 5'), to('b')),
    ];
    assert.deepEqual(fatesOf(steps), ['a', 'b', 'web']);
    const sure = fateOf(meaningOf(steps), requestOf({}), {
      condition: ({ text }) => (text.startsWith('rand') ? true : undefined),
    });
    assert.deepEqual(
      sure.ways.map(({ assuming }) => assuming.map(({ unknown, holds }) => [unknown.text, holds])),
      [[['nbsrv(a) lt 1', true]], [['nbsrv(a) lt 1', false]]],
    );
  });

  test('rules in rules are walked to their end; a continuing step only tells', () => {
    const inner = { steps: [step(not(is(header('X-A'), '1')), to('inner'))], otherwise: to('last') };
    const steps = [step(always, { kind: 'continue' }), step(always, { kind: 'rules', rules: inner })];
    assert.deepEqual(fatesOf(steps), ['inner']);
    assert.deepEqual(fatesOf(steps, { headers: { 'X-A': '1' } }), ['last']);
  });

  test('nobody is at another port, and nobody understands TLS where it does not end', () => {
    for (const said of [{ port: 81 }, { port: 80, scheme: 'https' as const }])
      assert.deepEqual(fatesOf([], said), ['reject']);
  });

  test('what is sent is worked out', () => {
    const sent = {
      ...sentAsItCame,
      path: joined([text('/x'), field('path')]),
      headers: { 'x-from': field('sourceAddress'), gone: null },
    };
    const [way] = fateOf(meaningOf([], { kind: 'pool', pool: 'web', sent }), requestOf({ path: '/a' })).ways;
    assert.deepEqual(way?.fate, {
      kind: 'pool',
      pool: 'web',
      servers: [],
      sent: {
        method: 'GET',
        path: '/x/a',
        query: null,
        host: 'www.example.com',
        headers: { 'x-from': '127.0.0.1', gone: null },
      },
    });
  });
});

describe('a value of a request', () => {
  const of = field('path');
  const query = field('query');
  const regex = (source: string): meaning.Regex => ({ source, ignoreCase: false, syntax: 'pcre' });
  const said = {
    path: '/a/B/c.png',
    query: 'x=1&y=2&x=3&z',
    headers: { cookie: 'a=1; B=2 ; a=3' },
    host: 'Shop.example:80',
  };
  const examples: readonly (readonly [Value, string | null])[] = [
    [{ kind: 'lower', of }, '/a/b/c.png'],
    [{ kind: 'upper', of }, '/A/B/C.PNG'],
    [{ kind: 'part', of, separators: '/', number: 1 }, ''],
    [{ kind: 'part', of, separators: '/.', number: 4 }, 'c'],
    [{ kind: 'part', of, separators: '/', number: -1 }, 'c.png'],
    [{ kind: 'part', of, separators: '/', number: 5 }, null],
    [{ kind: 'slice', of, from: 1, length: 3 }, 'a/B'],
    [{ kind: 'slice', of, from: 50, length: null }, ''],
    [{ kind: 'parameter', of: query, name: 'x', ignoreCase: false }, '1'],
    [{ kind: 'parameter', of: query, name: 'z', ignoreCase: false }, ''],
    [{ kind: 'parameter', of: query, name: 'X', ignoreCase: false }, null],
    [{ kind: 'cookie', of: header('Cookie'), name: 'B' }, '2'],
    [{ kind: 'cookie', of: header('Cookie'), name: 'c' }, null],
    [{ kind: 'decoded', of: text('%41+%4%zz%2f'), plusIsSpace: true }, 'A %4%zz/'],
    [{ kind: 'captured', of, regex: regex('^/(a)/(?<second>\\w+)'), group: 'second' }, 'B'],
    [{ kind: 'captured', of, regex: regex('^/(x)?a'), group: 1 }, ''],
    [{ kind: 'captured', of, regex: regex('^/x'), group: 0 }, null],
    [{ kind: 'replaced', of, regex: regex('/([a-z])'), every: true, by: ['-', { group: 1 }] }, '-a/B-c.png'],
    [{ kind: 'replaced', of, regex: regex('/'), every: false, by: [{ group: 0 }, '$&'] }, '/$&a/B/c.png'],
    [{ kind: 'orElse', of: header('x'), otherwise: text('-') }, '-'],
    [meaning.chosen(is(of, '/'), text('a'), text('b')), 'b'],
    [{ kind: 'encoded', of: text('a b?&%\xff/'), bytes: 'path' }, 'a%20b%3F&%25%FF/'],
    [{ kind: 'encoded', of: text('a&+;'), bytes: 'query' }, 'a%26%2B%3B'],
    [
      {
        kind: 'mapped',
        of,
        cases: [
          { language: { kind: 'begins', text: '/b', ignoreCase: false }, text: 'b' },
          { language: { kind: 'begins', text: '/a', ignoreCase: false }, text: 'a' },
        ],
        otherwise: text('c'),
      },
      'a',
    ],
    [joined([header('x'), text('a'), field('host')]), 'aShop.example:80'],
  ];
  for (const [value, expected] of examples)
    test(`${meaning.describeValue(value)} is ${expected}`, () => {
      const fate: meaning.Fate = { kind: 'redirect', status: 302, location: value };
      const [way] = fateOf(meaningOf([], fate), requestOf(said)).ways;
      assert.deepEqual(way?.fate, { kind: 'redirect', status: 302, location: expected });
    });

  test('a path as NGINX matches it', () => {
    const examples = {
      '/': '/',
      '//a///b': '/a/b',
      '/a/./b/../c': '/a/c',
      '/a/..': '/',
      '/a/.': '/a/',
      '/%61%2fb%3F': '/a/b?',
      '/a/%2e%2E/b': '/b',
      '/%2561': '/%61',
      '*': null,
      '/..': null,
      '/%00': null,
      '/%zz': null,
      '/...': '/...',
    };
    for (const [raw, expected] of Object.entries(examples))
      assert.equal(meaning.normalisedPath(raw), expected, raw);
  });

  test('a path with nothing to decode is matched as the same path that is escaped byte for byte', () => {
    const path = fc.string({ unit: fc.constantFrom(...'/..a~-\xff \n'), maxLength: 12 });
    const escaped = (text: string) =>
      text.replace(/./gs, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
    fc.assert(
      fc.property(path, (text) => {
        assert.equal(meaning.normalisedPath(`/${text}`), meaning.normalisedPath(`/${escaped(text)}`), text);
      }),
      { numRuns: 2_000, seed: 4 },
    );
  });
});

describe('a language', () => {
  const words = (language: meaning.Language, ...given: readonly (string | null)[]) =>
    given.map((word) => {
      const value: Value = word === null ? { kind: 'absent' } : text(word);
      return fatesOf([step({ kind: 'in', value, language }, to('in'))])[0] === 'in';
    });
  const word = (kind: 'is' | 'begins' | 'ends' | 'contains', of: string, ignoreCase = false) =>
    ({ kind, text: of, ignoreCase }) as const;

  test('of a text', () => {
    assert.deepEqual(words(word('is', 'A', true), 'a', 'A', 'ab', null), [true, true, false, false]);
    assert.deepEqual(words(word('begins', 'a'), 'a', 'ab', 'A', '', null), [true, true, false, false, false]);
    assert.deepEqual(words(word('ends', 'a'), 'ba', 'ab'), [true, false]);
    assert.deepEqual(words(word('contains', 'a', true), 'bAb', 'b'), [true, false]);
  });

  test('of segments and items', () => {
    const segment: meaning.Language = { kind: 'segment', text: 'a/b', delimiters: '/?', ignoreCase: false };
    assert.deepEqual(words(segment, 'a/b', '/a/b', '/xa/b', '/a/b?c', '/a/bc', '/x/a/b/'), [
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
    const item: meaning.Language = { kind: 'item', separators: ',]', of: word('is', 'a') };
    assert.deepEqual(words(item, 'a', 'b, a ', 'b]a', 'b a', '', null), [
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('of numbers and lengths', () => {
    const number: meaning.Language = { kind: 'number', min: -5, max: 100 };
    assert.deepEqual(words(number, '7', '-5', '-6', '101', '007', '1e1', '', '+1'), [
      true,
      true,
      false,
      false,
      true,
      false,
      false,
      false,
    ]);
    assert.deepEqual(words({ kind: 'length', min: 1, max: 2 }, '', 'a', 'abc'), [false, true, false]);
  });

  test('what is absent is in none but absent and complements', () => {
    const not: meaning.Language = { kind: 'complement', of: word('is', 'a') };
    assert.deepEqual(words(not, null, 'a', 'b'), [true, false, true]);
    assert.deepEqual(words({ kind: 'complement', of: { kind: 'absent' } }, null, ''), [false, true]);
    assert.deepEqual(words({ kind: 'present' }, null, ''), [false, true]);
  });

  test('of an expression that is not known: either way', () => {
    const regex: meaning.Regex = { source: '(?R)', ignoreCase: false, syntax: 'pcre' };
    const matches: Condition = { kind: 'in', value: field('path'), language: { kind: 'matches', regex } };
    assert.deepEqual(fatesOf([step(matches, to('in'))]), ['in', 'web']);
  });
});

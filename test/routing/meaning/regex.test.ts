import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scriptOf } from '../../../src/routing/meaning/regex/index.ts';

/** Each expression with texts and what PCRE finds in them: the whole match, or null. */
const examples: readonly (readonly [string, Readonly<Record<string, string | null>>])[] = [
  [
    '^/img/.*\\.(png|jpe?g)$',
    { '/img/a.png': '/img/a.png', '/img/a.pngx': null, '/img/a.png\n': '/img/a.png' },
  ],
  ['(?i)SHOP|b', { shop: 'shop', B: 'B' }],
  ['(?i:A)b', { ab: 'ab', aB: null }],
  ['a(?i)b', { aB: 'aB', Ab: null }],
  ['a++b', { aab: 'aab' }],
  ['a++ab', { aab: null }],
  ['(?>a|ab)c', { abc: null, ac: 'ac' }],
  ['[[:digit:]]+', { 'a12.': '12' }],
  ['[^[:alpha:]_]', { a_: null, 'a-': '-' }],
  ['\\h+', { 'a \tb': ' \t', 'a\nb': null }],
  ['\\Aa\\z', { a: 'a', 'a\n': null }],
  ['a\\Z', { a: 'a', 'a\n': 'a' }],
  ['[]a]+', { ']a': ']a' }],
  ['[a\\]-]+', { 'a]-': 'a]-' }],
  ['\\x2f\\x{41}\\057', { '/A/': '/A/' }],
  ['\\Q.*\\E', { '.*': '.*', a: null }],
  ['(?x) a b # comment', { ab: 'ab' }],
  ['(?#note)a', { a: 'a' }],
  ['^/(?!api/)', { '/api/': null, '/web': '/' }],
  ['(?<=a)b', { ab: 'b', b: null }],
  ['(a)\\1', { aa: 'aa', ab: null }],
  ["(?<n>a)\\k<n>(?'m'b)(?P<o>c)", { aabc: 'aabc' }],
  ['a{2}', { aa: 'aa', a: null }],
  ['a{,2}', { 'a{,2}': 'a{,2}', aa: null }],
  ['x{a', { 'x{a': 'x{a' }],
  ['.', { '\n': null, '\r': '\r', '\xff': '\xff' }],
  ['\\bcart\\b', { '/cart/': 'cart', '/carts': null }],
  ['a||b', { x: '' }],
  ['[\\w.-]+', { 'é a.b-c': 'a.b-c' }],
];

for (const [source, found] of examples)
  test(`${source} finds what PCRE finds`, () => {
    const script = scriptOf({ source, ignoreCase: false, syntax: 'pcre' });
    assert.ok(script, 'complex');
    for (const [given, expected] of Object.entries(found))
      assert.equal(script.regex.exec(given)?.[0] ?? null, expected, JSON.stringify(given));
  });

test('without case, letters of both cases are the same', () => {
  const script = scriptOf({ source: '^/[A-C]\\x64$', ignoreCase: true, syntax: 'pcre' });
  assert.ok(script?.regex.test('/bD'));
});

test('a turn that takes nothing ends a repetition, where JavaScript would look for another', () => {
  const script = (source: string) => scriptOf({ source, ignoreCase: false, syntax: 'pcre' });
  assert.equal(script('^(|ap)?+i$'), null);
  assert.equal(script('^(|ap)?i')?.groupOf(1), null);
  assert.equal(script('^/api(/.*|$)?')?.groupOf(1), 1);
  assert.equal(script('^(a*)?b')?.groupOf(1), 1);
});

test('without case, what a class leaves out it leaves out in both', () => {
  for (const source of ['^[^a]$', '^[^A-C]$', '^[[:^upper:]]$', '^[^[:upper:]]$', '(?i)^[^a]$']) {
    const script = scriptOf({ source, ignoreCase: !source.startsWith('('), syntax: 'pcre' });
    assert.deepEqual(
      ['a', 'A', '1'].map((text) => script?.regex.test(text)),
      [false, false, true],
      source,
    );
  }
});

test('what is not known is complex, never guessed', () => {
  for (const source of [
    '(?R)',
    '(?(1)a|b)',
    '\\p{L}',
    '\\K',
    '(?m)^a',
    '\\1(a)',
    '(a|b\\1)+',
    '(',
    ')',
    '[a',
    '*a',
    'a{3,2}',
    '(?|(a)|(b))',
    '(*UTF8)a',
    '\\',
    '[b-a]',
  ])
    assert.equal(scriptOf({ source, ignoreCase: false, syntax: 'pcre' }), null, source);
  assert.equal(scriptOf({ source: '\\d', ignoreCase: false, syntax: 'posix' }), null);
});

test('a group that JavaScript forgets and PCRE keeps is not told', () => {
  const script = scriptOf({ source: '(?:(a)|(b))+(c)', ignoreCase: false, syntax: 'pcre' });
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((group) => script?.groupOf(group) ?? null),
    [0, null, null, 3, null],
  );
});

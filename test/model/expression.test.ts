import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { wholeRegex } from '#routing';
import { changed, linesOf } from './site.ts';

const values = [
  '/',
  '/a',
  '/ab',
  '/abc',
  '/api/v1',
  '/api/v12/x',
  '/en/x.html',
  '/a b',
  '/a.png',
  '/A',
  'a',
  '1',
  '-',
  ']',
  '[',
  '{',
  '$',
  '^',
  '\\',
  '/x-y_z',
  "it's",
  '"',
  'aaa',
  '/a\tb',
];

/** Expressions that a site may hold. */
const accepted = [
  '/a.*',
  '/[a-z]+',
  '/api/v\\d+(/.*)?',
  '/(en|de)/[\\w-]+\\.html',
  '^/a$',
  '/a|/ab',
  '[^/]+',
  '/(?!a).*',
  '.*\\.(?:png|jpg)',
  '[\\]\\[]',
  '\\$|\\^|\\\\',
  '\\S+',
  '.*\\s.*',
  '/\\w{2,3}',
  'a{3}',
  '\\x2fa',
  '/a\\b.*',
  '(?<word>a+)',
  '["\\x27].*',
  "it's",
  '[-a-c]+',
  '.*?b',
];

/** Expressions that PCRE reads in another way than JavaScript, or not at all. */
const refused = [
  '[[:alpha:]]+',
  '(?i)a',
  '(?>a)',
  'a++',
  '(a)\\1',
  '(?<=a)b',
  '\\h',
  '\\R',
  '\\Qa\\E',
  '\\A/',
  '\\z',
  '\\u0061',
  '\\pL',
  '\\v',
  '[]a]',
  '[^]',
  'a{,3}',
  '{',
  'a{2000}',
  '(?#x)a',
  '(',
  '*',
  '[b-a]',
  '\\c',
  'ü',
];

test('what is accepted means the same to PCRE', (t) => {
  for (const expression of accepted) {
    assert.deepEqual(
      linesOf(changed('value: /api', `type: RegularExpression, value: ${JSON.stringify(expression)}`)),
      [],
      expression,
    );
    const pcre = spawnSync('grep', ['-xP', '-e', expression], {
      input: `${values.join('\n')}\n`,
      encoding: 'utf8',
      env: { LC_ALL: 'C', PATH: process.env.PATH },
    });
    if (/support for the -P option/.test(pcre.stderr)) return t.skip('this grep has no PCRE');
    assert.equal(pcre.stderr, '', expression);
    const matched = values.filter((value) => wholeRegex(expression).test(value));
    assert.deepEqual(pcre.stdout.split('\n').slice(0, -1), matched, expression);
  }
});

for (const expression of refused) {
  test(`${expression} is refused`, () => {
    const told = linesOf(
      changed('value: /api', `type: RegularExpression, value: ${JSON.stringify(expression)}`),
    );
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(
      told[0] ?? '',
      /^HF01[39] site\.yaml:5:\d+ routes\[0\]\.matches\[0\]\.path\.value: expected /,
    );
  });
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ambiguityIn } from '../../src/model/ambiguity.ts';
import { changed, linesOf } from './site.ts';

/** Each with what can be read in two ways, over and over. */
const endless = [
  ['(a+)+', 'a'],
  ['(a*)*b', 'a'],
  ['/(\\w+\\s?)*', 'a'],
  ['(a|a)+b', 'aa'],
  ['(a|ab|b)*c', 'aba'],
  ['(x{2,100})+', 'x'],
  ['(.*)*', 'a'],
  ['/((a{1,3}){1,4})+', 'aaaaaaa'],
  ['(?!a)(b+)+', 'b'],
  ['([a-z0-9]+-?)+', 'a'],
  ['(.+)(/.+)*', 'a/a/'],
] as const;

const oneWay = [
  '/[a-z]+/[^/]+',
  '/api/v\\d+(/.*)?',
  '(?:/[^/]*)*',
  '([a-f0-9]{32})+',
  '.*\\.(?:png|jpg)',
  '.*a.*a.*b',
  '/(en|de)/[\\w-]+\\.html',
  '(?:a|b|c|d)+',
  '([^/]+/)*[^/]*',
  '(\\d+\\.)*\\d+',
  '(/[a-z0-9-]+)+/?',
  '([a-z0-9]+(-[a-z0-9]+)*)',
  '\\w{1000}x',
  '(?:\\w{1,30}\\.){1,30}com',
];

for (const [source, pump] of endless)
  test(`${source} reads ${pump} in several ways, any number of times`, () => {
    const found = ambiguityIn(source);
    assert.equal(found?.pump, pump);
  });

for (const source of oneWay)
  test(`${source} reads each value in one way, or in few`, () => assert.equal(ambiguityIn(source), null));

for (const [name, source] of [
  ['nested repetitions', `${'(?:'.repeat(60)}[a-z]${'){1,9}'.repeat(60)}`],
  ['nested repetitions of nothing', `${'(?:'.repeat(60)}${'){9}'.repeat(60)}`],
  ['many that may be left out', `(?:${'a?'.repeat(200)}b)+`],
  ['many that read the same', `(?:${'[a-z]x'.repeat(60)})+`],
] as const)
  test(`${name} are looked at in good time`, () => {
    const used = process.cpuUsage();
    ambiguityIn(source);
    assert.ok(process.cpuUsage(used).user / 1_000 < 20_000);
  });

test('a site with one is refused at its line, with the characters', () => {
  const [line = ''] = linesOf(changed('value: /api', "type: RegularExpression, value: '/(a+)+'"));
  assert.match(line, /reads "a" in several: behind "\/a"/);
});

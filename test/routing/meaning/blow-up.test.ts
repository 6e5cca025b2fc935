import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meaning } from '#routing';

const blowsUp = (source: string) => meaning.blowsUp({ source, ignoreCase: false, syntax: 'pcre' });

test('expressions that an engine may try for ever', () => {
  for (const source of [
    '^(a+)+$',
    '^(a|a)*b',
    '^([a-z]+[0-9]*)+x',
    '^(.*,)*x',
    '^/(?:[^/]+/?)+\\.php$',
    '^(a?b?)*$',
    '^((?:a|ab)(?:c|bc)?)+$',
    '^(\\d{1,3})+$',
  ])
    assert.equal(blowsUp(source), true, source);
});

test('expressions that it may not', () => {
  for (const source of [
    '^/api/(.*)$',
    '^(?:[a-z0-9]+\\.)+example$',
    '(a+)+',
    '^(?>a+)+$',
    '^(?:a++)+$',
    '^([0-9]{3})+$',
    '^(?:a|b)*$',
    '^(?:/[a-z]+)*/?$',
    '^(\\[[^\\]]*\\]|[^:]*?)\\.?(?::.*)?$',
    '.*.*.*x',
  ])
    assert.equal(blowsUp(source), false, source);
});

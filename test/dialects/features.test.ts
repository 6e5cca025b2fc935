import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatDiagnostic } from '#base';
import { dialects, featureNames, featureOf, unsupportedBy, unsupportedUses } from '#dialects';
import { changed, siteOf, validText } from '../model/site.ts';

const reason = 'it draws no servers';
const noRandom = { ...dialects, builtin: { cannot: { random: reason } } };
const random = (engine: string) =>
  siteOf(
    changed('{ name: web, servers', '{ name: web, algorithm: random, servers').replace(
      'name: lb-1',
      `name: lb-1, engine: ${engine}`,
    ),
  );

test('what an engine cannot do is refused at its line, with the reason and the engines that can', () => {
  const [found, ...more] = unsupportedBy(random('builtin'), 'builtin', noRandom).map(formatDiagnostic);
  assert.deepEqual(more, []);
  assert.match(
    found ?? '',
    /^HF021 site\.yaml:8:5 pools\[\]\.algorithm: random: the engine builtin cannot do this: it draws no servers\. Take it out, or use engine: haproxy/,
  );
  assert.equal(unsupportedUses(random('builtin'), noRandom).length, 1);
  assert.deepEqual(unsupportedUses(random('haproxy'), noRandom), []);
});

test('a site that does not say it is not refused for it', () => {
  assert.deepEqual(unsupportedBy(siteOf(validText), 'builtin', noRandom), []);
});

test('with engine: auto it is a warning while another engine can, and an error when none can', () => {
  const severities = (table: typeof noRandom) =>
    unsupportedUses(random('auto'), table).map(({ severity }) => severity);
  assert.deepEqual(severities(noRandom), ['warning']);
  const nobody = Object.fromEntries(
    Object.keys(dialects).map((name) => [name, { cannot: { random: reason } }]),
  ) as typeof noRandom;
  assert.deepEqual(severities(nobody), ['error']);
});

test('every feature says how it is written and what it means, once', () => {
  const written = featureNames.map((name) => featureOf(name).written);
  assert.deepEqual(
    written.filter((word, index) => written.indexOf(word) !== index),
    [],
  );
  for (const name of featureNames) assert.doesNotMatch(featureOf(name).meaning, /\.$|^[A-Z][a-z]/, name);
});

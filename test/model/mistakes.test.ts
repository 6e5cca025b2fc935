import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalogue } from '#base';
import { parseSite } from '#model';
import { addressMistakes } from './mistakes/addresses.ts';
import { documentMistakes } from './mistakes/documents.ts';
import { keyMistakes } from './mistakes/keys.ts';
import { expressionMistakes } from './mistakes/words.ts';
import { changed, linesOf, validText } from './site.ts';

const mistakes = [...documentMistakes, ...expressionMistakes, ...keyMistakes, ...addressMistakes];

for (const { what, text, told } of mistakes) {
  test(`${what} is told with its place and the remedy`, () => assert.deepEqual(linesOf(text), told));
}

test('the table holds every mistake of a site file that the catalogue names', () => {
  // What is wrong with the file as such, with the files that it names, for one engine only, or in an on-call file (HF04x).
  const ofFiles = ['HF003', 'HF004', 'HF005', 'HF018', 'HF021', 'HF024', 'HF025', 'HF030', 'HF031'];
  const elsewhere = [...ofFiles, 'HF040', 'HF041', 'HF042'];
  const wanted = Object.keys(catalogue).filter((code) => code.startsWith('HF0') && !elsewhere.includes(code));
  const told = new Set(mistakes.flatMap(({ told: lines }) => lines.map((line) => line.slice(0, 5))));
  assert.deepEqual(
    wanted.filter((code) => !told.has(code)),
    [],
  );
});

test('a valid site has no diagnostics, and one with an error has no site', () => {
  assert.deepEqual(linesOf(validText), []);
  assert.equal(parseSite(changed('pool: web }', 'pool: wbe }'), 'site.yaml', '/').site, null);
});

test('a warning does not keep a site from being used', () => {
  const { site, diagnostics } = parseSite(changed('pool: api }', 'pool: web }'), 'site.yaml', '/');
  assert.deepEqual(
    diagnostics.map((d) => [d.code, d.severity]),
    [['HF020', 'warning']],
  );
  assert(site);
});

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { meaning } from '#routing';
import { runnerOf } from '../../../src/routing/meaning/automata/run.ts';

const place = { file: 'a', line: 1, column: 1 };

/** A listener whose one rule asks whether the path matches. */
function asking(source: string, value: meaning.Value = meaning.field('path')): meaning.Meaning {
  const regex: meaning.Regex = { source, ignoreCase: false, syntax: 'pcre' };
  const when: meaning.Condition = { kind: 'in', value, language: { kind: 'matches', regex } };
  const taken: meaning.Fate = { kind: 'answer', status: 200, body: null };
  const rules: meaning.Rules = {
    steps: [{ when, then: taken, place, text: source }],
    otherwise: { kind: 'answer', status: 404, body: null },
  };
  const listener = { name: 'a', host: '*', port: 80, mode: 'http', tls: false, rules, place } as const;
  return { listeners: [listener], pools: [], settings: [], notUnderstood: [] };
}

describe('an expression that an engine could try for ever', () => {
  const endless = `/${'a'.repeat(5_000)}!`;
  for (const source of ['^/(a+)+$', '^/(a|a)*$', '^/(a|aa)+$', '^/a*a*a*a*a*b$', '^(/?(a|b)*a(a|b){20})+$'])
    test(`${source} is answered at once`, () => {
      const { exact, ways } = meaning.fateOf(asking(source), meaning.requestOf({ path: endless }));
      assert.equal(exact, true);
      assert.deepEqual(ways[0]?.fate, { kind: 'answer', status: 404, body: null });
    });

  test('with parts that cannot be followed it is not known, never tried', () => {
    const { exact } = meaning.fateOf(asking('^/((a+)+)\\2$'), meaning.requestOf({ path: endless }));
    assert.equal(exact, false);
  });

  test('takes what an engine that tries one way after the other takes', () => {
    const atom = fc.constantFrom('a', 'b', '[ab]', '(a|ab)', '(bb?)', '(?:ab|a)', '.');
    const repeated = fc
      .tuple(atom, fc.constantFrom('', '*', '+', '?', '*?', '+?', '{1,2}'))
      .map((parts) => parts.join(''));
    const source = fc.array(repeated, { minLength: 1, maxLength: 4 }).map((parts) => `(${parts.join('')})+`);
    const text = fc
      .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 10 })
      .map((letters) => letters.join(''));
    let ran = 0;
    fc.assert(
      fc.property(source, text, (expression, word) => {
        const runner = runnerOf({ source: expression, ignoreCase: false, syntax: 'pcre' });
        if (typeof runner === 'string') return;
        ran += runner.sure ? 1 : 0;
        const wanted = new RegExp(expression).exec(word);
        const match = runner.match(word);
        assert.equal(match === null, wanted === null);
        if (!runner.sure) return;
        assert.equal(match?.start ?? null, wanted?.index ?? null);
        assert.equal(match && word.slice(match.start, match.end), wanted?.[0] ?? null);
      }),
      { numRuns: 2_000, seed: 7 },
    );
    assert.ok(ran > 500, `${ran} were run`);
  });
});

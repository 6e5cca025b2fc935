import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { meaning } from '#routing';
import { before, labelOf, machineOf, TooComplex } from '../../../src/routing/meaning/automata/index.ts';
import { firstCases } from '../../../src/routing/meaning/difference/classes.ts';
import { derived, language, step } from './generated.ts';

const near = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'aabA/.=&%61 ;,\t+-:1\xff'), maxLength: 9 }),
  fc.constantFrom('a=1; ab=2', 'a.example', '%61%2f', '12', '-12', '0012', '/a/b', 'www.a'),
);

function isIn(value: meaning.Value, of: meaning.Language): boolean {
  const rules = {
    steps: [step({ kind: 'in', value, language: of }, { kind: 'reject', how: 'close' })],
    otherwise: { kind: 'reject', how: 'reset' },
  } as const;
  const listener = {
    name: '',
    host: '*',
    port: 80,
    mode: 'http',
    tls: false,
    rules,
    place: { file: '', line: 1, column: 1 },
  } as const;
  const all = { listeners: [listener], pools: [], settings: [], notUnderstood: [] };
  const [way] = meaning.fateOf(all, meaning.requestOf({})).ways;
  return way?.fate.kind === 'reject' && way.fate.how === 'close';
}

test('a machine of a language takes what is in it', () => {
  fc.assert(
    fc.property(language, fc.option(near), (of, word) => {
      const value: meaning.Value = word === null ? { kind: 'absent' } : meaning.text(word);
      assert.equal(labelOf(machineOf(of), word) === 1, isIn(value, of), JSON.stringify(word));
    }),
    { numRuns: 1_500, seed: 4 },
  );
});

test('a machine before a value says of what it is made of what the machine says of the value', () => {
  const hole = meaning.text('?');
  let told = 0;
  fc.assert(
    fc.property(derived(fc.constant(hole)), language, fc.option(near), (value, of, word) => {
      if (!('of' in value) || value.kind === 'orElse') return;
      if (value.kind === 'mapped' && value.otherwise.kind === 'field') return;
      let machine: ReturnType<typeof machineOf>;
      try {
        machine = before(value, machineOf(of), firstCases);
      } catch (error) {
        assert(error instanceof TooComplex, String(error));
        return;
      }
      const given: meaning.Value = word === null ? { kind: 'absent' } : meaning.text(word);
      told += 1;
      assert.equal(labelOf(machine, word) === 1, isIn({ ...value, of: given }, of), JSON.stringify(word));
    }),
    { numRuns: 4_000, seed: 4 },
  );
  assert.ok(told > 2_500, `only ${told} were told`);
});

test('spaces inside of a part count, though what is before them leads back to the start', () => {
  const segment: meaning.Language = { kind: 'segment', text: 'a', delimiters: '/.', ignoreCase: false };
  const item = machineOf({ kind: 'item', separators: ',', of: segment });
  assert.deepEqual(
    ['.\ta', '. a', '\t.a ', ' a'].map((word) => labelOf(item, word)),
    [0, 0, 1, 1],
  );
  const cookie = before({ kind: 'cookie', of: meaning.text('?'), name: 'k' }, machineOf(segment), firstCases);
  assert.deepEqual(
    ['k=.\ta', 'k=. a', 'k=\t.a ;', 'k= a'].map((word) => labelOf(cookie, word)),
    [0, 0, 1, 1],
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { meaning } from '#routing';
import {
  before,
  classifierOf,
  LabelSets,
  labelOf,
  machineOf,
  product,
  TooComplex,
} from '../../../src/routing/meaning/automata/index.ts';
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

test('an expression for a host with a port takes what its machine takes', () => {
  const of = fc.record({
    source: fc.constantFrom('a', 'a\\.b', 'A\\.b', 'a\\-b', 'a-1').map((text) => `^${text}(?::[0-9]*)?$`),
    ignoreCase: fc.boolean(),
  });
  const rest = fc.string({ unit: fc.constantFrom(...':1\na. '), maxLength: 4 });
  fc.assert(
    fc.property(
      of,
      fc.constantFrom('a', 'A', 'a.b', 'A.B', 'a-b', 'a-1', ''),
      rest,
      (regex, host, behind) => {
        const language = { kind: 'matches' as const, regex: { ...regex, syntax: 'pcre' as const } };
        const word = `${host}${behind}`;
        const value = meaning.text(word);
        assert.equal(isIn(value, language), labelOf(machineOf(language), word) === 1, JSON.stringify(word));
      },
    ),
    { numRuns: 3_000, seed: 4 },
  );
});

test('many expressions for hosts with a port are one table, which says what each of them says', () => {
  const name = fc.constantFrom('a', 'b-1', 'a\\.b', 'A\\.b', 'a\\-b', '1', 'ab', 'a_b\\.c');
  const host = fc.record({ source: name.map((text) => `^${text}(?::[0-9]*)?$`), ignoreCase: fc.boolean() });
  const of = fc.oneof(host, host, host, fc.constant({ source: '^a', ignoreCase: false }));
  fc.assert(
    fc.property(fc.array(of, { minLength: 1, maxLength: 6 }), (all) => {
      const sets = new LabelSets();
      const numbered = all.map((one, number) => {
        const regex = { ...one, syntax: 'pcre' as const };
        return { number, language: { kind: 'matches' as const, regex } };
      });
      const machine = classifierOf(numbered, sets);
      assert(machine);
      for (const { number, language } of numbered) {
        // Every state of both together that a text leads to.
        const both = product(machine, machineOf(language), (set, held) =>
          sets.of(set).includes(number) === (held === 1) ? 0 : 1,
        );
        assert(!both.labels.includes(1) && both.absent === 0, JSON.stringify(language.regex));
      }
    }),
    { numRuns: 300, seed: 4 },
  );
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { controls } from '../../proofs/mutants/controls.ts';
import { areas } from '../../proofs/mutants/mutants.ts';
import { mutationsOf } from '../../proofs/mutants/rules.ts';

const text = `/** a && b */
export interface Taken { readonly fresh?: true }
export function take(a: number, b: string): boolean {
  // if (a === 1)
  const said = 'a && b' + \`\${a === 1 ? 'x && y' : 'z'} === \`;
  if (a > 1 && /a === b/.test(said)) return b.startsWith('/');
  steps.push(said);
  return not(chosen(when, first, second), { kind: 'begins', ignoreCase });
}
`;

test('bugs are planted in code alone, and each rule finds its places', () => {
  const shown = mutationsOf(text).map(({ rule, was, is }) => `${rule}: ${was.trim()} > ${is.trim()}`);
  assert.deepEqual(shown.toSorted(), [
    'a condition negated: (a > 1 && /a === b/.test(said)) > (!(a > 1 && /a === b/.test(said)))',
    'a negation dropped: not( > (',
    'a statement dropped: steps.push(said); > ;',
    'and, or: && > ||',
    "another kind: kind: 'begins' > kind: 'ends'",
    'case not ignored: ignoreCase > ignoreCase: false',
    'equal or not: === > !==',
    'first, last: .startsWith( > .endsWith(',
    'off by one: > > >=',
    'swapped: first, second > second, first',
  ]);
});

test('each change is made where it says', () => {
  for (const { at, was } of mutationsOf(text)) assert.equal(text.slice(at, at + was.length), was);
});

test('plain mistakes have their places in the model as it stands, and nothing is planted beside them', () => {
  const { nothing, wrong } = controls('');
  assert.deepEqual(
    wrong.map(({ area }) => area),
    Object.keys(areas).toSorted(
      (a, b) => wrong.findIndex(({ area }) => area === a) - wrong.findIndex(({ area }) => area === b),
    ),
  );
  for (const { was, is } of wrong) assert.notEqual(was, is);
  for (const { was, is } of nothing) assert.equal(was, is);
});

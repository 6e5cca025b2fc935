import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { difference, normalised, stepsOf } from './transcript.ts';

const page = `# A page

\`\`\`console
$ not this one
\`\`\`

## The first five minutes

Say:

\`\`\`console
$ npm start
up
  Ctrl-C stops it.
\`\`\`

\`\`\`sh
$ nor this
\`\`\`

\`\`\`console
$ one
$ two --words "a b"
first

second
^C
Stopped.
\`\`\`

## After it

\`\`\`console
$ nor that
\`\`\`
`;

describe('a page with terminals', () => {
  it('gives the commands of one section with their output, in order', () => {
    assert.deepEqual(
      stepsOf(page, 'The first five minutes').map(({ kind, command, expected }) => [
        kind,
        command,
        ...expected,
      ]),
      [
        ['command', 'npm start', 'up', '  Ctrl-C stops it.'],
        ['command', 'one'],
        ['command', 'two --words "a b"', 'first', '', 'second'],
        ['interrupt', '', 'Stopped.'],
      ],
    );
    assert.deepEqual(stepsOf(page, 'No such heading'), []);
    assert.equal(stepsOf(page, 'The first five minutes')[0]?.line, 12);
  });
});

describe('output that differs from run to run', () => {
  for (const [one, other] of [
    ['took 12 ms', 'took 1,204.5 ms'],
    ['took 12 ms', 'took 1.2 s'],
    ['incumbent 719, 0', 'incumbent 2,000, 0'],
    ['change c4-346041, forced', 'change c12-00ff1a, forced'],
    ['- **17:06:53.195** - The guard', '- **09:00:00.001** - The guard'],
    ['2026-11-22 17:06:53 x', '2027-01-01 00:00:00 x'],
    ['site a29357ed', 'site 39d71acb'],
    ['haproxy 2.6.12-1+deb12u4 on lb-1', 'haproxy 3.0.1 on lb-1'],
    ['lb-1: back from generation 4 to 3', 'lb-1: back from generation 12 to 11'],
    ['1 real request on lb-1', '0 real requests on lb-1'],
    ['✔ 53 entries', '✔ 1,204 entries'],
    ['    generation 1  active   accepting  1 requests', 'generation 2  active accepting  2,100 requests'],
  ] as const)
    it(`${one} is as good as ${other}`, () => {
      assert.equal(normalised(one), normalised(other));
    });

  for (const [one, other] of [
    ['0 errors', '3 errors'],
    ['12,345 requests, 0 failed', '12,345 requests, 1 failed'],
    ['haproxy 2.6.12', 'builtin 0.1.0'],
    ['2 of 2 servers', '1 of 2 servers'],
    ['lb-1 at 50 %', 'lb-1 at 25 %'],
  ] as const)
    it(`${one} is not ${other}`, () => {
      assert.notEqual(normalised(one), normalised(other));
    });
});

describe('expected and actual output', () => {
  const actual = ['up in 3 ms', '', '  lb-1  http://127.0.0.1:8080', '  lb-2  http://127.0.0.2:8080', 'done'];

  for (const [what, expected] of [
    ['the same', actual],
    [
      'other figures and blanks',
      ['up in 99 ms', 'lb-1 http://127.0.0.1:8080', 'lb-2 http://127.0.0.2:8080', 'done'],
    ],
    ['lines left out', ['up in 1 ms', '...', 'done']],
    ['no line left out by ...', ['...', ...actual, '...']],
    ['a part of a line left out', ['up in 1 ms', '  lb-1  ...8080', '  ... http://127...', 'done']],
  ] as const)
    it(`agree: ${what}`, () => assert.equal(difference(expected, actual), null));

  for (const [what, expected, why] of [
    ['a line that did not come', ['up in 1 ms', 'lb-9', '...'], 'line 2 did not come: lb-9'],
    ['more than is shown', ['up in 1 ms'], 'more came than is shown: lb-1 http://127.0.0.1:8080'],
    ['another order', ['...', 'done', 'up in 1 ms'], 'line 3 did not come: up in 1 ms'],
    ['nothing shown', [], 'more came than is shown: up in DURATION'],
  ] as const)
    it(`do not agree: ${what}`, () => assert.equal(difference(expected, actual), why));
});

/** Random expressions of all that PCRE has and the model follows, each with texts that it is likely to take. */
import type { Chance } from './chance.ts';

export interface Expression {
  readonly source: string;
  /** How many groups it captures. */
  readonly groups: number;
  /** One that it takes, or nearly. */
  text(chance: Chance): string;
}

const nothing: Expression = { source: '', groups: 0, text: () => '' };

/** @param letters what its words are made of. */
export function expression(
  chance: Chance,
  letters: readonly string[] = ['a', 'b', 'c', '/', '1', '-'],
): Expression {
  const made = sequence(chance, letters, chance.pick([0, 1, 1, 1, 2]));
  const start = chance.pick(['', '', '^', '^', '^/', '\\A', '(?i)^', '\\b']);
  const end = chance.pick(['', '', '', '$', '$', '\\z', '\\Z', '(?:/|$)', '(?=/|$)', '.*$']);
  const first = start.endsWith('/') ? '/' : '';
  const behind = (one: Chance) =>
    end === '.*$' ? one.pick(['', 'a', '/b']) : one.pick(['', '', '', '', '/', 'x']);
  return {
    source: start + made.source + end,
    groups: made.groups,
    text: (one) => (one.percent(20) && start === '' ? 'z' : '') + first + made.text(one) + behind(one),
  };
}

function sequence(chance: Chance, letters: readonly string[], depth: number): Expression {
  const most = depth > 1 ? 2 : 3;
  const parts = Array.from({ length: 1 + chance.below(most) }, () => piece(chance, letters, depth));
  return parts.reduce(behind, nothing);
}

const behind = (one: Expression, other: Expression): Expression => ({
  source: one.source + other.source,
  groups: one.groups + other.groups,
  text: (chance) => one.text(chance) + other.text(chance),
});

function piece(chance: Chance, letters: readonly string[], depth: number): Expression {
  const of = depth > 0 && chance.percent(45) ? grouped(chance, letters, depth - 1) : atom(chance, letters);
  return chance.percent(40) && !/^(?:\\[bBAzZQ]|\(\?[=!<])/.test(of.source) ? repeated(chance, of) : of;
}

function repeated(chance: Chance, of: Expression): Expression {
  const [sign = '', min = 0, max = 3] = chance.pick([
    ['*', 0, 3],
    ['+', 1, 3],
    ['?', 0, 1],
    ['{2}', 2, 2],
    ['{1,2}', 1, 2],
    ['{2,}', 2, 4],
    ['{0,1}', 0, 1],
    ['{3}', 3, 3],
  ] as const);
  const how = sign === '{2}' || sign === '{3}' ? '' : chance.pick(['', '', '', '?', '+']);
  const least = Math.max(0, min - 1);
  return {
    ...of,
    source: of.source + sign + how,
    text: (one) => Array.from({ length: least + one.below(max + 2 - least) }, () => of.text(one)).join(''),
  };
}

const plain = (source: string, texts: readonly string[], groups = 0): Expression => ({
  source,
  groups,
  text: (chance) => chance.pick(texts),
});

function atom(chance: Chance, letters: readonly string[]): Expression {
  const letter = chance.pick(letters);
  const other = chance.pick(letters);
  const escaped = /[\w/-]/.test(letter) ? letter : `\\${letter}`;
  return chance.pick([
    plain(escaped, [letter, letter, letter, letter, other, letter.toUpperCase()]),
    plain(escaped, [letter]),
    plain(escaped + (/[\w/-]/.test(other) ? other : `\\${other}`), [letter + other]),
    plain('.', [letter, other, 'z', '']),
    plain('[ab]', ['a', 'b', 'c', 'A']),
    plain('[^/]', ['a', '/', '1']),
    plain('[^a-c1]', ['a', 'd', '1', '-']),
    plain('[a-c1-3_-]', ['a', '2', '-', '_', 'd', '4', 'C']),
    plain('\\d', ['1', '9', 'a']),
    plain('\\D', ['1', 'a', '/']),
    plain('\\w', ['a', '_', '1', '-', '/']),
    plain('\\W', ['-', '/', 'a', '_']),
    plain('\\.', ['.', 'a']),
    plain('[[:alpha:]]', ['a', 'Z', '1']),
    plain('[[:digit:]a]', ['1', 'a', 'b']),
    plain('[^[:alnum:]]', ['-', 'a', '1', '/']),
    plain('[[:upper:][:punct:]]', ['A', 'a', '-', '/']),
    plain('[[:xdigit:]]', ['f', 'g', '0']),
    plain('[]a]', [']', 'a', 'b']),
    plain('[^]a]', [']', 'a', 'b']),
    plain('[\\w.]', ['a', '.', '-']),
    plain('[^\\d/]', ['1', 'a', '/']),
    plain('[\\x61\\x2f]', ['a', '/', 'b']),
    plain('\\x61', ['a', 'b', 'A']),
    plain('\\b', ['']),
    plain('\\B', ['']),
    plain('\\Qa.b\\E', ['a.b', 'axb']),
    plain('(?=a)', ['']),
    plain('(?!b)', ['']),
    plain('(?<=/)', ['', '/']),
    plain('(?<!a)', ['', 'a', 'b']),
    plain('(?<=a)b', ['ab', 'b']),
    plain('(?:$|/)', ['', '/']),
    plain('\\x{61}', ['a', 'b']),
    plain('\\o{141}', ['a', 'b']),
    plain('\\060', ['0', 'a']),
    plain('[\\141\\x2d]', ['a', '-', 'b']),
    plain('[a\\-c]', ['a', '-', 'b']),
    plain('[\\w-]', ['a', '-', '/']),
    plain('[[:^digit:]]', ['a', '1']),
    plain('(?x: a [b] )', ['ab', 'a b']),
    plain('a(?#b)c', ['ac', 'abc']),
    plain('(?i)B', ['b', 'B']),
    plain('(?-s:.)', ['a', '/']),
    again(chance),
  ]);
}

/** What a group took, once more. */
function again(chance: Chance): Expression {
  const name = `n${chance.below(100_000)}`;
  const open = chance.pick(['(?<', '(?P<']);
  return plain(
    `${open}${name}>[ab])${chance.pick(['', '/'])}\\k<${name}>`,
    ['aa', 'bb', 'ab', 'a/a', 'b/b', 'a/b'],
    1,
  );
}

function grouped(chance: Chance, letters: readonly string[], depth: number): Expression {
  const inner = sequence(chance, letters, depth);
  const other = sequence(chance, letters, depth);
  const either: Expression = {
    source: `${inner.source}|${other.source}`,
    groups: inner.groups + other.groups,
    text: (one) => (one.percent(50) ? inner : other).text(one),
  };
  const of = chance.percent(50) ? either : inner;
  const around = (open: string, groups: number): Expression => ({
    ...of,
    source: `${open}${of.source})`,
    groups: of.groups + groups,
  });
  const folded: Expression = {
    ...around('(?i:', 0),
    text: (one) => (one.percent(50) ? of.text(one).toUpperCase() : of.text(one)),
  };
  return chance.pick([
    around('(', 1),
    around('(', 1),
    around('(', 1),
    around('(?:', 0),
    around('(?:', 0),
    folded,
    around('(?>', 0),
    around('(?s:', 0),
    around('(?-i:', 0),
    around('(|', 1),
  ]);
}

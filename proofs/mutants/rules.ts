/** The bugs that are planted: each rule finds its places in a text, and what stands there instead. */
import { argumentsIn, closingOf, codeIn } from './source.ts';

export interface Mutation {
  readonly rule: string;
  /** Where the text changes, and what takes the place of what stood there. */
  readonly at: number;
  readonly was: string;
  readonly is: string;
}

interface Swap {
  readonly rule: string;
  readonly find: RegExp;
  /** Null: nothing here. */
  readonly by: (found: RegExpExecArray) => string | null;
}

const words = (rule: string, pairs: readonly (readonly [string, string])[]): readonly Swap[] =>
  pairs.map(([was, is]) => ({
    rule,
    find: new RegExp(was.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'g'),
    by: () => is,
  }));

const swaps: readonly Swap[] = [
  ...words('equal or not', [
    [' === ', ' !== '],
    [' !== ', ' === '],
  ]),
  ...words('and, or', [
    [' && ', ' || '],
    [' || ', ' && '],
  ]),
  ...words('off by one', [
    [' < ', ' <= '],
    [' <= ', ' < '],
    [' > ', ' >= '],
    [' >= ', ' > '],
    [' + 1', ''],
    [' - 1', ''],
    ['.slice(1)', '.slice(0)'],
    ['.slice(0, -1)', '.slice(0)'],
  ]),
  ...words('first, last', [
    ['.at(-1)', '.at(0)'],
    ['.findLast(', '.find('],
    ['.find(', '.findLast('],
    ['.reduceRight(', '.reduce('],
    ['.lastIndexOf(', '.indexOf('],
    ['.startsWith(', '.endsWith('],
    ['.endsWith(', '.startsWith('],
  ]),
  ...words('every, some', [
    ['.some(', '.every('],
    ['.every(', '.some('],
  ]),
  ...words('letters', [
    ['.toLowerCase()', ''],
    ['.trim()', ''],
  ]),
  {
    rule: 'all, some of conditions',
    find: /(?<![\w.$]|\bfunction )(meaning\.)?all\((?=\[|\w)/g,
    by: ([, from = '']) => `${from}some(`,
  },
  {
    rule: 'all, some of conditions',
    find: /(?<![\w.$]|\bfunction )(meaning\.)?some\((?=\[|\w)/g,
    by: ([, from = '']) => `${from}all(`,
  },
  { rule: 'a negation dropped', find: /(?<![\w.$]|\bfunction )(?:meaning\.)?not\(/g, by: () => '(' },
  { rule: 'a negation dropped', find: /!(?=[\w(#])(?<=[\s(&|])/g, by: () => '' },
  {
    rule: 'a status',
    find: /\b(?:301|302|400|401|403|404|405|500|503)\b/g,
    by: ([was]) => String(Number(was) + 1),
  },
  {
    rule: 'a flag turned',
    find: /(?<=[:(,=] |return )(?:true|false)\b/g,
    by: ([was]) => (was === 'true' ? 'false' : 'true'),
  },
  {
    rule: 'case not ignored',
    find: /\bignoreCase: (?!boolean|false)[^,;}\n]+/g,
    by: () => 'ignoreCase: false',
  },
  { rule: 'case not ignored', find: /\bignoreCase(?=[,}]| })/g, by: () => 'ignoreCase: false' },
];

/** Words of languages and values that are easily taken for each other. These stand in quotes. */
const kinds: Readonly<Record<string, string>> = {
  is: 'begins',
  begins: 'ends',
  ends: 'contains',
  contains: 'begins',
  lower: 'upper',
  present: 'absent',
  union: 'intersection',
  path: 'query',
  query: 'path',
};

/** All that can be planted in a text, in its order. */
export function mutationsOf(text: string): readonly Mutation[] {
  const code = codeIn(text);
  const found: Mutation[] = [];
  for (const { rule, find, by } of swaps)
    for (const match of text.matchAll(find)) {
      const is = by(match);
      if (code[match.index] && is !== null && is !== match[0])
        found.push({ rule, at: match.index, was: match[0], is });
    }
  for (const match of text.matchAll(/\bkind: '(\w+)'(?= *[,}]|,? *$| as)/gm)) {
    const other = kinds[match[1] ?? ''];
    if (code[match.index] && other)
      found.push({ rule: 'another kind', at: match.index, was: match[0], is: `kind: '${other}'` });
  }
  found.push(...conditions(text, code), ...orders(text, code), ...dropped(text, code));
  return found.filter(({ at }) => !isType(text, at)).sort((a, b) => a.at - b.at);
}

/** Types are gone before anything runs. */
function isType(text: string, at: number): boolean {
  const from = text.lastIndexOf('\n', at) + 1;
  const line = text.slice(from, text.indexOf('\n', at));
  return (
    /^\s*(?:readonly|\| (?:readonly )?\{?|import|export type|type|export interface|interface)\b/.test(line) ||
    /^\s*\| /.test(line)
  );
}

function conditions(text: string, code: readonly boolean[]): readonly Mutation[] {
  return [...text.matchAll(/\bif \(/g)].flatMap(({ index }): Mutation[] => {
    const open = index + 3;
    const close = closingOf(text, open, code);
    if (!code[index] || close < 0) return [];
    const was = text.slice(open, close + 1);
    return [{ rule: 'a condition negated', at: open, was, is: `(!${was})` }];
  });
}

/** `chosen(when, then, otherwise)` and its like the other way round. */
function orders(text: string, code: readonly boolean[]): readonly Mutation[] {
  return [...text.matchAll(/\b(?<!function )(?:chosen|either|chosenSample)\(/g)].flatMap(
    (match): Mutation[] => {
      const open = match.index + match[0].length - 1;
      const close = closingOf(text, open, code);
      const parts = argumentsIn(text, open, close, code);
      const [, second, third] = parts;
      if (!code[match.index] || parts.length !== 3 || !second || !third) return [];
      const [one, other] = [text.slice(...second), text.slice(...third)];
      const was = text.slice(second[0], third[1]);
      return [{ rule: 'swapped', at: second[0], was, is: `${other},${one}` }];
    },
  );
}

/** A whole line that does something, and nothing with what comes of it. */
function dropped(text: string, code: readonly boolean[]): readonly Mutation[] {
  const lines = text.matchAll(
    /^ +(?:(?:this\.#?|flow\.|request\.|scene\.)?[a-z]\w*\.(?:push|set|add|decide|change|pass|nextList|setHeader|addHeader|removeHeaders)|flow\.\w+|this\.#\w+)\(.*\);$/gm,
  );
  return [...lines].flatMap((match): Mutation[] => {
    const at = match.index + match[0].search(/\S/);
    return code[at] && !/\bnotes\.|\brefuse\(/.test(match[0])
      ? [{ rule: 'a statement dropped', at, was: match[0].trim(), is: ';' }]
      : [];
  });
}

/**
 * What the lift of NGINX decides of a value from the text alone, against the same question asked of each request of a small universe;
 * and what it reads off an expression, against what the expression takes.
 */
import { meaning } from '#routing';
import {
  captured,
  chosen,
  dividedArgs,
  either,
  encoded,
  holds as folded,
  is,
  matches,
  rest,
} from '../../src/dialects/nginx/lift/folding.ts';
import { asJavaScript, groupMayBeEmpty, groupsOf, missesEnd } from '../../src/dialects/nginx/lift/regex.ts';
import { evaluate } from '../../src/routing/meaning/fate/evaluate.ts';
import { holds } from '../../src/routing/meaning/fate/holds.ts';
import { isUnknown, type World, Worlds } from '../../src/routing/meaning/fate/world.ts';
import { parseRegex } from '../../src/routing/meaning/regex/index.ts';
import { type Chance, chanceOf } from '../plan/chance.ts';
import { expression } from '../plan/expressions.ts';
import type { Judgement } from './judged.ts';

export type Folding =
  | { readonly kind: 'folded'; readonly value: meaning.Value; readonly language: meaning.Language }
  | {
      readonly kind: 'read';
      readonly regex: meaning.Regex;
      readonly ends: readonly string[];
      readonly texts: readonly string[];
    };

const [one, other] = [meaning.header('x-a'), meaning.header('x-b')];
const words = ['', 'a', 'b', '/a', '/a/b', 'ab', '/', 'a?b', '?q=1', 'A', '/a b', 'a.png'];
const sources = [
  '^/a',
  '^a$',
  'b$',
  '^(a|/a)',
  '^(?:/a|b)',
  '^/a/(b)',
  '^$',
  '',
  'a',
  '^(a|b)?/',
  '\\.(png|gif)$',
  '\\.png$',
  '^a|b',
  '^/a+',
  '^[ab]',
  '^a\\.png$',
  '(a)(b)?',
  '^(.*)$',
  '^/a/b$',
];

export function foldings(seed: number, count: number): readonly Folding[] {
  const chance = chanceOf(seed + 11);
  return Array.from({ length: count }, (_, at) => (at % 4 === 0 ? reading(chance) : folding(chance)));
}

function folding(chance: Chance): Folding {
  return { kind: 'folded', value: valueAt(chance, 2), language: languageOf(chance, 1) };
}

function reading(chance: Chance): Folding {
  const made = expression(chance, ['a', 'b', '/', '.']);
  const isOwn = chance.percent(50);
  const source = isOwn ? chance.pick([...sources, ...own]) : made.source;
  const texts = Array.from({ length: 30 }, () =>
    isOwn
      ? chance.some(['a', 'b', '/', '.png', '.php', 'ab', '1', '.jpg', 'A'], 5).join('')
      : made.text(chance),
  );
  return {
    kind: 'read',
    regex: { source, ignoreCase: chance.percent(25), syntax: 'pcre' },
    ends: ['.png', '/a', 'b', '.php', '/index.html'],
    texts,
  };
}

/** As people write them. */
const own = [
  '\\.php$',
  '^/(?<x>a|b)?(?:/(.*))?$',
  '(a|b)(c*)$',
  '^/([^/]+)/(.*)$',
  '\\.(?:jpg|png)$',
  '/(a|)b$',
  '[(](a)',
  '[]()](a)',
  '\\((a)\\)',
  '^(a(b)?)+$',
  "(?'n'a)b?",
  '(?P<n>a*)',
  '^(/a)(?:b|(c))$',
  '(?i)\\.PNG$',
  '\\s(a)$',
  '[\\s]b',
  'x.(a)|b',
  '^/a{1,2}(b{0})$',
  'b.?png$',
  '(png|jpe?g)$',
];

function valueAt(chance: Chance, depth: number): meaning.Value {
  const word = () => meaning.text(chance.pick(words));
  const leaf = () =>
    chance.pick<meaning.Value>([word(), word(), one, other, meaning.absent, meaning.field('path')]);
  if (depth === 0) return leaf();
  const inner = () => valueAt(chance, depth - 1);
  return chance.pick<() => meaning.Value>([
    leaf,
    () => ({ kind: 'joined', parts: [word(), inner(), word()] }),
    () => meaning.joined([word(), inner()]),
    () => meaning.joined([inner(), word()]),
    () => meaning.joined([inner()]),
    () => ({
      kind: 'chosen',
      when: { kind: 'in', value: other, language: is('a') },
      then: inner(),
      otherwise: inner(),
    }),
    () => ({ kind: 'orElse', of: inner(), otherwise: inner() }),
    () => ({ kind: 'joined', parts: [inner(), inner()] }),
  ])();
}

function languageOf(chance: Chance, depth: number): meaning.Language {
  const text = () => chance.pick(words);
  const regex = (): meaning.Regex => ({
    source: chance.pick(sources),
    ignoreCase: chance.percent(25),
    syntax: 'pcre',
  });
  const plain = chance.pick<() => meaning.Language>([
    () => is(text()),
    () => ({
      kind: chance.pick(['is', 'begins', 'ends', 'contains']),
      text: text(),
      ignoreCase: chance.percent(30),
    }),
    () => ({ kind: chance.pick(['is', 'begins', 'ends', 'contains']), text: text(), ignoreCase: false }),
    () => matches(regex()),
    () => ({ kind: 'matches', regex: regex() }),
    () => ({ kind: 'length', min: chance.below(3), max: chance.pick([null, 1, 2, 4]) }),
    () => ({ kind: chance.pick(['present', 'absent']) }),
    () => ({ kind: 'segment', text: 'a', delimiters: '/', ignoreCase: false }),
  ]);
  if (depth === 0 || chance.percent(60)) return plain();
  const of = [languageOf(chance, 0), languageOf(chance, 0)];
  const [first] = of;
  if (chance.percent(30) && first) return { kind: 'complement', of: first };
  return { kind: chance.pick(['union', 'intersection']), of };
}

const headers = [null, '', 'a', 'b', '/a', 'ab', '?q=1', '/a/b', 'a.png'];
const worlds = (): readonly World[] =>
  headers.flatMap((a) =>
    headers.map((b) => {
      const said = Object.fromEntries(
        [['x-a', a] as const, ['x-b', b] as const].filter(([, value]) => value !== null),
      );
      const path = a?.startsWith('/') ? a : '/';
      return new Worlds(meaning.requestOf({ path, headers: said as Record<string, string> }), {}).world();
    }),
  );

const sizePer = 100;

export function foldingJudged(question: Folding): Judgement {
  return question.kind === 'folded' ? foldedOf(question) : readOf(question);
}

function foldedOf({ value, language }: Extract<Folding, { kind: 'folded' }>): Judgement {
  const made = folded(value, language);
  const plain: meaning.Condition = { kind: 'in', value, language };
  const [path, args] = dividedArgs(value);
  const code = encoded(value, 'query');
  const behind = rest(value, 1);
  const other_ = either(made, { kind: 'never' }, { kind: 'always' });
  const picked = chosen(made, meaning.text('y'), meaning.text('n'));
  const taken = captured(value, { source: '^/?(a)(b)?', ignoreCase: false, syntax: 'pcre' }, 1);
  const work =
    sizePer *
    [made, path, args, code, behind, other_, picked, taken].reduce(
      (sum, part) => sum + meaning.sizeOf(part),
      0,
    );
  for (const world of worlds()) {
    const told = evaluate(value, world);
    const wanted = holds(plain, world);
    const wrong = (what: string): Judgement => ({
      wrong: `${what} of ${JSON.stringify(value)}, ${JSON.stringify(language)} for ${JSON.stringify(world.request.headers)}`,
      open: 0,
      work,
    });
    if (holds(made, world) !== wanted) return wrong('decided otherwise');
    if (holds(other_, world) === wanted) return wrong('chosen otherwise');
    if (evaluate(picked, world) !== (wanted ? 'y' : 'n')) return wrong('picked otherwise');
    if (isUnknown(told)) continue;
    const text = told ?? '';
    if (`${evaluate(behind, world) ?? ''}` !== text.slice(1)) return wrong('another rest');
    const decoded = `${evaluate(code, world) ?? ''}`;
    if (decoded !== encodedText(text)) return wrong('written otherwise');
    if (`${evaluate(taken, world) ?? ''}` !== (/^\/?(a)(b)?/.exec(text)?.[1] ?? ''))
      return wrong('another group');
    // `$is_args` and what is behind it.
    if (JSON.stringify(value).includes('"otherwise":{"kind":"text","text":""}')) continue;
    const [before, arguments_] = [`${evaluate(path, world) ?? ''}`, `${evaluate(args, world) ?? ''}`];
    const whole = arguments_ === '' ? before : `${before}?${arguments_}`;
    if (whole !== text && `${before}?` !== text && !before.includes('?')) return wrong('divided otherwise');
  }
  return { wrong: null, open: 0, work };
}

const encodedText = (text: string) =>
  text.replaceAll(
    /[\0- "#%&+;<>?\\^`{|}\x7f-\xff]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );

function readOf({ regex, ends, texts }: Extract<Folding, { kind: 'read' }>): Judgement {
  const { source } = regex;
  const parsed = parseRegex(regex);
  const script = meaning.scriptOf(regex);
  if (parsed === null || script === null) return { wrong: null, open: 0, work: 0 };
  const told = groupsOf(source);
  const answer = (wrong: string | null, open = 0): Judgement => ({
    wrong: wrong && `${wrong} in ${source}`,
    open,
    work: 0,
  });
  if (told.count !== parsed.groups) return answer(`${told.count} groups`);
  if ([...told.names].sort().join() !== [...parsed.names.keys()].sort().join())
    return answer(`other names ${told.names}`);
  const plain = asJavaScript(regex);
  const mayBeEmpty = Array.from({ length: told.count }, (_, at) => groupMayBeEmpty(source, at + 1));
  const misses = ends.map((end) => missesEnd(regex, end));
  for (const text of texts) {
    const found = script.regex.exec(text);
    if (plain !== null && plain.test(text) !== (found !== null))
      return answer(`other texts such as ${JSON.stringify(text)}`);
    for (const [at, may] of mayBeEmpty.entries())
      if (!may && found !== null && script.groupOf(at + 1) !== null && !found.groups?.[`g${at + 1}`])
        return answer(`group ${at + 1} took nothing of ${JSON.stringify(text)}`);
    for (const [at, end] of ends.entries())
      if (misses[at] && script.regex.test(text + end))
        return answer(`it takes ${JSON.stringify(text + end)}`);
  }
  const open =
    (plain === null ? 1 : 0) + mayBeEmpty.filter(Boolean).length + misses.filter((miss) => !miss).length;
  return answer(null, open);
}

import fc from 'fast-check';
import { meaning } from '#routing';

const { field, header, joined, text, sentAsItCame } = meaning;
type Condition = meaning.Condition;
type Value = meaning.Value;
type Language = meaning.Language;

const place = { file: 'a.cfg', line: 1, column: 1 };
const word = fc.constantFrom(
  '/a',
  '/a/',
  '/b',
  'a',
  'b',
  '/',
  '1',
  'a.example',
  '.example',
  'A',
  'a=1',
  '',
  '/a/b',
);
const pcre = (source: string, ignoreCase = false): meaning.Regex => ({ source, ignoreCase, syntax: 'pcre' });
const regex = fc.constantFrom(
  pcre('^/a(/.*)?$'),
  pcre('b'),
  pcre('^(www\\.)?a', true),
  pcre('[^/]+\\.html?$'),
  pcre('\\ba\\b'),
  pcre('^/(a|b)/'),
  pcre('a+?/'),
);

export const language: fc.Arbitrary<Language> = fc.letrec<{ language: Language }>((tie) => ({
  language: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.record({
      kind: fc.constantFrom('is', 'begins', 'ends', 'contains'),
      text: word,
      ignoreCase: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('matches'), regex }),
    fc.constantFrom<Language>({ kind: 'present' }, { kind: 'absent' }),
    fc.record({ kind: fc.constant('length'), min: fc.nat(3), max: fc.option(fc.nat(5)) }),
    fc.record({
      kind: fc.constant('number'),
      min: fc.option(fc.integer({ min: -12, max: 20 })),
      max: fc.option(fc.integer({ min: -12, max: 120 })),
    }),
    fc.record({
      kind: fc.constant('segment'),
      text: fc.constantFrom('a', 'b', 'a/b'),
      delimiters: fc.constantFrom('/', '/.'),
      ignoreCase: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('item'), separators: fc.constantFrom(',', '/'), of: tie('language') }),
    fc.record({
      kind: fc.constantFrom('union', 'intersection'),
      of: fc.array(tie('language'), { minLength: 1, maxLength: 2 }),
    }),
    fc.record({ kind: fc.constant('complement'), of: tie('language') }),
  ),
})).language;

const leaf: fc.Arbitrary<Value> = fc.constantFrom(
  field('path'),
  field('path'),
  field('host'),
  field('query'),
  field('method'),
  field('normalisedPath'),
  header('x-a'),
  header('cookie'),
);

const regexWithGroup = fc.constantFrom(
  pcre('^/(a|b)(.*)'),
  pcre('(a*)(b?)'),
  pcre('(.*?)/'),
  pcre('([^/]+)$'),
  pcre('^(.*)\\.(example|net)'),
);

/** One step from a value to another. */
export function derived(of: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  return fc.oneof(
    fc.record({ kind: fc.constantFrom('lower', 'upper'), of }),
    fc.record({
      kind: fc.constant('part'),
      of,
      separators: fc.constantFrom('/', '.:', '&'),
      number: fc.constantFrom(1, 2, 3, -1, -2),
    }),
    fc.record({ kind: fc.constant('slice'), of, from: fc.nat(3), length: fc.option(fc.nat(3)) }),
    fc.record({
      kind: fc.constant('parameter'),
      of,
      name: fc.constantFrom('a', 'ab', 'A'),
      ignoreCase: fc.boolean(),
    }),
    fc.record({ kind: fc.constant('cookie'), of, name: fc.constantFrom('a', 'ab') }),
    fc.record({ kind: fc.constant('decoded'), of, plusIsSpace: fc.boolean() }),
    fc.record({ kind: fc.constant('encoded'), of, bytes: fc.constantFrom('path', 'query') }),
    fc.record({ kind: fc.constant('captured'), of, regex: regexWithGroup, group: fc.constantFrom(0, 1) }),
    fc.record({
      kind: fc.constant('replaced'),
      of,
      regex: regexWithGroup,
      every: fc.constant(false),
      by: fc.constantFrom<readonly meaning.TemplatePart[]>(
        ['/x'],
        [{ group: 1 }],
        ['/', { group: 1 }, '-'],
        [{ group: 0 }, 'a'],
      ),
    }),
    fc.record({
      kind: fc.constant('replaced'),
      of,
      regex: fc.constantFrom(pcre('/+'), pcre('[ab]'), pcre('\\.')),
      every: fc.constant(true),
      by: fc.constantFrom(['-'], ['ab'], []),
    }),
    fc.record({
      kind: fc.constant('mapped'),
      of,
      cases: fc.array(fc.record({ language, text: word }), { maxLength: 3 }),
      otherwise: fc.constantFrom<Value>(text('a'), { kind: 'absent' }, header('x-b')),
    }),
    fc.tuple(word, of, word).map(([a, one, b]) => joined([text(a), one, text(b)])),
  );
}

export const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 3, arbitrary: leaf },
  { weight: 3, arbitrary: derived(leaf) },
  { weight: 1, arbitrary: derived(derived(leaf)) },
  { weight: 1, arbitrary: fc.array(leaf, { minLength: 2, maxLength: 3 }).map(joined) },
  {
    weight: 1,
    arbitrary: fc.tuple(leaf, leaf).map(([of, otherwise]): Value => ({ kind: 'orElse', of, otherwise })),
  },
);

const isIn = fc.record({ kind: fc.constant('in'), value, language });
const plain: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 6, arbitrary: isIn },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Condition>(
      { kind: 'from', networks: ['10.0.0.0/8', '2001:db8::/32'] },
      { kind: 'from', networks: ['10.1.0.0/16', '127.0.0.1'] },
      { kind: 'unknown', text: 'be_conn(a) gt 1', place, why: 'state' },
      { kind: 'unknown', text: 'rand lt 5', place, why: 'chance' },
    ),
  },
);

export const condition: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 4, arbitrary: plain },
  { weight: 1, arbitrary: fc.array(plain, { maxLength: 3 }).map((of) => meaning.all(of)) },
  { weight: 1, arbitrary: fc.array(plain, { maxLength: 3 }).map((of) => meaning.some(of)) },
  { weight: 1, arbitrary: plain.map((of) => meaning.not(of)) },
);

const fate: fc.Arbitrary<meaning.Fate> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .constantFrom('a', 'b', 'c')
      .map((pool): meaning.Fate => ({ kind: 'pool', pool, sent: sentAsItCame })),
  },
  {
    weight: 1,
    arbitrary: value.map(
      (path): meaning.Fate => ({ kind: 'pool', pool: 'a', sent: { ...sentAsItCame, path } }),
    ),
  },
  {
    weight: 1,
    arbitrary: leaf.map((location): meaning.Fate => ({ kind: 'redirect', status: 302, location })),
  },
  { weight: 1, arbitrary: fc.constant<meaning.Fate>({ kind: 'answer', status: 403, body: null }) },
);

export function step(when: Condition, then: meaning.Step['then']): meaning.Step {
  return { when, then, place, text: meaning.describe(when) };
}

const flat = fc.record({
  steps: fc.array(
    fc.tuple(condition, fate).map(([c, f]) => step(c, f)),
    { maxLength: 4 },
  ),
  otherwise: fate,
});
export const rules: fc.Arbitrary<meaning.Rules> = fc
  .tuple(flat, fc.option(flat), condition)
  .map(([outer, inner, when]) =>
    inner ? { ...outer, steps: [step(when, { kind: 'rules', rules: inner }), ...outer.steps] } : outer,
  );

export function meaningOf(of: meaning.Rules, prefix = ''): meaning.Meaning {
  return {
    listeners: [{ name: 'www', host: '*', port: 80, mode: 'http', tls: false, rules: of, place }],
    pools: ['a', 'b', 'c'].map((name) => ({
      name: `${prefix}${name}`,
      mode: 'http',
      servers: [{ name: 's', address: `10.0.0.1:${name}`, weight: 1, spare: false, disabled: false, place }],
      place,
    })),
    settings: [],
    notUnderstood: [],
  };
}

/** Requests near the words above. */
export const request: fc.Arbitrary<meaning.Request> = fc
  .record({
    path: fc.oneof(
      fc.constantFrom('/', '/a', '/a/', '/b', '/a/b', '/ab', '/A', '/a.html', '/%61', '//a', '/./a', '/1'),
      fc.stringMatching(/^\/[ab/.%61A-]{0,6}$/),
    ),
    host: fc.constantFrom('a.example', 'A.example:80', 'b.example', 'www.a.example', 'a', 'example', null),
    query: fc.constantFrom(null, '', 'a=1', 'b=2&a=1', 'A=1', 'a', 'ab=/a', 'a=%61&a=b'),
    method: fc.constantFrom('GET', 'POST', 'A'),
    headers: fc.constantFrom<Record<string, string>>(
      {},
      { 'x-a': 'a' },
      { 'x-a': '1' },
      { 'x-b': 'b' },
      { cookie: 'a=1; ab=/a' },
      { cookie: 'b=2, a = b ' },
    ),
    sourceAddress: fc.constantFrom('127.0.0.1', '10.0.0.1', '10.1.2.3', '192.0.2.1', '2001:db8::1', '::1'),
  })
  .map((said) => meaning.requestOf(said));

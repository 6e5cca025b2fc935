/**
 * The tables that a comparison is made of, against the meaning that works a value out: every text of a small universe is asked of
 * both. Also expressions, which are followed in three ways that have to say the same.
 */
import fc from 'fast-check';
import { meaning } from '#routing';
import { asJavaScript } from '../../src/dialects/nginx/lift/regex.ts';
import {
  before,
  classifierOf,
  joinedBefore,
  LabelSets,
  labelOf,
  type Machine,
  machineOf,
  normalisedBefore,
  TooComplex,
} from '../../src/routing/meaning/automata/index.ts';
import { runnerOf } from '../../src/routing/meaning/automata/run.ts';
import { firstCases } from '../../src/routing/meaning/difference/classes.ts';
import { evaluate } from '../../src/routing/meaning/fate/evaluate.ts';
import { holds } from '../../src/routing/meaning/fate/holds.ts';
import { isUnknown, Worlds } from '../../src/routing/meaning/fate/world.ts';
import { derived, language } from '../../test/routing/meaning/generated.ts';
import { type Chance, chanceOf } from '../plan/chance.ts';
import { expression } from '../plan/expressions.ts';
import type { Judgement } from './judged.ts';
import { counted } from './work.ts';

export type Tabled =
  /** Whether a value, made of one field, is in a language. */
  | {
      readonly kind: 'table';
      readonly value: meaning.Value;
      readonly language: meaning.Language;
      readonly alphabet: string;
    }
  /** Which of many languages have a value. */
  | { readonly kind: 'classes'; readonly languages: readonly meaning.Language[]; readonly alphabet: string }
  /** What an expression takes. */
  | { readonly kind: 'expression'; readonly regex: meaning.Regex; readonly texts: readonly string[] };

const asked = meaning.header('x-a');

export function tabled(seed: number, count: number): readonly Tabled[] {
  const chance = chanceOf(seed + 77);
  const one = fc.sample(derived(fc.constant<meaning.Value>(asked)), { seed, numRuns: count });
  const two = fc.sample(derived(derived(fc.constant<meaning.Value>(asked))), {
    seed: seed + 1,
    numRuns: count,
  });
  const languages = fc.sample(language, { seed: seed + 2, numRuns: 8 * count });
  const pick = () => (chance.percent(25) ? matching(chance) : chance.pick(languages));
  return Array.from({ length: count }, (_, at): Tabled => {
    const kind = at % 10;
    if (kind === 0) return classes(chance, pick);
    if (kind === 1 || kind === 2) return expressions(chance);
    const values = [asked, one[at], two[at], taken(chance), normalised, numbered(chance)];
    const value = chance.pick(values.flatMap((each) => each ?? []));
    const of = chance.percent(12) ? number(chance) : pick();
    return { kind: 'table', value, language: of, alphabet: alphabetOf([value, of], chance) };
  });
}

const normalised: meaning.Value = { kind: 'field', field: { kind: 'normalisedPath' } };

/** What a group takes, and what a text becomes when a match is replaced. */
function taken(chance: Chance): meaning.Value {
  const made = expression(chance, ['a', 'b', '/']);
  const regex: meaning.Regex = { source: made.source, ignoreCase: chance.percent(15), syntax: 'pcre' };
  if (made.groups > 0 && chance.percent(50))
    return { kind: 'captured', of: asked, regex, group: chance.below(Math.min(made.groups, 3) + 1) };
  const groups = Array.from({ length: Math.min(made.groups, 2) }, (_, at) => ({ group: at + 1 }));
  const by = chance.pick([['b'], ['-', ...groups, '/'], groups, [{ group: 0 }, 'a'], []]);
  return { kind: 'replaced', of: asked, regex, every: chance.percent(15), by };
}

const numbered = (chance: Chance): meaning.Value =>
  chance.pick<meaning.Value>([
    {
      kind: 'part',
      of: asked,
      separators: chance.pick(['/', '/.', ',']),
      number: chance.pick([1, 2, 3, -1, -2, -3]),
    },
    { kind: 'slice', of: asked, from: chance.below(3), length: chance.pick([null, 0, 1, 2]) },
    { kind: 'joined', parts: [meaning.text('a'), asked, meaning.text('/b')] },
    { kind: 'joined', parts: [asked, meaning.text('b')] },
    { kind: 'encoded', of: asked, bytes: chance.pick(['path', 'query', 'redirect']) },
    { kind: 'decoded', of: asked, plusIsSpace: chance.percent(50) },
  ]);

function number(chance: Chance): meaning.Language {
  const some = () => chance.pick([null, 0, 1, 2, 9, 10, 12, 21, 99, 100, 110, -1, -2, -10, -12]);
  return { kind: 'number', min: some(), max: some() };
}

function matching(chance: Chance): meaning.Language {
  const { source } = expression(chance, ['a', 'b', '/']);
  return { kind: 'matches', regex: { source, ignoreCase: chance.percent(20), syntax: 'pcre' } };
}

function classes(chance: Chance, pick: () => meaning.Language): Tabled {
  const texts = ['a', 'b', 'ab', '/a', '/', 'ba', 'aA', '', 'aab', '/a/b', 'B'];
  const plain = (): meaning.Language => ({
    kind: chance.pick(['is', 'begins', 'ends', 'contains']),
    text: chance.pick(texts),
    ignoreCase: chance.percent(30),
  });
  const several = (): meaning.Language => ({ kind: 'union', of: [plain(), plain()] });
  const languages = Array.from({ length: 3 + chance.below(6) }, () =>
    chance.percent(70) ? plain() : chance.percent(50) ? several() : pick(),
  );
  return { kind: 'classes', languages, alphabet: alphabetOf(languages, chance) };
}

function expressions(chance: Chance): Tabled {
  const made = expression(chance, ['a', 'b', '/']);
  const around = chance.percent(40) ? chance.pick(['(?:@)+', '(@)*b', '(@|a)+$', '^(@/?)+']) : '@';
  const source =
    (chance.percent(4) ? '\\\xff|' : '') +
    around.replace('@', () => made.source.replaceAll(/^(?:\^|\\A)\/?|(?:\$|\\z|\\Z)$/g, ''));
  const texts = Array.from(
    { length: 40 },
    () => made.text(chance) + chance.pick(['', '', '', 'b', made.text(chance)]),
  );
  return {
    kind: 'expression',
    regex: { source, ignoreCase: chance.percent(20), syntax: chance.percent(10) ? 'posix' : 'pcre' },
    texts,
  };
}

/** A few letters that matter, so that all texts of them can be asked. */
function alphabetOf(parts: readonly unknown[], chance: Chance): string {
  const near = [...new Set(saidIn(parts).join(''))].filter((char) => !'\\^$()[]{}|*+?'.includes(char));
  const more = [
    'a',
    'A',
    '/',
    '%',
    '=',
    ' ',
    ';',
    ',',
    '1',
    '0',
    '-',
    '.',
    '&',
    'b',
    '+',
    '6',
    '\n',
    '\t',
    '4',
    'é',
  ];
  const all = new Set<string>();
  while (all.size < letters) all.add(chance.pick(near.length > 0 && chance.percent(80) ? near : more));
  return [...all].join('');
}

/** Names and texts, what separates them, and what expressions are written of. */
function saidIn(part: unknown): readonly string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([name, one]: [string, unknown]) => {
    if (name === 'kind' || name === 'syntax' || name === 'of') return saidIn(one);
    if (name === 'field') return [];
    if (one === 'query' || one === 'path' || one === 'redirect') return ['%?&'];
    const own = part as { readonly kind?: unknown };
    const signs = own.kind === 'cookie' ? ['=; '] : own.kind === 'parameter' ? ['=&'] : [];
    return [...signs, ...(typeof one === 'string' ? [one] : saidIn(one))];
  });
}

const letters = 5;
const lengthMax = 4;
const longTexts = 250;

/** All short ones, and some that are longer. */
function* textsOf(alphabet: string): Generator<string> {
  const chance = chanceOf(alphabet.length);
  for (let left = longTexts; left > 0; left -= 1)
    yield Array.from({ length: lengthMax + 1 + chance.below(5) }, () => chance.pick([...alphabet])).join('');
  let last = [''];
  yield '';
  for (let length = 1; length <= lengthMax; length += 1) {
    last = last.flatMap((text) => [...alphabet].map((char) => text + char));
    yield* last;
  }
}

export function tableJudged(question: Tabled): Judgement {
  try {
    return counted(tableWorkMax, (): Said => {
      switch (question.kind) {
        case 'table':
          return tableOf(question);
        case 'classes':
          return classesOf(question);
        case 'expression':
          return expressionOf(question);
      }
    });
  } catch (error) {
    if (error instanceof TooComplex) return { wrong: null, open: 1, work: 0 };
    throw error;
  }
}

type Said = Omit<Judgement, 'work'>;

const tableWorkMax = 3_000_000;

const worldOf = (text: string | null) => {
  const headers: Readonly<Record<string, string>> = text === null ? {} : { 'x-a': text };
  return new Worlds(meaning.requestOf({ headers, path: text ?? '/' }), {}).world();
};

function tableOf({ value, language: of, alphabet }: Extract<Tabled, { kind: 'table' }>): Said {
  const machine = tableOrNone(value, of);
  if (machine === null) return untabled(value, of, alphabet);
  let open = machine.labels.length / 1_000_000;
  for (const text of [null, ...textsOf(alphabet)]) {
    const world = worldOf(text);
    if (isUnknown(evaluate(value, world))) {
      open += 1 / 1_000;
      continue;
    }
    if (text === null && isNormalised(value)) continue;
    const label = labelOf(machine, text);
    // Left out of what is compared, and said so.
    if (label < 0) open += 1 / 1_000;
    else if ((label === 1) !== holds({ kind: 'in', value, language: of }, world))
      return { wrong: `a table says otherwise of ${JSON.stringify(text)}`, open };
  }
  return { wrong: null, open };
}

function tableOrNone(value: meaning.Value, of: meaning.Language): Machine | null {
  try {
    return pulled(value, machineOf(of));
  } catch (error) {
    if (error instanceof TooComplex) return null;
    throw error;
  }
}

/** What no table can be made of: how often even the meaning does not know it. */
function untabled(value: meaning.Value, of: meaning.Language, alphabet: string): Said {
  let open = 1;
  for (const text of [null, ...textsOf(alphabet).take(longTexts)]) {
    const world = worldOf(text);
    const told = evaluate(value, world);
    holds({ kind: 'in', value, language: of }, world);
    if (isUnknown(told)) open += 1 / 1_000;
  }
  return { wrong: null, open };
}

const isNormalised = (value: meaning.Value) =>
  value.kind === 'field' && value.field.kind === 'normalisedPath';

function pulled(value: meaning.Value, machine: Machine): Machine {
  if (value.kind === 'field') return isNormalised(value) ? normalisedBefore(machine) : machine;
  if (value.kind === 'joined') {
    const at = value.parts.findIndex(({ kind }) => kind !== 'text');
    const text = (parts: readonly meaning.Value[]) =>
      parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
    const inner = value.parts[at];
    if (!inner || value.parts.filter(({ kind }) => kind !== 'text').length > 1) throw new TooComplex();
    return pulled(
      inner,
      joinedBefore(machine, text(value.parts.slice(0, at)), text(value.parts.slice(at + 1))),
    );
  }
  if (!('of' in value) || value.kind === 'orElse') throw new TooComplex();
  if (value.kind === 'mapped' && value.otherwise.kind === 'field') throw new TooComplex();
  return pulled(value.of, before(value, machine, firstCases));
}

function classesOf({ languages, alphabet }: Extract<Tabled, { kind: 'classes' }>): Said {
  const sets = new LabelSets();
  const machine = classifierOf(
    languages.map((one, number) => ({ number, language: one })),
    sets,
  );
  if (machine === null) return { wrong: 'nothing tells languages apart', open: 0 };
  for (const text of textsOf(alphabet)) {
    const world = worldOf(text);
    const wanted = languages.flatMap((one, number) =>
      holds({ kind: 'in', value: asked, language: one }, world) ? [number] : [],
    );
    if (sets.of(labelOf(machine, text)).join() !== wanted.join())
      return { wrong: `other languages are said to have ${JSON.stringify(text)}`, open: 0 };
  }
  return { wrong: null, open: machine.labels.length / 1_000_000 };
}

/** As JavaScript takes it, which tries one way after the other, too. */
function expressionOf({ regex, texts }: Extract<Tabled, { kind: 'expression' }>): Said {
  const script = meaning.scriptOf(regex);
  const runner = runnerOf(regex);
  if (script === null) return { wrong: null, open: 1 };
  const machine = machineOf({ kind: 'matches', regex });
  const other = asJavaScript(regex);
  let open = (runner === 'none' ? 1 : 0) + (other === null ? 1 / 100 : 0);
  for (const text of texts) {
    const found = script.regex.exec(text);
    if ((labelOf(machine, text) === 1) !== (found !== null))
      return { wrong: `a table takes otherwise of ${JSON.stringify(text)}`, open };
    if (other !== null && regex.syntax === 'pcre' && other.test(text) !== (found !== null))
      return { wrong: `it is read otherwise for ${JSON.stringify(text)}`, open };
    if (typeof runner === 'string') continue;
    const match = runner.match(text);
    if ((match === null) !== (found === null))
      return { wrong: `it is followed otherwise in ${JSON.stringify(text)}`, open };
    if (!runner.sure) open += 1 / 1_000;
    if (!runner.sure || match === null || found === null || regex.syntax === 'posix') continue;
    if (match.start !== found.index || text.slice(match.start, match.end) !== found[0])
      return { wrong: `it takes another part of ${JSON.stringify(text)}`, open };
    for (const [number, [from, to]] of match.groups)
      if (script.groupOf(number) !== null && text.slice(from, to) !== (found.groups?.[`g${number}`] ?? ''))
        return { wrong: `a group takes another part of ${JSON.stringify(text)}`, open };
  }
  return { wrong: null, open };
}

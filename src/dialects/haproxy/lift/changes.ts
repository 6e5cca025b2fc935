import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { sampleOf } from './converters.ts';
import { expressionOf } from './expression.ts';
import { chosenSample, variableOf, wellKnownMethods } from './fetches.ts';
import type { Flow } from './flow.ts';
import { formatOf } from './format.ts';
import { chosen, type Request, type Sample } from './request.ts';
import { asValue, isIn, no, pcre, textSample, unknownSample } from './scene.ts';
import { templateOf } from './template.ts';

type Value = meaning.Value;
type Condition = meaning.Condition;
const { absent, joined, text } = meaning;

interface Rule {
  readonly flow: Flow;
  readonly line: Line;
  /** From the action on. */
  readonly words: readonly Word[];
  readonly when: Condition;
}
interface Change {
  /** Words behind the action that are its own. */
  readonly words: number;
  readonly apply: (rule: Rule) => void;
}

const value = ({ words, line, flow }: Rule, at: number) => formatOf(words[at], line, flow.scene);
const name = ({ words }: Rule) => words[1]?.value ?? '';
const of = ({ flow }: Rule): Request => flow.scene.request;

/** Rules that change the request, and let it go on. */
export const changes: Readonly<Record<string, Change>> = {
  'set-header': { words: 2, apply: (rule) => of(rule).setHeader(name(rule), value(rule, 2), rule.when) },
  'add-header': { words: 2, apply: (rule) => of(rule).addHeader(name(rule), value(rule, 2), rule.when) },
  'replace-header': { words: 3, apply: (rule) => replaceHeader(rule, false) },
  'replace-value': { words: 3, apply: (rule) => replaceHeader(rule, true) },
  'set-method': { words: 1, apply: (rule) => setMethod(rule, value(rule, 1)) },
  'set-path': { words: 1, apply: (rule) => setPath(rule, value(rule, 1)) },
  'set-pathq': { words: 1, apply: (rule) => setUrl(rule, value(rule, 1)) },
  'set-query': { words: 1, apply: (rule) => setQuery(rule, value(rule, 1)) },
  'set-uri': { words: 1, apply: (rule) => setUri(rule, value(rule, 1)) },
  'replace-path': {
    words: 2,
    apply: (rule) => withMatch(rule, of(rule).foundPath, (now, when) => setPath({ ...rule, when }, now)),
  },
  'replace-pathq': {
    words: 2,
    apply: (rule) => withMatch(rule, of(rule).foundUrl, (now, when) => setUrl({ ...rule, when }, now)),
  },
  'replace-uri': {
    words: 2,
    apply: (rule) => withMatch(rule, of(rule).url, (now, when) => setUri({ ...rule, when }, now)),
  },
  'set-src': {
    words: 1,
    apply: (rule) => {
      of(rule).source = 'changed';
      of(rule).version += 1;
    },
  },
};

/** `del-header NAME [-m METHOD]`: where its condition starts, and which names go. */
export function removal(words: readonly Word[], line: Line, flow: Flow) {
  const [, given, flag, method] = words;
  const pattern = given?.value ?? '';
  const isMatched = flag?.value === '-m';
  const lower = pattern.toLowerCase();
  const names = (header: string): boolean => {
    switch (isMatched ? method?.value : 'str') {
      case 'beg':
        return header.startsWith(lower);
      case 'end':
        return header.endsWith(lower);
      case 'sub':
        return header.includes(lower);
      case 'reg':
        return script?.regex.test(header) ?? true;
      default:
        return header === lower;
    }
  };
  const { notes } = flow.scene;
  const isRegex = isMatched && method?.value === 'reg';
  const script = isRegex ? meaning.scriptOf(pcre(pattern)) : null;
  const why = 'headers named by such a regex are not followed';
  const instead: Value =
    isRegex && script === null
      ? { kind: 'unknown', ...notes.unknown(line, 'complex', notes.textOf(line), why) }
      : absent;
  return { names, instead, exact: isMatched ? null : lower, condition: isMatched ? 4 : 2 };
}

/** Regex in `words[1]`, format in `words[2]`: what takes the place of a part that it matches. */
function withMatch(rule: Rule, part: Value, apply: (now: Value, when: Condition) => void): void {
  const { now, when } = matched(rule, part, value(rule, 2));
  const nonEmpty = isIn(part, { kind: 'length', min: 1, max: null });
  apply(now, meaning.all([nonEmpty, when]));
}

function matched(rule: Rule, part: Value, by: Value): { readonly now: Value; readonly when: Condition } {
  const regex = pcre(rule.words[1]?.value ?? '');
  const matches = isIn(part, { kind: 'matches', regex });
  return { now: filledIn(by, part, regex), when: meaning.all([rule.when, matches]) };
}

/** `\1` in a format is what the regex took. What a request put there is taken as it is. */
function filledIn(by: Value, part: Value, regex: meaning.Regex): Value {
  const parts = by.kind === 'joined' ? by.parts : [by];
  return joined(
    parts.flatMap((one) => {
      if (one.kind !== 'text') return [one];
      return templateOf(one.text).map(
        (piece): Value =>
          typeof piece === 'string' ? text(piece) : { kind: 'captured', of: part, regex, group: piece.group },
      );
    }),
  );
}

/** The format is made once, of the header as it was; each line is then matched by itself. */
function replaceHeader(rule: Rule, everyPart: boolean): void {
  const { notes } = rule.flow.scene;
  const parts: Value = {
    kind: 'unknown',
    text: notes.textOf(rule.line),
    place: notes.place(rule.line),
    why: 'complex',
  };
  const moved = { ...rule, words: rule.words.slice(1) };
  const by = value(moved, 2);
  of(rule).changeLines(name(rule), (line) => {
    const { now, when } = matched(moved, line, by);
    if (!everyPart) return chosen(when, now, line);
    // Each part between commas by itself is not followed.
    const has = isIn(line, { kind: 'contains', text: ',', ignoreCase: false });
    return chosen(meaning.all([rule.when, has]), parts, chosen(when, now, line));
  });
}

/** Whether a value may have a `?`, which starts the query anew. */
function mayHaveQuery(one: Value): boolean {
  switch (one.kind) {
    case 'text':
      return one.text.includes('?');
    case 'absent':
      return false;
    case 'field':
      return one.field.kind !== 'path' && one.field.kind !== 'method' && one.field.kind !== 'scheme';
    case 'joined':
      return one.parts.some(mayHaveQuery);
    case 'lower':
    case 'upper':
    case 'slice':
    case 'captured':
    case 'part':
      return mayHaveQuery(one.of);
    case 'replaced':
      return mayHaveQuery(one.of) || one.by.some((part) => typeof part === 'string' && part.includes('?'));
    case 'chosen':
      return mayHaveQuery(one.then) || mayHaveQuery(one.otherwise);
    default:
      return true;
  }
}

const token: meaning.Language = { kind: 'matches', regex: pcre("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$") };

/** What is no method makes a line that no server reads the same. */
function setMethod(rule: Rule, now: Value): void {
  const { notes } = rule.flow.scene;
  const odd = { text: notes.textOf(rule.line), place: notes.place(rule.line), why: 'complex' } as const;
  const isSure = now.kind === 'text' || (now.kind === 'field' && now.field.kind === 'method');
  const method = isSure ? now : chosen(isIn(now, token), now, { kind: 'unknown', ...odd });
  of(rule).change('method', method, rule.when);
}

const question: meaning.Language = { kind: 'contains', text: '?', ignoreCase: false };

const beforeQuestion = (one: Value): Value => ({ kind: 'part', of: one, separators: '?', number: 1 });
const behindQuestion = (one: Value): Value => ({
  kind: 'captured',
  of: one,
  regex: pcre('^[^?]*\\?((?s:.*))$'),
  group: 1,
});

function setPath(rule: Rule, now: Value): void {
  const request = of(rule);
  if (!mayHaveQuery(now)) {
    request.change('path', now, rule.when);
    return;
  }
  const { query } = request;
  const none = isIn(query, { kind: 'absent' });
  const whole = none.kind === 'always' ? now : chosen(none, now, joined([now, text('?'), query]));
  setUrl(rule, whole);
}

function setUrl(rule: Rule, now: Value): void {
  const request = of(rule);
  if (now.kind === 'text') {
    const at = now.text.indexOf('?');
    request.change('path', at === -1 ? now : text(now.text.slice(0, at)), rule.when);
    request.change('query', at === -1 ? absent : text(now.text.slice(at + 1)), rule.when);
    return;
  }
  const has = isIn(now, question);
  request.change('path', chosen(has, beforeQuestion(now), now), rule.when);
  request.change('query', chosen(has, behindQuestion(now), absent), rule.when);
}

/** Only the part behind the mark changes: without one, it stays without one. */
function setQuery(rule: Rule, now: Value): void {
  const request = of(rule);
  const empty = isIn(now, { kind: 'is', text: '', ignoreCase: false });
  const none = meaning.all([
    isIn(request.query, { kind: 'absent' }),
    now.kind === 'text' ? (now.text === '' ? meaning.always : no) : empty,
  ]);
  request.change('query', chosen(none, absent, now), rule.when);
}

function setUri(rule: Rule, now: Value): void {
  const [first] = now.kind === 'joined' ? now.parts : [now];
  if (first?.kind === 'field' && (first.field.kind === 'path' || first.field.kind === 'normalisedPath')) {
    setUrl(rule, now);
    return;
  }
  if (first?.kind === 'text' && first.text.startsWith('/')) {
    setUrl(rule, now);
    return;
  }
  const [whole = '', authority = ''] =
    first?.kind === 'text' ? (/^[a-z]+:\/\/([^/?]+)/i.exec(first.text) ?? []) : [];
  const { notes } = rule.flow.scene;
  const rest = first?.kind === 'text' ? first.text.slice(whole.length) : '';
  if (authority !== '' && now.kind === 'text' && rest.startsWith('/')) {
    // A Host header that is not there is not made.
    const named = isIn(of(rule).host, { kind: 'present' });
    of(rule).change('host', text(authority), meaning.all([rule.when, named]));
    setUrl(rule, text(rest));
    return;
  }
  const unknown: Value = {
    kind: 'unknown',
    ...notes.unknown(
      rule.line,
      'complex',
      notes.textOf(rule.line),
      'a whole address that is put together is not followed',
    ),
  };
  for (const part of ['path', 'query', 'host'] as const) of(rule).change(part, unknown, rule.when);
}

/** `set-var(txn.x) EXPRESSION`, `set-var-fmt(txn.x) FORMAT`, `unset-var(txn.x)`. */
export function setVariable(action: string, rule: Rule): boolean {
  const [, kind, given] = /^(set-var|set-var-fmt|unset-var)\(([^)]*)\)$/.exec(action) ?? [];
  if (kind === undefined || given === undefined) return false;
  const variable = given.split(',')[0]?.trim() ?? '';
  const { scene } = rule.flow;
  const request = of(rule);
  const nothing: Sample = { kind: 'value', type: 'any', value: absent };
  const before = variableOf(variable, { ...scene, line: rule.line, said: `var(${variable})` });
  let now: Sample = nothing;
  if (kind === 'set-var-fmt') now = textSample(formatOf(rule.words[1], rule.line, scene, 'text'));
  if (kind === 'set-var') {
    const source = rule.words[1]?.value ?? '';
    const expression = expressionOf(source);
    now =
      expression === null
        ? unknownSample(scene, rule.line, 'not understood', source, `"${source}" is no sample`)
        : stored(sampleOf(expression, scene, rule.line), rule);
  }
  // A sample that gives nothing leaves the variable as it was.
  const gives = kind === 'unset-var' ? rule.when : meaning.all([rule.when, givenBy(now)]);
  const odd = { text: `var(${variable})`, place: scene.notes.place(rule.line), why: 'complex' } as const;
  request.setVariable(variable, chosenSample(gives, now, before, { kind: 'unknown', ...odd }));
  return true;
}

/** What is kept is one value, not a header's parts; of methods, those that HAProxy knows by a number. */
function stored(sample: Sample, { flow, line }: Rule): Sample {
  if (sample.kind !== 'value') return sample;
  const value = asValue(sample);
  if (sample.type !== 'method') return { kind: 'value', type: sample.type, value };
  const { notes } = flow.scene;
  const odd = { text: notes.textOf(line), place: notes.place(line), why: 'complex' } as const;
  const known = wellKnownMethods.map((word) => ({ kind: 'is', text: word, ignoreCase: false }) as const);
  const isKnown = isIn(meaning.field('method'), { kind: 'union', of: known });
  return { kind: 'value', type: 'text', value: chosen(isKnown, value, { kind: 'unknown', ...odd }) };
}

function givenBy(sample: Sample): Condition {
  if (sample.kind !== 'value') return meaning.always;
  return isIn(asValue(sample), { kind: 'present' });
}

/** A path without `..` and doubled slashes stays as it is, and of others nothing is said. */
function withoutDots(path: Value, said: meaning.Unknown): Value {
  const has = isIn(path, { kind: 'matches', regex: pcre('/\\.\\.(?:/|$)|//') });
  return chosen(has, { kind: 'unknown', ...said }, path);
}

/** `normalize-uri NAME`: which words are its own, and the path or query that it makes. Null: not followed. */
export function normalised(words: readonly Word[], request: Request, said: meaning.Unknown) {
  const [, kind, option] = words.map((word) => word.value);
  const one = (regex: string, by: readonly meaning.TemplatePart[]): Value => ({
    kind: 'replaced',
    of: request.path,
    regex: pcre(regex),
    every: true,
    by,
  });
  switch (kind) {
    case 'path-merge-slashes':
      return { words: 1, part: 'path' as const, value: one('/+', ['/']) };
    case 'path-strip-dot':
      return { words: 1, part: 'path' as const, value: one('(?<=/)\\.(?:/|$)', []) };
    case 'path-strip-dotdot':
      return {
        words: option === 'full' ? 2 : 1,
        part: 'path' as const,
        value: withoutDots(request.path, said),
      };
    case 'fragment-strip':
      return { words: 1, part: null, value: null };
    default:
      return { words: option === 'full' || option === 'strict' ? 2 : 1, part: 'path' as const, value: null };
  }
}

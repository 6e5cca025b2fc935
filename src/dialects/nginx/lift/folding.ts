import {
  all,
  always,
  type Condition,
  joined,
  type Language,
  never,
  not,
  type Regex,
  some,
  text,
  type Value,
} from './meaning.ts';
import { asJavaScript } from './regex.ts';

export const empty: Value = text('');
export const isEmptyWord: Language = {
  kind: 'union',
  of: [{ kind: 'is', text: '', ignoreCase: false }, { kind: 'absent' }],
};
export const notEmptyWord: Language = { kind: 'length', min: 1, max: null };

export const is = (value: string): Language =>
  value === '' ? isEmptyWord : { kind: 'is', text: value, ignoreCase: false };
export const begins = (value: string): Language => ({ kind: 'begins', text: value, ignoreCase: false });
export const contains = (value: string): Language => ({ kind: 'contains', text: value, ignoreCase: false });

/** NGINX knows nothing that is absent: it is empty there. */
export function matches(regex: Regex): Language {
  const language: Language = { kind: 'matches', regex };
  return asJavaScript(regex)?.test('') === false
    ? language
    : { kind: 'union', of: [language, ...absentToo(regex)] };
}

function absentToo(regex: Regex): readonly Language[] {
  return asJavaScript(regex)?.test('') ? [{ kind: 'absent' }] : [];
}

export const notEmpty = (value: Value): Condition => holds(value, notEmptyWord);

/** Whether the value is in the language: decided now where the text alone decides. */
export function holds(value: Value, language: Language): Condition {
  if (value.kind === 'text' || value.kind === 'absent') {
    const known = decides(language, value.kind === 'text' ? value.text : null);
    if (known !== null) return known ? always : never;
  }
  if (value.kind === 'chosen')
    return either(value.when, holds(value.then, language), holds(value.otherwise, language));
  if (value.kind === 'orElse') {
    const there = notEmpty(value.of);
    return either(there, holds(value.of, language), holds(value.otherwise, language));
  }
  if (value.kind === 'unknown' && value.why !== 'complex') {
    const { why, place } = value;
    return { kind: 'unknown', why, place, text: `${value.text} ${shownLanguage(language)}` };
  }
  if (value.kind === 'joined' && excluded(value.parts, language)) return never;
  if (value.kind === 'joined' && included(value.parts, language)) return always;
  const [only] = value.kind === 'joined' && value.parts.length === 1 ? value.parts : [];
  return { kind: 'in', value: only && !mentionsAbsence(language) ? only : value, language };
}

function mentionsAbsence(language: Language): boolean {
  return (
    !['is', 'begins', 'ends', 'contains', 'matches', 'length'].includes(language.kind) ||
    decides(language, '') !== false
  );
}

/** The first condition chooses between the two others. */
export function either(when: Condition, then: Condition, otherwise: Condition): Condition {
  if (when.kind === 'always') return then;
  if (when.kind === 'never') return otherwise;
  if (then.kind === 'always' && otherwise.kind === 'never') return when;
  if (then.kind === 'never' && otherwise.kind === 'always') return not(when);
  if (then === otherwise) return then;
  return some([all([when, then]), all([not(when), otherwise])]);
}

export function chosen(when: Condition, then: Value, otherwise: Value): Value {
  if (when.kind === 'always') return then;
  if (when.kind === 'never') return otherwise;
  return { kind: 'chosen', when, then, otherwise };
}

function decides(language: Language, word: string | null): boolean | null {
  switch (language.kind) {
    case 'absent':
      return word === null;
    case 'present':
      return word !== null;
    case 'union':
    case 'intersection': {
      const parts = language.of.map((one) => decides(one, word));
      const decisive = language.kind === 'union';
      if (parts.includes(decisive)) return decisive;
      return parts.includes(null) ? null : !decisive;
    }
    case 'complement': {
      const inner = decides(language.of, word);
      return inner === null ? null : !inner;
    }
    case 'matches':
      return word === null ? false : (asJavaScript(language.regex)?.test(word) ?? null);
    case 'length':
      return word !== null && word.length >= language.min && word.length <= (language.max ?? Infinity);
    case 'is':
    case 'begins':
    case 'ends':
    case 'contains':
      return word === null ? false : decidesText(language, word);
    default:
      return word === null ? false : null;
  }
}

function decidesText(
  language: Extract<Language, { text: string; kind: 'is' | 'begins' | 'ends' | 'contains' }>,
  word: string,
): boolean {
  const fold = (one: string) => (language.ignoreCase ? one.toLowerCase() : one);
  const [value, wanted] = [fold(word), fold(language.text)];
  if (language.kind === 'is') return value === wanted;
  if (language.kind === 'begins') return value.startsWith(wanted);
  return language.kind === 'ends' ? value.endsWith(wanted) : value.includes(wanted);
}

const headOf = (parts: readonly Value[]) => (parts[0]?.kind === 'text' ? parts[0].text : '');
function tailOf(parts: readonly Value[]): string {
  const last = parts.at(-1);
  return last?.kind === 'text' ? last.text : '';
}

/** No value with this head and tail is in the language. */
function excluded(parts: readonly Value[], language: Language): boolean {
  const [head, tail] = [headOf(parts), tailOf(parts)];
  if (language.kind === 'union') return language.of.every((one) => excluded(parts, one));
  if (language.kind === 'absent') return head !== '' || tail !== '';
  if (language.kind === 'matches') return excludedRegex(head, tail, language.regex);
  if (language.kind !== 'is' && language.kind !== 'begins' && language.kind !== 'ends') return false;
  if (language.ignoreCase) return false;
  const wanted = language.text;
  const shortHead = Math.min(head.length, wanted.length);
  const shortTail = Math.min(tail.length, wanted.length);
  const headDiffers = head.slice(0, shortHead) !== wanted.slice(0, shortHead);
  const tailDiffers = tail.slice(tail.length - shortTail) !== wanted.slice(wanted.length - shortTail);
  if (language.kind === 'begins') return headDiffers;
  if (language.kind === 'ends') return tailDiffers;
  const literal = parts.reduce((sum, part) => sum + (part.kind === 'text' ? part.text.length : 0), 0);
  return headDiffers || tailDiffers || literal > wanted.length;
}

function excludedRegex(head: string, tail: string, regex: Regex): boolean {
  if (regex.ignoreCase) return false;
  const heads = literalHeads(regex.source);
  const fits = (wanted: string) => {
    const length = Math.min(head.length, wanted.length);
    return head.slice(0, length) === wanted.slice(0, length);
  };
  if (head !== '' && heads.length > 0 && !heads.some(fits)) return true;
  return tail !== '' && missesTail(regex, tail);
}

/** What a text begins with if the expression matches it, one for each way; none: it cannot be told. */
function literalHeads(source: string): readonly string[] {
  if (!source.startsWith('^') || source.replace(/\\.|\([^()]*\)/g, '').includes('|')) return [];
  const [, group, behind = ''] = /^\^\((?:\?:)?([^()?][^()]*)\)([*?{]?)/.exec(source) ?? [];
  if (group === undefined) return [literalHead(source.slice(1))];
  return behind === '' ? group.split('|').map(literalHead) : [];
}

function literalHead(source: string): string {
  const [literal = ''] = /^(?:(?:[A-Za-z0-9/_~-]|\\[./-])(?![*+?{]))*/.exec(source) ?? [];
  return literal.replaceAll('\\', '');
}

function missesTail(regex: Regex, tail: string): boolean {
  const [, ending] = /^[^[\]{}()|^$\\*+?]*\\\.(?:\(?(?:\?:)?([a-z0-9|]+)\)?)\$$/i.exec(regex.source) ?? [];
  const dot = tail.lastIndexOf('.');
  return ending !== undefined && dot >= 0 && !ending.split('|').includes(tail.slice(dot + 1));
}

function included(parts: readonly Value[], language: Language): boolean {
  if (language.kind === 'begins' && !language.ignoreCase) return headOf(parts).startsWith(language.text);
  if (language.kind === 'length')
    return language.max === null && Math.max(headOf(parts).length, tailOf(parts).length) >= language.min;
  return false;
}

function shownLanguage(language: Language): string {
  switch (language.kind) {
    case 'is':
      return `is "${language.text}"`;
    case 'matches':
      return `~${language.regex.ignoreCase ? '*' : ''} ${language.regex.source}`;
    case 'begins':
    case 'ends':
    case 'contains':
      return `${language.kind} "${language.text}"`;
    case 'union':
    case 'intersection':
      return `${language.kind} (${language.of.map(shownLanguage).join(', ')})`;
    case 'complement':
      return `not (${shownLanguage(language.of)})`;
    case 'length':
      return `of ${language.min} to ${language.max ?? 'any'} bytes`;
    default:
      return language.kind;
  }
}

export function captured(of: Value, regex: Regex, group: number | string): Value {
  if (of.kind !== 'text') return { kind: 'captured', of, regex, group };
  const script = asJavaScript(regex);
  if (!script) return { kind: 'captured', of, regex, group };
  const match = script.exec(of.text);
  const took = typeof group === 'number' ? match?.[group] : match?.groups?.[group];
  return text(took ?? '');
}

/** Without so many bytes in front. */
export function rest(of: Value, from: number): Value {
  if (from === 0) return of;
  if (of.kind === 'text') return text(of.text.slice(from));
  if (of.kind === 'joined' && headOf(of.parts).length >= from)
    return joined([text(headOf(of.parts).slice(from)), ...of.parts.slice(1)]);
  return { kind: 'slice', of, from, length: null };
}

const escaped = { path: /[\0-\x20"#%<>?\\^`{|}\x7f-\xff]/g, query: /[\0-\x20"#%&+;<>?\\^`{|}\x7f-\xff]/g };

export function encoded(of: Value, bytes: 'path' | 'query'): Value {
  if (of.kind === 'joined') return joined(of.parts.map((part) => encoded(part, bytes)));
  if (of.kind !== 'text') return { kind: 'encoded', of, bytes };
  const hex = (char: string) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  return text(of.text.replace(escaped[bytes], hex));
}

/** A URI that NGINX goes to itself: what is behind `?` are its arguments. */
export function dividedArgs(value: Value): readonly [Value, Value] {
  const parts = value.kind === 'joined' ? value.parts : [value];
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'text' && part.text.includes('?')) {
      const at = part.text.indexOf('?');
      const path = joined([...parts.slice(0, index), text(part.text.slice(0, at))]);
      return [path, joined([text(part.text.slice(at + 1)), ...parts.slice(index + 1)])];
    }
    const mark = part.kind === 'chosen' ? behindMark(part.then) : null;
    if (part.kind !== 'chosen' || !mark) continue;
    const [before, behind] = [parts.slice(0, index), parts.slice(index + 1)];
    // `$is_args$args`: without the mark there is nothing behind it either.
    if (part.otherwise.kind === 'text' && part.otherwise.text === '')
      return [joined(before), joined([chosen(part.when, mark, empty), ...behind])];
    const [path, args] = dividedArgs(joined([...before, part.otherwise, ...behind]));
    return [chosen(part.when, joined(before), path), chosen(part.when, joined([mark, ...behind]), args)];
  }
  return [value, empty];
}

/** What follows the question mark that it begins with; null: it begins with none. */
function behindMark(value: Value): Value | null {
  const [first, ...others] = value.kind === 'joined' ? value.parts : [value];
  return first?.kind === 'text' && first.text.startsWith('?')
    ? joined([text(first.text.slice(1)), ...others])
    : null;
}

/** In the path of a URI that NGINX goes to itself there may be a question mark that only the request shows. */
export const hasHiddenMark = (path: Value): Condition =>
  path.kind === 'text' ? never : holds(path, contains('?'));

import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { sampleOf } from './converters.ts';
import { expressionOf, textOfExpression } from './expression.ts';
import { setIt } from './fetches.ts';
import { isFromText } from './match.ts';
import { asValue, isIn, pcre, type Scene } from './scene.ts';
import { bytes } from './source.ts';

type Value = meaning.Value;
const { field, joined, text } = meaning;

/** Variables of a log format that a request gives. */
const letters: Readonly<Record<string, Value>> = {
  ci: field('sourceAddress'),
  cp: field('sourcePort'),
  fi: field('localAddress'),
  fp: field('localPort'),
  HM: field('method'),
  HP: field('path'),
};

function named(letter: string, { names }: Scene): Value | undefined {
  if (letter === 'f') return text(bytes(names.front));
  return letter === 'b' ? text(bytes(names.back)) : undefined;
}

/** What a log would write otherwise, `"` as `#22`, is not followed. */
const logged: meaning.Language = { kind: 'matches', regex: pcre('^[!$-~]*$') };

/**
 * A log format (`set-header`, `redirect`, `set-path`): what it makes of a request.
 *
 * @param quotes `%{+Q}[...]` is put between quotes, which is so in `set-var-fmt` alone.
 */
export function formatOf(word: Word | undefined, line: Line, scene: Scene, quotes = false): Value {
  const source = word?.value ?? '';
  const [unset] = word?.unknown ?? [];
  if (unset !== undefined)
    return { kind: 'unknown', ...scene.notes.unknown(line, 'not understood', source, setIt(unset)) };
  if (!source.includes('%')) return text(bytes(source));
  const parts: Value[] = [];
  let literal = '';
  for (let at = 0; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (char !== '%') literal += char;
    else if (source[at + 1] === '%') {
      literal += '%';
      at += 1;
    } else {
      parts.push(text(bytes(literal)));
      literal = '';
      const found = variableAt(source, at + 1, line, scene, quotes);
      if (found === null) {
        const why = `"${source.slice(at, at + 20)}" in a format is not understood`;
        return { kind: 'unknown', ...scene.notes.unknown(line, 'not understood', source, why) };
      }
      parts.push(found.value);
      at = found.end - 1;
    }
  }
  return joined([...parts, text(bytes(literal))]);
}

function variableAt(source: string, start: number, line: Line, scene: Scene, quotes: boolean) {
  const flags = /^\{[^}]*\}/.exec(source.slice(start))?.[0] ?? '';
  const at = start + flags.length;
  if (source[at] === '[') {
    const end = endOf(source, at + 1);
    const expression = expressionOf(source.slice(at + 1, end).trim());
    if (expression === null || end === source.length) return null;
    const sample = sampleOf(expression, scene, line);
    const isRead = sample.kind === 'value' && sample.type === 'number' && isFromText(sample.value);
    const value = isRead ? notWritten(textOfExpression(expression)) : asValue(sample);
    return {
      value: flags === '' ? value : flagged(flags, value, textOfExpression(expression)),
      end: end + 1,
    };
  }
  const name = /^[A-Za-z]+/.exec(source.slice(at))?.[0];
  if (name === undefined) return null;
  const known = Object.hasOwn(letters, name) ? letters[name] : named(name, scene);
  if (known !== undefined && flags === '') {
    const odd: Value = { kind: 'unknown', text: '%HP', place: scene.notes.place(line), why: 'complex' };
    const value = name === 'HP' ? meaning.chosen(isIn(known, logged), known, odd) : known;
    return { value, end: at + name.length };
  }
  const unknown = scene.notes.unknown(line, 'complex', `%${flags}${name}`, `%${name} is not followed`);
  return { value: { kind: 'unknown', ...unknown } as Value, end: at + name.length };

  /** A number that was read from a text is written as HAProxy has understood it. */
  function notWritten(said: string): Value {
    const why = 'a number that is read from a text is not followed here';
    return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, why) };
  }

  function flagged(said: string, value: Value, whole: string): Value {
    if (/^\{[+-]?Q?\}$/.test(said))
      return quotes && said === '{+Q}' ? joined([text('"'), value, text('"')]) : value;
    const why = `the flags ${said} of a format are not followed`;
    return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', `%${said}[${whole}]`, why) };
  }
}

/** The bracket that closes it: those inside parentheses and quotes belong to arguments. */
function endOf(source: string, start: number): number {
  let depth = 0;
  let quote = '';
  for (let at = start; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (char === '\\') at += 1;
    else if (quote !== '') quote = char === quote ? '' : quote;
    else if (depth > 0 && (char === '"' || char === "'")) quote = char;
    else if (char === '(') depth += 1;
    else if (char === ')') depth -= 1;
    else if (char === ']' && depth <= 0) return at;
  }
  return source.length;
}

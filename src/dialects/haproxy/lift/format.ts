import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { Word } from '../own/words.ts';
import { sampleOf } from './converters.ts';
import { expressionOf, textOfExpression } from './expression.ts';
import { asItCame, asWritten, setIt } from './fetches.ts';
import { asValue, isIn, isReadNumber, pcre, type Scene } from './scene.ts';
import { bytes } from './source.ts';

type Value = meaning.Value;
const { field, joined, text } = meaning;

/** Variables of a log format that a request gives. */
const letters: Readonly<Record<string, Value>> = {
  ci: field('sourceAddress'),
  cp: field('sourcePort'),
  fi: field('localAddress'),
  fp: field('localPort'),
};

/** Variables that are read from the request line as it came. */
const ofLine: Readonly<Record<string, (scene: Scene) => Value>> = {
  HM: () => field('method'),
  HP: () => asWritten(field('path')),
  HPO: () => field('path'),
  HQ: () => {
    const none = isIn(field('query'), { kind: 'absent' });
    return meaning.chosen(none, text(''), joined([text('?'), field('query')]));
  },
  HU: ({ request }) => asWritten(asItCame(request)),
  HV: () => joined([text('HTTP/'), field('version')]),
  r: ({ request }) =>
    joined([field('method'), text(' '), asWritten(asItCame(request)), text(' HTTP/'), field('version')]),
};

/** Null: it is no variable that a request gives. */
function named(letter: string, line: Line, scene: Scene): Value | null {
  const { names, notes, keepsLine } = scene;
  if (Object.hasOwn(letters, letter)) return letters[letter] ?? null;
  if (letter === 'f') return text(bytes(names.front));
  if (letter === 'b') return text(bytes(names.back));
  const value = Object.hasOwn(ofLine, letter) ? ofLine[letter]?.(scene) : undefined;
  if (value === undefined || keepsLine === null) return null;
  if (!keepsLine) return text('<BADREQ>');
  const odd: Value = { kind: 'unknown', text: `%${letter}`, place: notes.place(line), why: 'complex' };
  return meaning.chosen(isIn(value, logged), value, odd);
}

/** What a log would write otherwise, `"` as `#22`, is not followed. */
const logged: meaning.Language = { kind: 'matches', regex: pcre('^[ !$-~]*$') };

/** What is put into a message has its control characters escaped, and no quotes around it. */
type Use = 'message' | 'text';

/** A log format (`set-header`, `redirect`, `set-path`): what it makes of a request. */
export function formatOf(word: Word | undefined, line: Line, scene: Scene, use: Use = 'message'): Value {
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
      const found = variableAt(source, at + 1, line, scene, use);
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

function variableAt(source: string, start: number, line: Line, scene: Scene, use: Use) {
  const flags = /^\{[^}]*\}/.exec(source.slice(start))?.[0] ?? '';
  const at = start + flags.length;
  if (source[at] === '[') {
    const end = endOf(source, at + 1);
    const expression = expressionOf(source.slice(at + 1, end).trim());
    if (expression === null || end === source.length) return null;
    const sample = sampleOf(expression, scene, line);
    const whole = textOfExpression(expression);
    const value = isReadNumber(sample) ? notWritten(whole) : escaped(asValue(sample), whole);
    return {
      value: flags === '' ? value : flagged(flags, value, whole),
      end: end + 1,
    };
  }
  const name = /^[A-Za-z]+/.exec(source.slice(at))?.[0];
  if (name === undefined) return null;
  const known = named(name, line, scene);
  if (known !== null && flags === '') return { value: known, end: at + name.length };
  const unknown = scene.notes.unknown(line, 'complex', `%${flags}${name}`, `%${name} is not followed`);
  return { value: { kind: 'unknown', ...unknown } as Value, end: at + name.length };

  /** A number that was read from a text is written as HAProxy has understood it. */
  function notWritten(said: string): Value {
    const why = 'a number that is read from a text is not followed here';
    return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', said, why) };
  }

  function escaped(value: Value, said: string): Value {
    if (use === 'text' || !isDecoded(value)) return value;
    const odd: Value = { kind: 'unknown', text: said, place: scene.notes.place(line), why: 'complex' };
    return meaning.chosen(isIn(value, controls), odd, value);
  }

  function flagged(said: string, value: Value, whole: string): Value {
    const isQuoted = said === '{+Q}' && use === 'text';
    if (/^\{[+-]?Q?\}$/.test(said)) return isQuoted ? joined([text('"'), value, text('"')]) : value;
    const why = `the flags ${said} of a format are not followed`;
    return { kind: 'unknown', ...scene.notes.unknown(line, 'complex', `%${said}[${whole}]`, why) };
  }
}

const controls: meaning.Language = { kind: 'matches', regex: pcre('[\\x00-\\x08\\x0a-\\x1f\\x7f]') };

/** Whether it may have bytes that no client can send as they are. */
function isDecoded(value: Value): boolean {
  switch (value.kind) {
    case 'decoded':
      return true;
    case 'joined':
      return value.parts.some(isDecoded);
    case 'chosen':
      return isDecoded(value.then) || isDecoded(value.otherwise);
    default:
      return 'of' in value && isDecoded(value.of);
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

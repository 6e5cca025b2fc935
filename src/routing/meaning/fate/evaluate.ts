import { type Match, type Runner, runnerOf } from '../automata/run.ts';
import type { Unknown } from '../condition.ts';
import type { Regex } from '../language.ts';
import { scriptOf } from '../regex/index.ts';
import { sizeOf } from '../size.ts';
import type { EncodedBytes, Field, TemplatePart, Value } from '../value.ts';
import { holds, isInTold } from './holds.ts';
import { normalisedPath } from './normalise.ts';
import { isUnknown, type Told, type World } from './world.ts';

/** What a value is for a request: the one definition. */
export function evaluate(value: Value, world: World): Told {
  if (value.kind === 'field') return fieldOf(value.field, world);
  if (value.kind === 'text') return value.text;
  if (sizeOf(value) < rememberedMin) return evaluated(value, world);
  const known = world.told.get(value);
  if (known !== undefined) return known;
  const told = evaluated(value, world);
  world.told.set(value, told);
  return told;
}

const rememberedMin = 50;

function evaluated(value: Value, world: World): Told {
  switch (value.kind) {
    case 'text':
      return value.text;
    case 'absent':
      return null;
    case 'field':
      return fieldOf(value.field, world);
    case 'joined':
      return joinedOf(value.parts, world);
    case 'chosen':
      return evaluate(holds(value.when, world) ? value.then : value.otherwise, world);
    case 'mapped': {
      const told = evaluate(value.of, world);
      const found = value.cases.find(({ language }) => isInTold(told, language, value.of, world));
      return found ? found.text : evaluate(value.otherwise, world);
    }
    case 'orElse': {
      const told = evaluate(value.of, world);
      return told === null || told === '' ? evaluate(value.otherwise, world) : told;
    }
    case 'unknown': {
      const told = world.oracle.value?.(value);
      return told === undefined ? value : told;
    }
    default: {
      const told = evaluate(value.of, world);
      return typeof told === 'string' ? changed(value, told) : told;
    }
  }
}

type Changed = Extract<Value, { readonly of: Value }>;

/** Of what is there; what is absent or unknown stays so. */
function changed(value: Exclude<Changed, { kind: 'orElse' | 'mapped' }>, told: string): Told {
  switch (value.kind) {
    case 'lower':
      return lowerCase(told);
    case 'upper':
      return told.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    case 'replaced':
      return replaced(value, told);
    case 'captured':
      return captured(value, told);
    case 'part':
      return partOf(told, value.separators, value.number);
    case 'slice':
      return value.length === null
        ? told.slice(value.from)
        : told.slice(value.from, value.from + value.length);
    case 'parameter':
      return parameterOf(told, value.name, value.ignoreCase);
    case 'cookie':
      return cookieOf(told, value.name);
    case 'decoded':
      return value.redirect ? undone(told) : decoded(told, value.plusIsSpace);
    case 'encoded':
      return encoded(told, value.bytes);
  }
}

/** ASCII letters only, as the engines do. */
export function lowerCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

function fieldOf(field: Field, { request }: World): string | null {
  switch (field.kind) {
    case 'normalisedPath':
      return normalisedPath(request.path);
    case 'localAddress':
      return request.address;
    case 'localPort':
      return request.port === null ? null : `${request.port}`;
    case 'sourcePort':
      return `${request.sourcePort}`;
    case 'header':
      return request.headers[field.name] ?? null;
    default:
      return request[field.kind];
  }
}

function joinedOf(parts: readonly Value[], world: World): Told {
  let text = '';
  for (const part of parts) {
    const told = evaluate(part, world);
    if (isUnknown(told)) return told;
    text += told ?? '';
  }
  return text;
}

/** A place is not known of an expression: whoever tells it knows the step. */
export function tooComplex(regex: Regex): Unknown {
  return { text: `/${regex.source}/`, why: 'complex', place: { file: '', line: 0, column: 0 } };
}

function captured({ regex, group }: Value & { kind: 'captured' }, told: string): Told {
  const script = scriptOf(regex);
  const number = script?.groupOf(group) ?? null;
  const runner = runnerOf(regex);
  if (script === null || number === null || isUnsure(runner)) return tooComplex(regex);
  if (runner !== 'plain') {
    const match = runner.match(told);
    return match && takenBy(match, number, told);
  }
  const found = script.regex.exec(told);
  if (found === null) return null;
  return (number === 0 ? found[0] : found.groups?.[`g${number}`]) ?? '';
}

function replaced({ regex, every, by }: Value & { kind: 'replaced' }, told: string): Told {
  const script = scriptOf(regex);
  const groups = by.flatMap((part) => (typeof part === 'string' ? [] : [part.group]));
  const runner = runnerOf(regex);
  if (script === null || isUnsure(runner) || groups.some((group) => script.groupOf(group) === null))
    return tooComplex(regex);
  if (runner !== 'plain')
    return told.length > replacedLengthMax
      ? tooComplex(regex)
      : replacedIn(told, matchesOf(runner, told, every), ({ group }) => script.groupOf(group) ?? 0, by);
  const flagged = every ? new RegExp(script.regex.source, 'g') : script.regex;
  return told.replace(flagged, (...found: readonly unknown[]) => {
    const [whole] = found;
    const named = found.at(-1);
    return by.map((part) => filled(part, whole, named, (group) => script.groupOf(group))).join('');
  });
}

/** What an expression takes is not known of it. */
const isUnsure = (runner: Runner | 'plain' | 'none'): runner is 'none' =>
  runner === 'none' || (runner !== 'plain' && !runner.sure);

/** Each match is looked for in all that is left of a text. */
const replacedLengthMax = 16_384;

function takenBy({ start, end, groups }: Match, group: number, told: string): string {
  const [from, to] = group === 0 ? [start, end] : (groups.get(group) ?? [0, 0]);
  return told.slice(from, to);
}

function matchesOf(runner: Runner, told: string, every: boolean): readonly Match[] {
  const found: Match[] = [];
  for (let from = 0; from <= told.length; ) {
    const match = runner.match(told, from);
    if (match === null) break;
    found.push(match);
    if (!every) break;
    from = match.end > match.start ? match.end : match.end + 1;
  }
  return found;
}

function replacedIn(
  told: string,
  matches: readonly Match[],
  groupOf: (part: Exclude<TemplatePart, string>) => number,
  by: readonly TemplatePart[],
): string {
  let text = '';
  let behind = 0;
  for (const match of matches) {
    const taken = by.map((part) => (typeof part === 'string' ? part : takenBy(match, groupOf(part), told)));
    text += told.slice(behind, match.start) + taken.join('');
    behind = match.end;
  }
  return text + told.slice(behind);
}

function filled(
  part: TemplatePart,
  whole: unknown,
  named: unknown,
  groupOf: (group: number | string) => number | null,
): string {
  if (typeof part === 'string') return part;
  const number = groupOf(part.group);
  if (number === 0) return String(whole);
  const groups =
    typeof named === 'object' && named !== null ? (named as Record<string, string | undefined>) : {};
  return groups[`g${number}`] ?? '';
}

function partOf(told: string, separators: string, number: number): string | null {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at <= told.length; at += 1) {
    if (at < told.length && !separators.includes(told[at] ?? '')) continue;
    parts.push(told.slice(from, at));
    from = at + 1;
  }
  return parts.at(number < 0 ? number : number - 1) ?? null;
}

/** Parts between `&`; one without `=` has the empty value. */
function parameterOf(query: string, name: string, ignoreCase: boolean): string | null {
  const plain = (key: string) => (ignoreCase ? lowerCase(key) : key);
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    const key = equals < 0 ? part : part.slice(0, equals);
    if (plain(key) === plain(name)) return equals < 0 ? '' : part.slice(equals + 1);
  }
  return null;
}

/** Pairs between `;` and `,`, spaces around them left out; one without `=` is none. Case counts. */
function cookieOf(header: string, name: string): string | null {
  for (const part of header.split(/[;,]/)) {
    const equals = part.indexOf('=');
    if (equals >= 0 && trimmed(part.slice(0, equals)) === name) return trimmed(part.slice(equals + 1));
  }
  return null;
}

/** Without spaces and tabs around it. */
export function trimmed(text: string): string {
  return /^[ \t]|[ \t]$/.test(text) ? text.replace(/^[ \t]+|[ \t]+$/g, '') : text;
}

/** A wrong `%` stays. */
function decoded(told: string, plusIsSpace: boolean): string {
  return (plusIsSpace ? told.replaceAll('+', ' ') : told).replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** `ngx_unescape_uri` with NGX_UNESCAPE_REDIRECT: a wrong `%` is lost, with the digit behind it. */
function undone(told: string): string {
  let text = '';
  for (let at = 0; at < told.length; at += 1) {
    const char = told[at] ?? '';
    if (char === '?') return text + told.slice(at);
    if (char !== '%') {
      text += char;
      continue;
    }
    const first = told[at + 1] ?? '';
    at += 1;
    if (!/^[0-9A-Fa-f]$/.test(first)) {
      text += first;
      continue;
    }
    at += 1;
    const second = told[at] ?? '';
    if (!/^[0-9A-Fa-f]$/.test(second)) continue;
    const code = Number.parseInt(first + second, 16);
    if (code === 0x3f) return `${text}?${told.slice(at + 1)}`;
    text += code > 0x25 && code < 0x7f ? String.fromCharCode(code) : `%${first}${second}`;
  }
  return text;
}

/** Whether a byte is written as `%3F` there. */
export function isEncoded(code: number, bytes: EncodedBytes): boolean {
  const char = String.fromCharCode(code);
  if (code <= 32 || code >= 127 || '"#%'.includes(char)) return true;
  if (bytes === 'redirect') return false;
  return '<>?\\^`{|}'.includes(char) || (bytes === 'query' && '&+;'.includes(char));
}

function encoded(told: string, bytes: EncodedBytes): string {
  return Array.from(told, (char) => {
    const code = char.charCodeAt(0);
    return isEncoded(code, bytes) ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : char;
  }).join('');
}

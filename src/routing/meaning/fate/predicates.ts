import type { Language } from '../language.ts';
import type { Value } from '../value.ts';

const listedMax = 4;

/** `a, b or c`; of many the first, and how many more. */
export function listed(parts: readonly string[], word: 'and' | 'or'): string {
  const distinct = [...new Set(parts)];
  const rest = distinct.length - listedMax;
  if (rest > 1) return `${distinct.slice(0, listedMax).join(', ')} ${word} ${rest} more`;
  const last = distinct.at(-1) ?? '';
  return distinct.length < 2 ? last : `${distinct.slice(0, -1).join(', ')} ${word} ${last}`;
}

/** The host that a request asks for, with its port or without. */
export function isHost(value: Value): boolean {
  if (value.kind === 'field') return value.field.kind === 'host' || value.field.kind === 'sni';
  if (value.kind === 'part') return value.separators === ':' && value.number === 1 && isHost(value.of);
  if (value.kind === 'chosen') return isHost(value.then) && isHost(value.otherwise);
  if (value.kind === 'captured')
    return isPlainPart(value.regex.source) && value.group === 1 && isHost(value.of);
  return ['lower', 'upper', 'orElse'].includes(value.kind) && 'of' in value && isHost(value.of);
}

/** What stands before the port, or the last of several. */
const isPlainPart = (source: string) => source.startsWith(beforePort) || source === lastItem;
const lastItem = String.raw`(?:^|,)[ \t]*([^,]*?)[ \t]*$`;
const beforePort = String.raw`^(\[[^\]]*\]|[^:]*?)`;

const literal = String.raw`((?:[\w-]|\\[.-])+)`;
const oneName = new RegExp(String.raw`^\^${literal}\(\?::\[0-9\]\*\)\?\$$`);
const starInFront = new RegExp(
  String.raw`^\^\[(?:\\x00-\\xff\]\+|\^:\]\*)${literal}(?:\\\.\?)?\(\?::(?:\[0-9\]|\.)\*\)\?\$$`,
);
const starBehind = new RegExp(String.raw`^\^${literal}\\\.\[\^:\]\*\[\^:\.\]\\\.\?\(\?::\.\*\)\?\$$`);

/**
 * The hosts of a set as people write them: `shop.example`, `*.shop.example`. Case, a port and a dot at the end are left out.
 * Null: it is more than a list of names.
 */
export function hostNames(language: Language): readonly string[] | null {
  switch (language.kind) {
    case 'is':
      return language.text === '' ? null : [language.text.toLowerCase()];
    case 'item':
      return hostNames(language.of);
    case 'matches':
      return nameOfExpression(language.regex.source);
    case 'intersection': {
      const parts = language.of.filter(({ kind }) => kind !== 'present');
      return parts.length === 1 && parts[0] ? hostNames(parts[0]) : null;
    }
    case 'union':
      return namesOfUnion(language.of);
    default:
      return null;
  }
}

function nameOfExpression(source: string): readonly string[] | null {
  const plain = (text: string) => text.replaceAll('\\', '').toLowerCase();
  const one = oneName.exec(source)?.[1];
  if (one !== undefined) return [plain(one)];
  const front = starInFront.exec(source)?.[1];
  if (front !== undefined) return [`*${plain(front)}`];
  const behind = starBehind.exec(source)?.[1];
  return behind === undefined ? null : [`${plain(behind)}.*`];
}

/** With its forms: `a`, `a.`, `a:...`. */
function namesOfUnion(of: readonly Language[]): readonly string[] | null {
  const names = new Set<string>();
  const forms: string[] = [];
  for (const one of of) {
    if (one.kind === 'begins') forms.push(one.text.toLowerCase());
    else {
      const found = hostNames(one);
      if (found === null) return null;
      for (const name of found) names.add(name);
    }
  }
  if (forms.some((form) => !form.endsWith(':') || !names.has(form.slice(0, -1)))) return null;
  return names.size === 0
    ? null
    : [...names].filter((name) => !names.has(name.replace(/\.$/, '')) || !name.endsWith('.'));
}

/** What is said of a value that is in a set, or is not: `begins with "/cart"`, `does not match /a+/`. */
export function predicate(language: Language, no: boolean): string {
  switch (language.kind) {
    case 'is':
      return `${no ? 'is not' : 'is'} ${quoted(language)}`;
    case 'begins':
      return `${no ? 'does not begin' : 'begins'} with ${quoted(language)}`;
    case 'ends':
      return `${no ? 'does not end' : 'ends'} with ${quoted(language)}`;
    case 'contains':
      return `${no ? 'does not contain' : 'contains'} ${quoted(language)}`;
    case 'matches':
      return `${no ? 'does not match' : 'matches'} /${language.regex.source}/${language.regex.ignoreCase ? 'i' : ''}`;
    case 'present':
    case 'absent':
      return (language.kind === 'present') === no ? 'is not there' : 'is there';
    case 'length':
      return `${no ? 'has not' : 'has'} ${language.min} to ${language.max ?? 'any number of'} bytes`;
    case 'number':
      return `${no ? 'is no' : 'is a'} number ${rangeText(language)}`;
    case 'segment':
      return `has ${no ? 'no' : 'the'} segment ${quoted(language)}`;
    case 'item':
      return language.of.kind === 'is'
        ? `${no ? 'has no' : 'has'} ${quoted(language.of)}`
        : `has ${no ? 'no' : 'an'} item that ${predicate(language.of, false)}`;
    case 'union':
    case 'intersection':
      return several(language, no);
    case 'complement':
      return predicate(language.of, !no);
  }
}

function several({ kind, of }: Extract<Language, { of: readonly Language[] }>, no: boolean): string {
  // That something is there goes without saying where more is said.
  const told = kind === 'intersection' ? of.filter((one) => one.kind !== 'present') : of;
  const parts = (told.length > 0 ? told : of).map((one) => predicate(one, no));
  return withoutRepeats(listed(parts, (kind === 'union') === no ? 'and' : 'or'), parts);
}

/** `begins with "/a" or with "/b"`, `is "a" or "b"`. */
function withoutRepeats(all: string, parts: readonly string[]): string {
  for (const verb of ['is ', 'is not ', 'begins ', 'ends ', 'contains ', 'has ', 'matches ', 'does not '])
    if (parts.every((part) => part.startsWith(verb) && !part.startsWith(`${verb}not `)))
      return verb + all.replaceAll(verb, '');
  return all;
}

function rangeText({ min, max }: { readonly min: number | null; readonly max: number | null }): string {
  if (min === null) return max === null ? 'of any size' : `up to ${max}`;
  if (max === null) return `from ${min} on`;
  return min === max ? `${min}` : `from ${min} to ${max}`;
}

function quoted({ text, ignoreCase }: { readonly text: string; readonly ignoreCase: boolean }): string {
  const hasCase = ignoreCase && text.toLowerCase() !== text.toUpperCase();
  return `${JSON.stringify(text)}${hasCase ? ' in any case' : ''}`;
}

import type { Condition, Unknown } from '../condition.ts';
import type { Language } from '../language.ts';
import type { Field, Value } from '../value.ts';
import { hostNames, isHost, listed, predicate } from './predicates.ts';

export const describeLanguage = (language: Language): string => predicate(language, false);

/** `host is shop.example and path begins with "/cart"`. */
export function describe(condition: Condition): string {
  return said(condition, false);
}

/** The same of what is not so: `path does not begin with "/cart"`. */
export function describeNot(condition: Condition): string {
  return said(condition, true);
}

function said(condition: Condition, no: boolean): string {
  switch (condition.kind) {
    case 'always':
    case 'never':
      return (condition.kind === 'always') === no ? 'never' : 'always';
    case 'all':
    case 'some':
      return several(condition, no);
    case 'not':
      return said(condition.of, !no);
    case 'in':
      return describeIn(condition.value, condition.language, no);
    case 'from':
      return `${no ? 'not ' : ''}from ${listed(condition.networks, 'or')}`;
    case 'unknown':
      return `${no ? 'not: ' : ''}${describeUnknown(condition)}`;
  }
}

function several(condition: Extract<Condition, { kind: 'all' | 'some' }>, no: boolean): string {
  const isAll = (condition.kind === 'all') !== no;
  const parts = (isAll ? condition.of : alike(condition.of)).map((one) => {
    const text = said(one, no);
    const mixed = one.kind === 'all' || one.kind === 'some';
    return mixed && (one.kind === 'all') !== (condition.kind === 'all') ? `(${text})` : text;
  });
  return isAll ? parts.join(' and ') : listed(parts, 'or');
}

/** What asks for the same value is told as one: `path begins with "/a" or with "/b"`. */
function alike(of: readonly Condition[]): readonly Condition[] {
  const found: Condition[] = [];
  for (const one of of) {
    const last = found.at(-1);
    if (one.kind === 'in' && last?.kind === 'in' && describeValue(one.value) === describeValue(last.value))
      found[found.length - 1] = {
        ...last,
        language: { kind: 'union', of: [last.language, one.language] },
      };
    else found.push(one);
  }
  return found;
}

/** `host is shop.example`, `path does not begin with "/cart"`. */
export function describeIn(value: Value, language: Language, no = false): string {
  const inner = onlyPart(value);
  if (inner) return describeIn(inner, language, no);
  const keys = value.kind === 'mapped' ? keysOf(value, language) : null;
  if (value.kind === 'mapped' && keys) return describeIn(value.of, keys.of, keys.no !== no);
  const names = isHost(value) ? hostNames(language) : null;
  if (names === null) return `${describeValue(value)} ${predicate(language, no)}`;
  return `${describeValue(value)} is ${no ? 'not ' : ''}${listed(names, 'or')}`;
}

/** What a value is but for its wrapping: one part alone, or one that stands where there is nothing otherwise. */
function onlyPart(value: Value): Value | null {
  if (value.kind === 'joined') return value.parts.length === 1 ? (value.parts[0] ?? null) : null;
  return value.kind === 'chosen' && value.otherwise.kind === 'absent' ? value.then : null;
}

/** Of a table what is looked up: the keys that lead to a text, or those that do not. Null: it is not so plain. */
function keysOf(
  { cases, otherwise }: Extract<Value, { kind: 'mapped' }>,
  language: Language,
): { readonly of: Language; readonly no: boolean } | null {
  if (language.kind !== 'is' || language.ignoreCase) return null;
  if (otherwise.kind !== 'text' && otherwise.kind !== 'absent') return null;
  const no = otherwise.kind === 'text' && otherwise.text === language.text;
  const keys = cases.filter(({ text }) => (text === language.text) !== no).map((one) => one.language);
  return keys.length === 0 ? null : { of: { kind: 'union', of: keys }, no };
}

/** What no request says: `the file /var/www/html{uri} is there`. */
export function describeUnknown({ text, why }: Pick<Unknown, 'text' | 'why'>): string {
  const [, test = '', file] = (why === 'files' && /^-([fdex]) (.+)$/s.exec(text)) || [];
  return file === undefined ? text : `${tests[test] ?? 'it'} ${file} is there`;
}

const tests: Readonly<Record<string, string>> = {
  f: 'the file',
  d: 'the folder',
  e: 'the file or folder',
  x: 'the executable file',
};

export function describeValue(value: Value): string {
  if (isHost(value) && value.kind === 'chosen') return describeValue(value.otherwise);
  if (isHost(value) && 'of' in value) return describeValue(value.of);
  switch (value.kind) {
    case 'text':
      return `"${value.text}"`;
    case 'absent':
      return 'nothing';
    case 'field':
      return describeField(value.field);
    case 'joined':
      return value.parts.map(describeValue).join(' + ');
    case 'lower':
    case 'upper':
      return `${describeValue(value.of)} in ${value.kind} case`;
    case 'replaced':
      return `${describeValue(value.of)} with /${value.regex.source}/ replaced`;
    case 'captured':
      return `group ${value.group} of /${value.regex.source}/ in ${describeValue(value.of)}`;
    case 'part':
      return `part ${value.number} of ${describeValue(value.of)} at "${value.separators}"`;
    case 'slice':
      return `${describeValue(value.of)} from byte ${value.from}`;
    case 'parameter':
    case 'cookie':
      return `${value.kind} ${value.name}`;
    case 'decoded':
    case 'encoded':
      return `${describeValue(value.of)} ${value.kind}`;
    case 'mapped':
      return `${describeValue(value.of)} in a table of ${value.cases.length}`;
    case 'orElse':
      return `${describeValue(value.of)} or else ${describeValue(value.otherwise)}`;
    case 'chosen':
      return `${describeValue(value.then)} if ${describe(value.when)}, else ${describeValue(value.otherwise)}`;
    case 'unknown':
      return value.text;
  }
}

const fieldNames: Readonly<Record<Exclude<Field['kind'], 'header'>, string>> = {
  method: 'method',
  path: 'path',
  normalisedPath: 'path',
  query: 'query',
  scheme: 'scheme',
  host: 'host',
  sni: 'SNI',
  localAddress: 'local address',
  localPort: 'port',
  sourceAddress: 'source address',
  sourcePort: 'source port',
  version: 'HTTP version',
};

function describeField(field: Field): string {
  return field.kind === 'header' ? `header ${field.name}` : fieldNames[field.kind];
}

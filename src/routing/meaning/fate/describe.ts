import type { Condition } from '../condition.ts';
import type { Language } from '../language.ts';
import type { Field, Value } from '../value.ts';

/** `host is "shop.example" and path begins with "/cart"`. */
export function describe(condition: Condition): string {
  switch (condition.kind) {
    case 'always':
      return 'always';
    case 'never':
      return 'never';
    case 'all':
      return condition.of
        .map((one) => (one.kind === 'some' ? `(${describe(one)})` : describe(one)))
        .join(' and ');
    case 'some':
      return shortened(
        condition.of.map((one) => (one.kind === 'all' ? `(${describe(one)})` : describe(one))),
        'or',
      );
    case 'not': {
      const of = condition.of;
      if (of.kind === 'in') return `${describeValue(of.value)} not: ${describeLanguage(of.language)}`;
      return `not (${describe(of)})`;
    }
    case 'in':
      return `${describeValue(condition.value)} ${describeLanguage(condition.language)}`;
    case 'from':
      return `from ${shortened(condition.networks, 'or')}`;
    case 'unknown':
      return condition.text;
  }
}

const listedMax = 4;

function shortened(parts: readonly string[], word: 'and' | 'or'): string {
  const shown = parts.slice(0, listedMax).join(` ${word} `);
  return parts.length > listedMax ? `${shown} ${word} ${parts.length - listedMax} more` : shown;
}

export function describeLanguage(language: Language): string {
  switch (language.kind) {
    case 'is':
      return `is ${quoted(language)}`;
    case 'begins':
      return `begins with ${quoted(language)}`;
    case 'ends':
      return `ends with ${quoted(language)}`;
    case 'contains':
      return `contains ${quoted(language)}`;
    case 'matches':
      return `matches /${language.regex.source}/${language.regex.ignoreCase ? 'i' : ''}`;
    case 'present':
      return 'is there';
    case 'absent':
      return 'is not there';
    case 'length':
      return `has ${language.min} to ${language.max ?? 'any number of'} bytes`;
    case 'number':
      return `is a number from ${language.min ?? 'any'} to ${language.max ?? 'any'}`;
    case 'segment':
      return `has the segment ${quoted(language)}`;
    case 'item':
      return `has an item that ${describeLanguage(language.of)}`;
    case 'union':
      return shortened(language.of.map(describeLanguage), 'or');
    case 'intersection':
      return shortened(language.of.map(describeLanguage), 'and');
    case 'complement':
      return `not: ${describeLanguage(language.of)}`;
  }
}

function quoted({ text, ignoreCase }: { readonly text: string; readonly ignoreCase: boolean }): string {
  return `"${text}"${ignoreCase ? ' in any case' : ''}`;
}

export function describeValue(value: Value): string {
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

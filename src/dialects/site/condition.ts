import { type Condition, meaning } from '#routing';

const known = new Map<string, meaning.Condition>();
const knownMax = 50_000;

/**
 * All conditions of a rule of a site, as `decide` in routing/decide.ts defines them. What is asked alike, in two texts that are
 * compared too, is one and the same.
 */
export function conditionOf(all: readonly Condition[]): meaning.Condition {
  return once(JSON.stringify(all), () =>
    meaning.all(all.map((one) => once(JSON.stringify(one), () => meant(one)))),
  );
}

function once(key: string, make: () => meaning.Condition): meaning.Condition {
  const before = known.get(key);
  if (before) return before;
  const made = make();
  if (known.size >= knownMax) known.clear();
  known.set(key, made);
  return made;
}

function meant(condition: Condition): meaning.Condition {
  const { field, header } = meaning;
  switch (condition.kind) {
    case 'host':
      return isIn(field('host'), hostLanguage(condition.match, condition.value));
    case 'path':
      return isIn(field('path'), pathLanguage(condition.match, condition.value));
    case 'method':
      return isIn(field('method'), exactly(condition.value));
    case 'header':
      return isIn(header(condition.name), valueLanguage(condition.match, condition.value));
    case 'query': {
      const { name, match, value } = condition;
      const parameter: meaning.Value = { kind: 'parameter', of: field('query'), name, ignoreCase: false };
      return isIn(parameter, valueLanguage(match, value));
    }
  }
}

function isIn(value: meaning.Value, language: meaning.Language): meaning.Condition {
  return { kind: 'in', value, language };
}

export function exactly(text: string): meaning.Language {
  return { kind: 'is', text, ignoreCase: false };
}

/** In any case, with any port behind it. A suffix takes one label or more before it. */
export function hostLanguage(match: 'exact' | 'suffix', value: string): meaning.Language {
  const source = match === 'exact' ? quoted(value) : `[\\x00-\\xff]+${quoted(value)}`;
  return expression(`^${source}(?::[0-9]*)?$`, true);
}

export function pathLanguage(match: 'exact' | 'prefix' | 'regex', value: string): meaning.Language {
  if (match !== 'prefix') return valueLanguage(match, value);
  const prefix = value.endsWith('/') ? value.slice(0, -1) : value;
  if (prefix === '') return { kind: 'present' };
  return { kind: 'union', of: [exactly(prefix), { kind: 'begins', text: `${prefix}/`, ignoreCase: false }] };
}

function valueLanguage(match: 'exact' | 'regex', value: string): meaning.Language {
  return match === 'exact' ? exactly(value) : expression(`^(?:${value})$`, false);
}

function expression(source: string, ignoreCase: boolean): meaning.Language {
  return { kind: 'matches', regex: { source, ignoreCase, syntax: 'pcre' } };
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, (sign) => `\\${sign}`);
}

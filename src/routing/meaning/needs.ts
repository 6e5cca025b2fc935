import type { Condition } from './condition.ts';
import type { Keys } from './keys.ts';
import type { Language } from './language.ts';
import type { Value } from './value.ts';

/** A value that must be one of some texts for a condition to hold: in any case, with any port (`textNeeded`). */
export interface Need {
  /** The number of the value. */
  readonly key: number;
  readonly value: Value;
  readonly texts: ReadonlySet<string> | readonly string[];
}

/** One of each value at most. There may be as many of these as a text has rules: they are small. */
export type Needs = readonly Need[];

const nothing: Needs = [];

/** What a condition needs at least. */
export function needsOf(condition: Condition, keys: Keys): Needs {
  switch (condition.kind) {
    case 'in': {
      const { value, language } = condition;
      const texts = textsOf(language, value);
      return texts === null ? nothing : [{ key: keys.of(value), value, texts }];
    }
    case 'all': {
      const found: Need[] = [];
      for (const one of condition.of)
        for (const need of needsOf(one, keys))
          if (!found.some(({ key }) => key === need.key)) found.push(need);
      return found;
    }
    case 'some':
      return eitherOf(condition.of.map((one) => needsOf(one, keys)));
    default:
      return nothing;
  }
}

/** What one of several needs. */
export function eitherOf(all: readonly Needs[]): Needs {
  const [first, ...rest] = all;
  if (first === undefined) return nothing;
  return first.flatMap(({ key, value, texts }) => {
    const others = rest.map((needs) => needs.find((need) => need.key === key)?.texts);
    if (others.includes(undefined)) return [];
    const both = new Set(texts);
    for (const more of others) for (const text of more ?? []) both.add(text);
    return [{ key, value, texts: both }];
  });
}

/** False: no request can be in both. */
export function canMeet(one: Needs, other: Needs): boolean {
  for (const { key, texts } of one) {
    const there = other.find((need) => need.key === key)?.texts;
    if (there && !isAmong(texts, there)) return false;
  }
  return true;
}

function isAmong(texts: Need['texts'], others: Need['texts']): boolean {
  const isThere = (text: string) => (others instanceof Set ? others.has(text) : [...others].includes(text));
  for (const text of texts) if (isThere(text)) return true;
  return false;
}

/** Texts that are the same but for case, a port and the dot of a host's end count as one: what is told apart is apart for sure. */
export function textNeeded(text: string): string {
  const lower = text.toLowerCase();
  const port = lower.indexOf(':');
  const end = port < 0 ? lower.length : port;
  return lower.slice(0, end > 0 && lower[end - 1] === '.' ? end - 1 : end);
}

const textsMax = 64;
/** A host with, perhaps, a port. */
const hostWithPort = /^\^((?:[\w-]|\\[.-])+)\(\?::\[0-9\]\*\)\?\$$/;

function textsOf(language: Language, value: Value): readonly string[] | null {
  switch (language.kind) {
    case 'is':
      return [textNeeded(language.text)];
    case 'begins':
      return language.text.includes(':') ? [textNeeded(language.text)] : null;
    case 'matches': {
      if (!isHost(value)) return null;
      const literal = hostWithPort.exec(language.regex.source)?.[1];
      return literal === undefined ? null : [textNeeded(literal.replaceAll('\\', ''))];
    }
    case 'item':
      return isHost(value) && language.separators === ',' ? textsOf(language.of, value) : null;
    case 'union': {
      if (language.of.length > textsMax) return null;
      const all = language.of.map((one) => textsOf(one, value));
      return all.includes(null) ? null : [...new Set(all.flatMap((texts) => texts ?? []))];
    }
    default:
      return null;
  }
}

/** A host that a request can have has no comma. */
const isHost = (value: Value): boolean =>
  (value.kind === 'field' && value.field.kind === 'host') ||
  ((value.kind === 'lower' || value.kind === 'part') && isHost(value.of));

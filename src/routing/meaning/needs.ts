import type { Condition } from './condition.ts';
import type { Keys } from './keys.ts';
import { hostInRegex, type Language } from './language.ts';
import type { Value } from './value.ts';

/**
 * A value that must be one of some texts for a condition to hold, or begin with one of some others: in any case, with any
 * port (`textNeeded`).
 */
export interface Need extends Wanted {
  /** The number of the value. */
  readonly key: number;
  readonly value: Value;
}

interface Wanted {
  readonly texts: ReadonlySet<string> | readonly string[];
  readonly beginnings: readonly string[];
}

/** One of each value at most. There may be as many of these as a text has rules: they are small. */
export type Needs = readonly Need[];

const nothing: Needs = [];

/** What a condition needs at least. */
export function needsOf(condition: Condition, keys: Keys): Needs {
  switch (condition.kind) {
    case 'in': {
      const { value, language } = condition;
      const wanted = wantedOf(language, value);
      return wanted === null ? nothing : [{ key: keys.of(value), value, ...wanted }];
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
  return first.flatMap((one): Needs => {
    const others = rest.map((needs) => needs.find(({ key }) => key === one.key));
    const all_ = [one, ...others].flatMap((need) => need ?? []);
    if (all_.length < others.length + 1) return [];
    const texts = new Set(all_.flatMap((need) => [...need.texts]));
    const beginnings = [...new Set(all_.flatMap((need) => need.beginnings))];
    return beginnings.length > beginningsMax ? [] : [{ key: one.key, value: one.value, texts, beginnings }];
  });
}

/** Each is held against each. */
const beginningsMax = 64;

/** False: no request can be in both. */
export function canMeet(one: Needs, other: Needs): boolean {
  for (const need of one) {
    const there = other.find(({ key }) => key === need.key);
    if (there && !overlaps(need, there)) return false;
  }
  return true;
}

function overlaps(one: Wanted, other: Wanted): boolean {
  const isIn = (text: string, { texts, beginnings }: Wanted) =>
    (Array.isArray(texts) ? texts.includes(text) : (texts as ReadonlySet<string>).has(text)) ||
    beginnings.some((beginning) => text.startsWith(beginning));
  for (const text of one.texts) if (isIn(text, other)) return true;
  if (one.beginnings.length === 0) return false;
  for (const text of other.texts)
    if (one.beginnings.some((beginning) => text.startsWith(beginning))) return true;
  return one.beginnings.some((a) => other.beginnings.some((b) => a.startsWith(b) || b.startsWith(a)));
}

/** Texts that are the same but for case, a port and the dot of a host's end count as one: what is told apart is apart for sure. */
export function textNeeded(text: string): string {
  const lower = text.toLowerCase();
  const port = lower.indexOf(':');
  const end = port < 0 ? lower.length : port;
  return lower.slice(0, end > 0 && lower[end - 1] === '.' ? end - 1 : end);
}

const textsMax = 64;

const exactly = (...texts: readonly string[]): Wanted => ({ texts, beginnings: [] });

function wantedOf(language: Language, value: Value): Wanted | null {
  switch (language.kind) {
    case 'is':
      return exactly(textNeeded(language.text));
    case 'begins':
      // What is behind a colon is a port for whoever asks for a host.
      if (language.text.includes(':')) return exactly(textNeeded(language.text));
      return { texts: [], beginnings: [textNeeded(language.text)] };
    case 'matches': {
      if (!isHost(value)) return null;
      const host = hostInRegex(language.regex);
      return host === null ? null : exactly(textNeeded(host));
    }
    case 'item':
      return isHost(value) && language.separators === ',' ? wantedOf(language.of, value) : null;
    case 'union': {
      if (language.of.length > textsMax) return null;
      const all = language.of.map((one) => wantedOf(one, value));
      const known = all.flatMap((one) => one ?? []);
      if (known.length < all.length) return null;
      const texts = [...new Set(known.flatMap((one) => [...one.texts]))];
      return { texts, beginnings: known.flatMap(({ beginnings }) => beginnings) };
    }
    default:
      return null;
  }
}

/** A host that a request can have has no comma. */
const isHost = (value: Value): boolean =>
  (value.kind === 'field' && value.field.kind === 'host') ||
  ((value.kind === 'lower' || value.kind === 'part') && isHost(value.of));

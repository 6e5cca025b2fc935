import type { Condition } from './condition.ts';
import type { Keys } from './keys.ts';
import type { Language } from './language.ts';
import type { Value } from './value.ts';

/** A value that must be one of some texts for a condition to hold: in any case, with any port (`textNeeded`). */
export interface Need {
  readonly value: Value;
  readonly texts: ReadonlySet<string>;
}

/** By the key of the value. */
export type Needs = ReadonlyMap<number, Need>;

const nothing: Needs = new Map();

/** What a condition needs at least. */
export function needsOf(condition: Condition, keys: Keys): Needs {
  switch (condition.kind) {
    case 'in': {
      const { value, language } = condition;
      const texts = textsOf(language, value);
      return texts === null ? nothing : new Map([[keys.of(value), { value, texts }]]);
    }
    case 'all': {
      const found = new Map<number, Need>();
      for (const one of condition.of)
        for (const [key, need] of needsOf(one, keys)) if (!found.has(key)) found.set(key, need);
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
  const found = new Map<number, Need>();
  for (const [key, { value, texts }] of first) {
    const others = rest.map((needs) => needs.get(key)?.texts);
    if (others.includes(undefined)) continue;
    const both = new Set(texts);
    for (const more of others) for (const text of more ?? []) both.add(text);
    found.set(key, { value, texts: both });
  }
  return found;
}

/** False: no request can be in both. */
export function canMeet(one: Needs, other: Needs): boolean {
  for (const [key, { texts }] of one) {
    const there = other.get(key)?.texts;
    if (there && ![...texts].some((text) => there.has(text))) return false;
  }
  return true;
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

function textsOf(language: Language, value: Value): ReadonlySet<string> | null {
  switch (language.kind) {
    case 'is':
      return new Set([textNeeded(language.text)]);
    case 'begins':
      return language.text.includes(':') ? new Set([textNeeded(language.text)]) : null;
    case 'matches': {
      if (!isHost(value)) return null;
      const literal = hostWithPort.exec(language.regex.source)?.[1];
      return literal === undefined ? null : new Set([textNeeded(literal.replaceAll('\\', ''))]);
    }
    case 'item':
      return isHost(value) && language.separators === ',' ? textsOf(language.of, value) : null;
    case 'union': {
      if (language.of.length > textsMax) return null;
      const all = language.of.map((one) => textsOf(one, value));
      const known = all.flatMap((texts) => (texts === null ? [] : [...texts]));
      return all.includes(null) ? null : new Set(known);
    }
    default:
      return null;
  }
}

/** A host that a request can have has no comma. */
const isHost = (value: Value): boolean =>
  (value.kind === 'field' && value.field.kind === 'host') ||
  ((value.kind === 'lower' || value.kind === 'part') && isHost(value.of));

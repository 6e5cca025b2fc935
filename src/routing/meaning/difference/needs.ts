import type { Condition } from '../condition.ts';
import type { Language } from '../language.ts';
import type { Value } from '../value.ts';
import type { Keys } from './keys.ts';

/** Of some values, texts of which one must be there, in any case and with any port, for a condition to hold. */
export type Needs = ReadonlyMap<number, ReadonlySet<string>>;

const nothing: Needs = new Map();

export function needsOf(condition: Condition, keys: Keys): Needs {
  switch (condition.kind) {
    case 'in': {
      const texts = textsOf(condition.language, condition.value);
      return texts === null ? nothing : new Map([[keys.of(condition.value), texts]]);
    }
    case 'all': {
      const found = new Map<number, ReadonlySet<string>>();
      for (const one of condition.of)
        for (const [value, texts] of needsOf(one, keys)) if (!found.has(value)) found.set(value, texts);
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
  const found = new Map<number, ReadonlySet<string>>();
  for (const [value, texts] of first) {
    const both = new Set(texts);
    const others = rest.map((needs) => needs.get(value));
    if (others.includes(undefined)) continue;
    for (const more of others) for (const text of more ?? []) both.add(text);
    found.set(value, both);
  }
  return found;
}

/** False: no request can be in both. */
export function canMeet(one: Needs, other: Needs): boolean {
  for (const [value, texts] of one) {
    const there = other.get(value);
    if (there && ![...texts].some((text) => there.has(text))) return false;
  }
  return true;
}

const textsMax = 64;
/** A host with, perhaps, a port: what has no `:` in it is the host. */
const hostWithPort = /^\^((?:[\w-]|\\[.-])+)\(\?::\[0-9\]\*\)\?\$$/;

function textsOf(language: Language, value: Value): ReadonlySet<string> | null {
  switch (language.kind) {
    case 'is':
      return new Set([language.text.toLowerCase().replace(/:[0-9]*$/, '')]);
    case 'matches': {
      const literal = hostWithPort.exec(language.regex.source)?.[1];
      return literal === undefined ? null : new Set([literal.replaceAll('\\', '').toLowerCase()]);
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

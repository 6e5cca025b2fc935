import { labelOf } from '../automata/index.ts';
import type { Condition } from '../condition.ts';
import { alphabetOf } from '../difference/fields.ts';
import type { Meeting } from '../difference/meetings.ts';
import { firstEndOf } from '../fate/fate.ts';
import { type Request, requestOf } from '../fate/request.ts';
import { hostInRegex, type Language } from '../language.ts';
import type { Fate, Meaning, Rules, Step } from '../meaning.ts';
import type { Value } from '../value.ts';

/** What some requests come to. */
export interface Reached {
  readonly steps: ReadonlySet<Step>;
  readonly pools: ReadonlySet<string>;
}

/**
 * Asks with a plain request for each step, made of the texts that its condition has. What is come to so is come to for sure,
 * which saves the long way for most steps of a large text.
 */
export function triedIn(meaning: Meaning, met: readonly Meeting[]): Reached {
  const tried = new Tried(meaning);
  for (const { before, plain, schemes } of met)
    for (const scheme of before ? schemes : []) if (before) tried.look(before.rules, { ...plain, scheme });
  return tried;
}

/** Fields that a text can be written into. */
type Said = Partial<Record<'host' | 'path' | 'method' | 'query' | 'sni', string>>;
const anything: readonly Said[] = [{}];

class Tried implements Reached {
  readonly steps = new Set<Step>();
  readonly pools = new Set<string>();
  readonly #meaning: Meaning;
  readonly #seen = new Set<Rules>();

  constructor(meaning: Meaning) {
    this.#meaning = meaning;
  }

  look(rules: Rules, plain: Partial<Request>, said: Said = {}): void {
    if (this.#seen.has(rules)) return;
    this.#seen.add(rules);
    this.#ask({ ...plain, ...said });
    for (const step of rules.steps) {
      const { when, then } = step;
      if (then.kind === 'continue') continue;
      const ways = wanted(when);
      if (then.kind === 'rules') this.look(then.rules, plain, { ...said, ...ways[0] });
      else for (const way of ways) if (!this.steps.has(step)) this.#ask({ ...plain, ...said, ...way });
    }
  }

  #ask(said: Partial<Request>): void {
    const { steps, ending } = firstEndOf(this.#meaning, requestOf(said));
    for (const step of steps) this.steps.add(step);
    for (const name of poolsIn(ending)) this.pools.add(name);
  }
}

export function poolsIn(fate: Fate): readonly string[] {
  if (fate.kind === 'pool') return [fate.pool];
  return fate.kind === 'split' ? fate.shares.flatMap((share) => poolsIn(share.fate)) : [];
}

const waysMax = 8;

/** What a request may say so that it holds: several ways to try. */
export function wanted(condition: Condition): readonly Said[] {
  switch (condition.kind) {
    case 'all':
      return condition.of.reduce<readonly Said[]>((ways, one) => {
        const more = wanted(one);
        if (more.length === 1) return ways.map((way) => Object.assign({}, way, more[0]));
        return ways.flatMap((way) => more.map((other) => ({ ...way, ...other }))).slice(0, waysMax);
      }, anything);
    case 'some': {
      const ways = condition.of.slice(0, waysMax).flatMap(wanted).slice(0, waysMax);
      return ways.length === 0 ? anything : ways;
    }
    case 'in': {
      const field = fieldIn(condition.value);
      if (!field) return anything;
      if (condition.language.kind === 'absent') return field === 'path' ? [{ path: '/..' }] : anything;
      const text = textIn(condition.language);
      if (text === null || labelOf(alphabetOf(field, null).possible, text) !== 1) return anything;
      return [{ [field]: text }];
    }
    default:
      return anything;
  }
}

function fieldIn(value: Value): keyof Said | null {
  if (value.kind === 'field') {
    const { kind } = value.field;
    if (kind === 'normalisedPath') return 'path';
    return kind === 'host' || kind === 'path' || kind === 'method' || kind === 'query' || kind === 'sni'
      ? kind
      : null;
  }
  return ['lower', 'part', 'slice'].includes(value.kind) && 'of' in value ? fieldIn(value.of) : null;
}

function textIn(language: Language): string | null {
  switch (language.kind) {
    case 'is':
    case 'begins':
      return language.text;
    case 'item':
      return textIn(language.of);
    case 'union':
    case 'intersection':
      return language.of.map(textIn).find((text) => text !== null) ?? null;
    case 'matches':
      return hostInRegex(language.regex);
    default:
      return null;
  }
}

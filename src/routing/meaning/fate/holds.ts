import { unreachable } from '#base';
import { type Runner, runnerOf } from '../automata/run.ts';
import type { Condition } from '../condition.ts';
import { hostInRegex, type Language } from '../language.ts';
import { scriptOf } from '../regex/index.ts';
import type { Value } from '../value.ts';
import { describeLanguage } from './describe.ts';
import { evaluate, lowerCase, tooComplex, trimmed } from './evaluate.ts';
import { isFrom } from './networks.ts';
import { isUnknown, keyOf, type Told, type World } from './world.ts';

/** Whether a condition holds of a request: the one definition. */
export function holds(condition: Condition, world: World): boolean {
  switch (condition.kind) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'all':
      return condition.of.every((one) => holds(one, world));
    case 'some':
      return condition.of.some((one) => holds(one, world));
    case 'not':
      return !holds(condition.of, world);
    case 'from':
      return isFrom(world.request.sourceAddress, condition.networks);
    case 'in':
      return isInTold(evaluate(condition.value, world), condition.language, condition.value, world);
    case 'unknown':
      return world.assume(condition, 'holds', keyOf(condition));
  }
}

/** Of an unknown value it is assumed. */
export function isInTold(told: Told, language: Language, value: Value, world: World): boolean {
  if (!isUnknown(told)) return isIn(told, language, world);
  return world.assume(told, describeLanguage(language), `${world.keys.of(value)} ${world.keys.of(language)}`);
}

function isIn(told: string | null, language: Language, world: World): boolean {
  switch (language.kind) {
    case 'absent':
      return told === null;
    case 'complement':
      return !isIn(told, language.of, world);
    case 'union':
      return language.of.some((one) => isIn(told, one, world));
    case 'intersection':
      return language.of.every((one) => isIn(told, one, world));
    default:
      return told !== null && isWord(told, language, world);
  }
}

type OfWords = Exclude<Language, { kind: 'absent' | 'complement' | 'union' | 'intersection' }>;

function isWord(told: string, language: OfWords, world: World): boolean {
  switch (language.kind) {
    case 'present':
      return true;
    case 'length':
      return told.length >= language.min && (language.max === null || told.length <= language.max);
    case 'number':
      return isNumber(told, language.min, language.max);
    case 'matches': {
      const host = language.regex.syntax === 'pcre' ? hostInRegex(language.regex) : null;
      if (host !== null) return isHostWithPort(told, host, language.regex.ignoreCase);
      const runner = runnerOf(language.regex);
      if (typeof runner === 'object') return isMatch(runner, told);
      const script = runner === 'none' ? null : scriptOf(language.regex);
      if (script) return script.regex.test(told);
      const unknown = tooComplex(language.regex);
      return world.assume(unknown, `matches "${told}"`, `${keyOf(unknown)}\n${told}`);
    }
    case 'segment':
      return isSegment(told, language);
    case 'item':
      return itemsOf(told, language.separators).some((part) => isIn(trimmed(part), language.of, world));
    case 'is':
    case 'begins':
    case 'ends':
    case 'contains':
      return isText(told, language);
    default:
      return unreachable(language);
  }
}

/** As the expression of `hostInRegex` says it; what is behind the port may be the end of the line. */
function isHostWithPort(told: string, host: string, ignoreCase: boolean): boolean {
  if (!isText(told, { kind: 'begins', text: host, ignoreCase })) return false;
  return /^(?::[0-9]*)?\n?$/.test(told.slice(host.length));
}

/** Of many requests, most say the same about most. */
const lastMatches = new WeakMap<Runner, { readonly told: string; readonly held: boolean }>();

function isMatch(runner: Runner, told: string): boolean {
  const last = lastMatches.get(runner);
  if (last?.told === told) return last.held;
  const held = runner.match(told) !== null;
  lastMatches.set(runner, { told, held });
  return held;
}

function itemsOf(told: string, separators: string): readonly string[] {
  if (separators.length === 1) return told.includes(separators) ? told.split(separators) : [told];
  return told.split(new RegExp(`[${separators.replace(/[\]\\^-]/g, '\\$&')}]`));
}

function isText(
  told: string,
  { kind, text, ignoreCase }: Language & { kind: 'is' | 'begins' | 'ends' | 'contains' },
) {
  if (kind === 'is' ? told.length !== text.length : told.length < text.length) return false;
  const [a, b] = ignoreCase ? [lowerCase(told), lowerCase(text)] : [told, text];
  if (kind === 'is') return a === b;
  if (kind === 'begins') return a.startsWith(b);
  return kind === 'ends' ? a.endsWith(b) : a.includes(b);
}

function isNumber(told: string, min: number | null, max: number | null): boolean {
  if (!/^-?\d+$/.test(told)) return false;
  const number = BigInt(told);
  return (min === null || number >= BigInt(min)) && (max === null || number <= BigInt(max));
}

/** At a beginning of a segment, up to the end of one. */
function isSegment(told: string, { text, delimiters, ignoreCase }: Language & { kind: 'segment' }): boolean {
  const [a, b] = ignoreCase ? [lowerCase(told), lowerCase(text)] : [told, text];
  const isEdge = (at: number) => at < 0 || at >= a.length || delimiters.includes(a[at] ?? '');
  for (let at = a.indexOf(b); at >= 0; at = a.indexOf(b, at + 1))
    if (isEdge(at - 1) && isEdge(at + b.length)) return true;
  return false;
}

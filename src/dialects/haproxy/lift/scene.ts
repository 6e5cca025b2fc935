import { meaning } from '#routing';
import type { Line } from '../own/sections.ts';
import type { OwnAnswers } from './own-answers.ts';
import { chosen, type Request, type Sample } from './request.ts';
import type { Notes } from './source.ts';

type Value = meaning.Value;
type Condition = meaning.Condition;

/** Where a rule stands: all that what it says may depend on. */
export interface Scene {
  readonly notes: Notes;
  readonly request: Request;
  readonly protocol: 'http' | 'tcp';
  /** Whether TLS ends at the listener; null: at some of them, which the scheme tells. */
  readonly tls: boolean | null;
  /** Whether the first bytes are waited for: without it nobody can say whether they are there. */
  readonly awaited: boolean;
  /** Lua or another program is asked, and may set any variable. */
  readonly others: boolean;
  /** Of the frontend that it came by, and of the backend that it was given to. */
  readonly names: { readonly front: string; readonly back: string };
  /** What `capture` lines have kept, by their number. */
  readonly captures: Value[];
  /** Whether the frontend keeps the request line as it came; null: nobody can say. */
  readonly keepsLine: boolean | null;
  /** What the engine answers of itself. */
  readonly answers: OwnAnswers;
  /** Conditions by name, of the section that the rule stands in. */
  readonly named: (name: string, line: Line, scene: Scene) => Condition | null;
}

export { chosen };

export const yes = meaning.always;
export const no = meaning.never;

export function isIn(value: Value, language: meaning.Language): Condition {
  if (value.kind === 'absent') return language.kind === 'absent' ? yes : no;
  if (value.kind === 'text' && language.kind === 'present') return yes;
  if (value.kind === 'text' && language.kind === 'absent') return no;
  return { kind: 'in', value, language };
}

export const pcre = (source: string, ignoreCase = false): meaning.Regex => ({
  source,
  ignoreCase,
  syntax: 'pcre',
});

/** The last part between commas, which is what a header gives outside of conditions. */
export function lastOf(value: Value): Value {
  if (value.kind === 'absent' || value.kind === 'unknown') return value;
  if (value.kind === 'text' && !value.text.includes(',')) return value;
  const several = isIn(value, { kind: 'contains', text: ',', ignoreCase: false });
  const regex = pcre('(?:^|,)[ \\t]*([^,]*?)[ \\t]*$');
  return chosen(several, { kind: 'captured', of: value, regex, group: 1 }, value);
}

/** A sample as a value: of what it is not known, it is not known. */
export function asValue(sample: Sample): Value {
  switch (sample.kind) {
    case 'value':
      return sample.single ?? (sample.list ? lastOf(sample.value) : sample.value);
    case 'bool': {
      const value = chosen(sample.when, meaning.text('1'), meaning.text('0'));
      return chosen(sample.found ?? yes, value, meaning.absent);
    }
    case 'address':
      return meaning.field(sample.of === 'source' ? 'sourceAddress' : 'localAddress');
    case 'measured':
    case 'unknown': {
      const { text, place, why } = sample;
      return { kind: 'unknown', text, place, why };
    }
  }
}

export function unknownSample(
  scene: Scene,
  line: Line,
  why: meaning.Unknown['why'],
  text: string,
  reason = '',
): Sample {
  return { kind: 'unknown', ...scene.notes.unknown(line, why, text, reason) };
}

export const textSample = (value: Value): Sample => ({ kind: 'value', type: 'text', value });

/** What came from a client is read up to its first letter, and is 0 without digits. */
export function isFromText(value: meaning.Value): boolean {
  switch (value.kind) {
    case 'text':
      return !/^-?\d+$/.test(value.text);
    case 'field':
      return !['localPort', 'sourcePort'].includes(value.field.kind);
    case 'chosen':
      return isFromText(value.then) || isFromText(value.otherwise);
    case 'absent':
      return false;
    default:
      return true;
  }
}

/** As text it is what HAProxy has made of it, which is another than it was read from. */
export const isReadNumber = (sample: Sample): boolean =>
  sample.kind === 'value' && sample.type === 'number' && isFromText(sample.value);

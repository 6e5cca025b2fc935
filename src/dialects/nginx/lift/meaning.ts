import type { Place } from '#base';
import { meaning } from '#routing';

/** The words of a meaning, by their short names. */
export const {
  absent,
  all,
  always,
  describeValue,
  field,
  header,
  joined,
  Keys,
  never,
  not,
  sentAsItCame,
  sizeOf,
  some,
  text,
  valueSizeMax,
} = meaning;
export type Condition = meaning.Condition;
export type Fate = meaning.Fate;
export type Field = meaning.Field;
export type Keys = meaning.Keys;
export type Language = meaning.Language;
export type ListenerMeaning = meaning.ListenerMeaning;
export type Meaning = meaning.Meaning;
export type NotUnderstood = meaning.NotUnderstood;
export type PoolMeaning = meaning.PoolMeaning;
export type Regex = meaning.Regex;
export type Rules = meaning.Rules;
export type Sent = meaning.Sent;
export type ServerMeaning = meaning.ServerMeaning;
export type Setting = meaning.Setting;
export type Step = meaning.Step;
export type Unknown = meaning.Unknown;
export type Value = meaning.Value;

/** A rule at its line. */
export function stepOf(
  { place, text: line }: { readonly place: Place; readonly text: string },
  when: Condition,
  then: Step['then'],
): Step {
  return { when, then, place, text: line };
}

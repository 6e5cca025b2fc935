/** What goes wrong, the same for everybody. */
import { type Origin, startOrigins, type Way } from '../../test/world/origins.ts';

export interface Case {
  readonly name: string;
  /** What becomes of the ten servers; absent: a change leads to servers that do not exist. */
  readonly ways: readonly Way[] | null;
  /** HAProxy's text of the team's own: no checks, three retries, no `redispatch`. */
  readonly isBlind?: true;
  /** How often with Holdfast. */
  readonly times: number;
  /** From the first bad answer, in milliseconds. */
  readonly most: number;
}

const ten = (way: Way, bad = 10): readonly Way[] =>
  Array.from({ length: 10 }, (_, at) => (at < bad ? way : 'right'));

/** What bad answers do to 100 requests a second, and how soon a page about it must come. */
export const cases: readonly Case[] = [
  { name: 'nine of ten servers answer 500', ways: ten('errors', 9), times: 40, most: 300 },
  { name: 'one of ten servers answers 500', ways: ten('errors', 1), times: 5, most: 2_000 },
  { name: 'every server is dead', ways: ten('refuses'), times: 5, most: 300 },
  { name: 'every server takes two seconds', ways: ten('slow'), times: 5, most: 2_000 },
  { name: 'every server breaks its answers off', ways: ten('half'), times: 5, most: 300 },
  {
    name: 'the founding incident: a change leads to servers that do not exist',
    ways: null,
    times: 3,
    most: 300,
  },
  {
    // Nothing was in their hands: the first bad answer comes when the first request has tried in vain for three seconds.
    name: 'every server has left, retries and no redispatch',
    ways: ten('leaves'),
    isBlind: true,
    times: 3,
    most: 0,
  },
];

export const rate = 100;
export const patienceMs = 5_000;
/** An answer that takes longer is a bad one to whoever waits for it. */
export const slowMs = 1_000;
/** Nothing listens there. */
export const deadPort = 9;

export const tenOrigins = (): Promise<Origin[]> => startOrigins(10, { slowMs: 2_000, delayMs: 5 });

export async function strike(origins: readonly Origin[], ways: readonly Way[]): Promise<void> {
  await Promise.all(origins.map((origin, at) => origin.become(ways[at] ?? 'right')));
}

import type { Place } from '#base';

/** How connections that clients keep alive end by themselves, as an own text has it. */
export interface KeepAlive {
  /** One without a request ends after this long, in milliseconds; where several places say it, the longest. */
  readonly idleMs: number;
  /** Which words say so; null: the engine's default. */
  readonly said: { readonly words: string; readonly place: Place } | null;
  /** How one that is always busy ends; null: it does not. */
  readonly busy: string | null;
  /** When the engine ends, each of them ends with an answer, and none is cut off. */
  readonly endsGently: boolean;
}

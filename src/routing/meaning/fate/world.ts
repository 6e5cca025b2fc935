import { once } from '#base';
import type { Unknown } from '../condition.ts';
import { Keys } from '../keys.ts';
import type { Value } from '../value.ts';
import type { Request } from './request.ts';

/** What a value is: bytes, nothing, or not known. */
export type Told = string | null | Unknown;

export const isUnknown = (told: Told): told is Unknown => typeof told === 'object' && told !== null;

/** Says what the text and the request do not. Undefined: it does not know either. */
export interface Oracle {
  condition?(unknown: Unknown): boolean | undefined;
  value?(unknown: Unknown): string | null | undefined;
}

/** What is taken to hold of something that is not known. */
export interface Assumption {
  readonly unknown: Unknown;
  /** What is asked of it, in words: `holds`, `is "a"`. */
  readonly asked: string;
  readonly holds: boolean;
}

/** One way things may be: the request, and an answer for each unknown that is met. */
export interface World {
  readonly request: Request;
  readonly oracle: Oracle;
  /** Of one meaning, for many questions. */
  readonly keys: Keys;
  /** Large values, which share what they are made of. */
  readonly told: Map<Value, Told>;
  /** The same question gets the same answer. */
  assume(unknown: Unknown, asked: string, key: string): boolean;
}

export const keyOf = ({ text, why }: Unknown): string => `${why}\n${text}`;

/** All worlds, one after the other: the first time everything holds, then each answer is also the other one. */
export class Worlds {
  readonly #request: Request;
  readonly #oracle: Oracle;
  readonly #keys = once(() => new Keys());
  readonly #answers: { readonly key: string; holds: boolean; readonly assumption: Assumption }[] = [];

  constructor(request: Request, oracle: Oracle) {
    this.#request = request;
    this.#oracle = oracle;
  }

  world(): World {
    const keys = this.#keys;
    return {
      request: this.#request,
      oracle: this.#oracle,
      get keys() {
        return keys();
      },
      told: new Map(),
      assume: (unknown, asked, key) => {
        const told = asked === 'holds' ? this.#oracle.condition?.(unknown) : undefined;
        if (told !== undefined) return told;
        const known = this.#answers.find((answer) => answer.key === key);
        if (known) return known.holds;
        this.#answers.push({ key, holds: true, assumption: { unknown, asked, holds: true } });
        return true;
      },
    };
  }

  assumptions(): readonly Assumption[] {
    return this.#answers.map(({ assumption, holds }) => ({ ...assumption, holds }));
  }

  /** False: there are no more. */
  next(): boolean {
    for (;;) {
      const last = this.#answers.at(-1);
      if (!last) return false;
      if (last.holds) {
        last.holds = false;
        return true;
      }
      this.#answers.pop();
    }
  }
}

import type { Fate, Value } from './meaning.ts';
import type { Lifting, State, Where } from './state.ts';
import type { Node } from './tree.ts';

/** What comes behind the directives of the rewrite module, and what they end in. */
export interface Ways {
  readonly lifting: Lifting;
  /** Behind the last one. */
  after(state: State, where: Where): Fate;
  /** An answer that NGINX makes itself, with its `error_page`. */
  fail(status: number, state: State, where: Where, node: Node): Fate;
  /** A redirect, of which `error_page` may have something to say too. */
  moved(moved: Moved, state: State, where: Where, node: Node): Fate;
}

export interface Moved {
  readonly status: number;
  readonly location: Value;
}

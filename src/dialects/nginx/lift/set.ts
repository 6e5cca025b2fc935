import { keeping } from './keeping.ts';
import type { State } from './state.ts';
import type { Node } from './tree.ts';
import { type Asking, evaluate } from './variables.ts';

/** `set $x value;` */
export function withSet(node: Node, asking: Asking): State {
  const { state } = asking;
  const name = (node.words[0] ?? '').replace(/^\$/, '').toLowerCase();
  const value = evaluate(node.words[1] ?? '', asking);
  if (name === 'args') return { ...state, args: value, unparsed: false };
  return { ...state, variables: new Map(state.variables).set(name, value) };
}

/** Once what these words ask for was worked out. */
export const keepingFor = (words: readonly string[], asking: Asking): Asking => ({
  ...asking,
  state: keeping(words, asking),
});

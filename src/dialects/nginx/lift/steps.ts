import { always, type Condition, type Fate, type Rules, type Step, stepOf } from './meaning.ts';
import type { Node } from './tree.ts';

/** A step that decides nothing, for whoever reads the rules. */
export function told(node: Node, fate: Fate): Fate {
  const step = stepOf(node, always, { kind: 'continue' });
  return fate.kind === 'rules' ? ruled([step, ...fate.rules.steps], fate.rules.otherwise) : fate;
}

export function ruled(steps: readonly Step[], otherwise: Fate): Fate {
  const rules: Rules = { steps, otherwise };
  return { kind: 'rules', rules };
}

/** A step, and behind it the rules of another fate as if they stood in one list. */
export function stepThen(
  node: Pick<Node, 'place' | 'text'>,
  when: Condition,
  then: Fate,
  otherwise: Fate,
): Fate {
  if (when.kind === 'never') return otherwise;
  const step: Step = { when, then, place: node.place, text: node.text };
  if (when.kind === 'always') return ruled([step], then);
  return otherwise.kind === 'rules'
    ? ruled([step, ...otherwise.rules.steps], otherwise.rules.otherwise)
    : ruled([step], otherwise);
}

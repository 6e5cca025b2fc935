import { always, type Condition, describeValue, type Fate, type Unknown } from './meaning.ts';
import { stepThen } from './rewriting.ts';
import { said } from './scope.ts';
import { type Lifting, type State, uriAsItCame, type Where } from './state.ts';
import type { Node } from './tree.ts';
import { type Asking, evaluate } from './variables.ts';

export interface Asked {
  readonly node: Node;
  readonly passes: Condition;
  readonly refusals: readonly { readonly status: number; readonly when: Condition | null }[];
}

export function askedOf(node: Node, why: Unknown['why'], line: string, statuses: readonly number[]): Asked {
  const refusals = statuses.map((status, index) => ({
    status,
    when: index === statuses.length - 1 ? null : opaque(node, why, `${node.text}: answers ${status}`),
  }));
  return { node, passes: opaque(node, why, line), refusals };
}

export interface AccessEnds {
  readonly none: Fate;
  readonly allowed: Fate;
  readonly denied: (node: Node) => Fate;
  readonly where: Where;
  readonly state: State;
  readonly lifting: Lifting;
}

/** The first rule whose network holds the address decides. */
export function accessRules(rules: readonly Node[], ends: AccessEnds): Fate {
  const moved = said(ends.where.scope, 'set_real_ip_from').length > 0;
  return rules.reduceRight<Fate>((fate, node) => {
    const then = node.name === 'allow' ? ends.allowed : ends.denied(node);
    return stepThen(node, networkOf(node, moved), then, fate);
  }, ends.none);
}

function networkOf(node: Node, moved: boolean): Condition {
  const [network = ''] = node.words;
  if (network === 'all') return always;
  if (network === 'unix:') return opaque(node, 'complex', node.text);
  if (moved) return opaque(node, 'complex', `the real address is in ${network}`);
  return { kind: 'from', networks: [network] };
}

export function opaque({ place, text: line }: Node, why: Unknown['why'], shown = line): Condition {
  return { kind: 'unknown', why, place, text: shown };
}

/** With the folder in front: the same name below another root is another question, and another URI is one too. */
export function shownPath(asking: Asking, path: string): string {
  const { where, state } = asking;
  const root = said(where.scope, 'root', 'alias').at(-1);
  const shown = state.uri === uriAsItCame ? path : describeValue(evaluate(path, asking));
  return `${root ? root.text : 'root html'} ${shown}`;
}

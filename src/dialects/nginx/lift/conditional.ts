import { isThere } from './access.ts';
import { chosen, either, empty, holds, is, matches, notEmpty } from './folding.ts';
import { handlerOf } from './handlers.ts';
import { keeping } from './keeping.ts';
import { all, type Condition, type Fate, not, type Value } from './meaning.ts';
import { groupsOf, pcre } from './regex.ts';
import { type Scope, scopeOf } from './scope.ts';
import { withSet } from './set.ts';
import { taking } from './sources.ts';
import { type State, unknown, type Where } from './state.ts';
import { stepThen, told } from './steps.ts';
import type { Node } from './tree.ts';
import { type Asking, evaluate, variable } from './variables.ts';
import type { Ways } from './ways.ts';

const setting = new Set(['set', 'rewrite_log', 'uninitialized_variable_warn']);

/** Where a request goes on from an `if`. */
export interface Going {
  behind(state: State, where: Where): Fate;
  /** Into the block, and then behind. */
  inside(block: readonly Node[], state: State, where: Where): Fate;
}

export function conditional(asking: Asking, ways: Ways, going: Going): Fate {
  const { node, state, where } = asking;
  const block = node.block ?? [];
  const tested = conditionOf(asking);
  if (!tested) {
    ways.lifting.refuse(node, 'a condition of a form that is not known');
    return unknown(node, 'not understood');
  }
  const { when, matched, missed } = tested;
  const inLocation = where.scope.kind !== 'server';
  const scope: Scope = inLocation ? scopeOf('if', node, block, locationScope(where.scope)) : where.scope;
  const lost =
    where.scope.kind === 'if' ||
    (inLocation &&
      locationScope(where.scope).nodes.some(({ name }) => name === 'try_files' || name === 'limit_except'));
  const isPlain = block.every(({ name, words }) => setting.has(name) && words[0]?.toLowerCase() !== '$args');
  if (!lost && isPlain && matched.variables === state.variables)
    return told(node, going.behind(merged(block, when, { ...asking, state: matched }), where));
  const handlerNode = inLocation ? handlerOf(scope) : null;
  const inside: Where = {
    ...where,
    scope,
    handler: handlerNode ? { node: handlerNode, scope } : inherited(where, scope),
  };
  const then = when.kind === 'never' ? null : going.inside(block, matched, inside);
  if (when.kind === 'always' && then) return told(node, then);
  const otherwise = going.behind(missed, where);
  return then ? stepThen(node, when, then, otherwise) : otherwise;
}

/** It keeps who makes the content, and takes from where its location has it: of an `if` before it inherits nothing. */
function inherited({ scope, handler }: Where, inside: Scope): Where['handler'] {
  if (!handler || scope.kind !== 'if') return handler;
  const outer = handlerOf(locationScope(scope));
  if (outer?.name === handler.node.name) return { node: outer, scope: inside };
  return handler.node.name.endsWith('_pass')
    ? { node: { ...handler.node, words: [] }, scope: inside }
    : handler;
}

/** Blocks of `if` in one location do not inherit from each other. */
function locationScope(scope: Scope): Scope {
  return scope.kind === 'if' && scope.parent ? scope.parent : scope;
}

/** An `if` that only sets: its values are chosen by its condition, the way goes on as one. */
function merged(block: readonly Node[], when: Condition, asking: Asking): State {
  const before = keeping(
    block.flatMap(({ name, words }) => (name === 'set' ? words.slice(1) : [])),
    asking,
    false,
  );
  let inside = before;
  for (const node of block)
    if (node.name === 'set') inside = withSet(node, { ...asking, node, state: inside });
  const variables = new Map(before.variables);
  for (const [name, value] of inside.variables)
    if (value !== before.variables.get(name))
      variables.set(name, chosen(when, value, before.variables.get(name) ?? empty));
  return { ...before, variables };
}

interface Tested {
  readonly when: Condition;
  readonly matched: State;
  readonly missed: State;
}

function conditionOf(asking: Asking): Tested | null {
  const { node, state } = asking;
  const words = inParentheses(node.words);
  if (!words) return null;
  const [first = '', operator, last = ''] = words;
  const same = (when: Condition): Tested => ({ when, matched: state, missed: state });
  const file = fileTests[first];
  if (file !== undefined && operator !== undefined && words.length === 2) {
    const when = isThere(file.test, evaluate(operator, asking), node);
    return same(file.no ? not(when) : when);
  }
  if (!/^\$[A-Za-z0-9_]/.test(first) || words.length === 2 || words.length > 3) return null;
  const value = variable(first.slice(1).toLowerCase(), asking);
  if (operator === undefined) return same(truth(value));
  if (operator === '=' || operator === '!=') {
    const when = equals(value, evaluate(last, asking), node);
    return same(operator === '=' ? when : not(when));
  }
  const [, negative, fold] = /^(!?)~(\*?)$/.exec(operator) ?? [];
  if (negative === undefined) return null;
  const ignoreCase = fold === '*';
  const when = holds(value, matches(pcre(last, ignoreCase)));
  const taken =
    groupsOf(last).names.length > 0
      ? taking(state, value, last, ignoreCase)
      : { ...state, captures: { of: value, regex: pcre(last, ignoreCase), count: groupsOf(last).count } };
  const missed = { ...state, captures: null };
  return negative ? { when: not(when), matched: missed, missed: taken } : { when, matched: taken, missed };
}

const fileTests: Readonly<
  Record<string, { readonly test: Parameters<typeof isThere>[0]; readonly no: boolean }>
> = Object.fromEntries(
  (['-f', '-d', '-e', '-x'] as const).flatMap((test) => [
    [test, { test, no: false }],
    [`!${test}`, { test, no: true }],
  ]),
);

function inParentheses(words: readonly string[]): readonly string[] | null {
  const first = words[0] ?? '';
  const last = words.at(-1) ?? '';
  if (!first.startsWith('(') || !last.endsWith(')')) return null;
  const inner = [...words];
  inner[0] = first.slice(1);
  inner[inner.length - 1] = (inner.at(-1) ?? '').slice(0, -1);
  const from = inner[0] === '' ? 1 : 0;
  const to = inner.length > 1 && inner.at(-1) === '' && words.at(-1) === ')' ? -1 : undefined;
  return inner.slice(from, to);
}

/** Empty and `0` are false. */
function truth(value: Value): Condition {
  return all([notEmpty(value), not(holds(value, is('0')))]);
}

function equals(value: Value, other: Value, node: Node): Condition {
  if (other.kind === 'text') return holds(value, is(other.text));
  if (value.kind === 'text') return holds(other, is(value.text));
  if (other.kind === 'chosen')
    return either(other.when, equals(value, other.then, node), equals(value, other.otherwise, node));
  return { kind: 'unknown', why: 'complex', place: node.place, text: node.text };
}

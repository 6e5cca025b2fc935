import type { BuiltinText } from '#dialects';
import { type Condition, type RoutedListener, wholeRegex } from '#routing';

/** What `decide` reads. Requests are rows of bytes, each a character; so the text's values become that too. */
export function routedListener(listener: BuiltinText['listeners'][number]): RoutedListener {
  return {
    ...listener,
    access: listener.access ?? null,
    hsts: listener.hsts ?? null,
    rules: listener.rules.map((rule) => ({
      ...rule,
      place: null,
      conditions: rule.conditions.map(prepared),
      action:
        rule.action.kind === 'split'
          ? { kind: 'split', shares: rule.action.shares.map((share) => ({ ...share, servers: [] })) }
          : routedAction(rule.action),
      filters: rule.filters ?? null,
    })),
    otherwise: routedAction(listener.otherwise),
  };
}

/** Expressions are made ready now, not while the first request waits. */
function prepared(condition: Condition): Condition {
  const value = bytes(condition.value);
  if ('match' in condition && condition.match === 'regex') wholeRegex(value);
  return { ...condition, value };
}

function bytes(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

function routedAction(action: BuiltinText['listeners'][number]['otherwise']): RoutedListener['otherwise'] {
  return action.kind === 'pool' ? { ...action, servers: [] } : action;
}

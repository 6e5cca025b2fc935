import type { ActionView, ExplainView } from '#contract';
import { meaning } from '#routing';
import { actionWithSent, ruleView } from './view.ts';

/** Rule by rule, why a request gets what it gets. */
export function explain(
  text: meaning.Meaning,
  request: meaning.Request,
  oracle: meaning.Oracle = {},
): ExplainView {
  const { listener, exact, ways } = meaning.fateOf(text, request, oracle);
  const [first, ...others] = ways;
  if (!first) throw new Error('a request has a fate');
  const action = actionWithSent(first.fate, request);
  const last = first.steps.at(-1);
  const otherwise = distinct(others.map(({ fate }) => actionWithSent(fate, request)));
  return {
    listener: listener?.name ?? null,
    rule: last ? ruleView(last) : null,
    action,
    exact,
    because: first.because.map(({ step, held, part }) => ({
      ...ruleView(step),
      held,
      why: part.kind === 'always' ? 'whatever no rule took' : meaning.describe(part),
    })),
    otherwise: otherwise.filter((one) => JSON.stringify(one) !== JSON.stringify(action)),
  };
}

function distinct(actions: readonly ActionView[]): readonly ActionView[] {
  return [...new Map(actions.map((action) => [JSON.stringify(action), action])).values()];
}

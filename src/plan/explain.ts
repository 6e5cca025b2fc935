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
    because: first.because.map(({ step, held, part, partHeld }) => ({
      ...ruleView(step),
      held,
      why: whyOf(held, part, partHeld),
    })),
    otherwise: otherwise.filter((one) => JSON.stringify(one) !== JSON.stringify(action)),
  };
}

/** What is so where a rule held; where it did not, what would have been needed. */
function whyOf(held: boolean, part: meaning.Condition, partHeld: boolean): string {
  if (part.kind === 'always') return 'whatever no rule took';
  const isSo = held === partHeld;
  const text = isSo ? meaning.describe(part) : meaning.describeNot(part);
  return held ? text : `needs: ${text}`;
}

function distinct(actions: readonly ActionView[]): readonly ActionView[] {
  return [...new Map(actions.map((action) => [JSON.stringify(action), action])).values()];
}

import type { ActionView, ExplainView } from '#contract';
import type { meaning } from '#routing';
import { explain } from './explain.ts';
import type { Expectation, ExpectedOutcome } from './policy-file.ts';
import { askedRequest } from './request.ts';
import { actionText } from './view.ts';

export interface ExpectationResult {
  readonly expectation: Expectation;
  readonly held: boolean;
  /** What came instead, with the rule that took the request; where it cannot be told, what it depends on. */
  readonly message: string;
}

/** Cases of a policy file against a text. All ways that are possible must come out so. @throws Failure HF013 (a request that is none). */
export function checkExpectations(
  text: meaning.Meaning,
  cases: readonly Expectation[],
  oracle: meaning.Oracle = {},
): readonly ExpectationResult[] {
  return cases.map((expectation) => {
    const { request, headers, from, outcome } = expectation;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const found = explain(text, askedRequest({ request, headers: lines, from }, text), oracle);
    const held = [found.action, ...found.otherwise].every((action) => isExpected(action, outcome));
    return { expectation, held, message: held ? '' : whyNot(found, outcome) };
  });
}

function isExpected(action: ActionView, outcome: ExpectedOutcome): boolean {
  switch (outcome.kind) {
    case 'pool':
      return action.kind === 'pool' && poolsOf(action).every((pool) => outcome.pools.includes(pool));
    case 'redirect':
      return (
        action.kind === 'redirect' &&
        action.location === outcome.to &&
        (outcome.status === null || action.status === outcome.status)
      );
    case 'answer':
      return action.kind === 'answer' && action.status === outcome.status;
    case 'reject':
      return action.kind === 'reject';
  }
}

function poolsOf(action: ActionView): readonly string[] {
  if (action.kind !== 'pool') return [];
  return action.shares ? action.shares.flatMap((share) => poolsOf(share.action)) : [action.pool];
}

function whyNot({ action, rule, exact, otherwise, listener }: ExplainView, outcome: ExpectedOutcome): string {
  const came = exact
    ? actionText(action)
    : `${[action, ...otherwise].map(actionText).join(' or ')}, which the text alone does not say`;
  const by =
    listener === null
      ? 'nobody listens there'
      : rule
        ? `${rule.file}:${rule.line} took it: ${rule.text}`
        : 'no rule took it, so the default did';
  return `expected ${expectedText(outcome)}, got ${came}; ${by}`;
}

function expectedText(outcome: ExpectedOutcome): string {
  switch (outcome.kind) {
    case 'pool':
      return `pool ${outcome.pools.join(' or ')}`;
    case 'redirect':
      return `a redirect${outcome.status === null ? '' : ` ${outcome.status}`} to ${outcome.to}`;
    case 'answer':
      return `answer ${outcome.status}`;
    case 'reject':
      return 'a closed connection';
  }
}

import { once } from '#base';
import type { CauseView } from '#contract';
import type { meaning } from '#routing';
import { ruleView } from './view.ts';

type Step = meaning.Step;

/**
 * Why requests are treated differently: the first rules, from the outside in, by which two texts part, and what became of
 * them. Rules of both texts are known by their words.
 */
export function causesBetween(
  before: meaning.Meaning,
  after: meaning.Meaning,
): (steps: meaning.Difference['steps']) => CauseView {
  const ofBefore = once(() => byText(before));
  const ofAfter = once(() => byText(after));
  return (steps) => {
    const [was, is] = parting(steps.before, steps.after);
    const [old, now] = [ofBefore(), ofAfter()];
    const isGone = was !== null && !now.has(was.text);
    const isNew = is !== null && !old.has(is.text);
    if (was && is && was.text === is.text) return cause('does otherwise', was, is);
    if (isGone && isNew) return cause('rewritten', was, is);
    if (isGone) return cause('gone', was, null);
    if (isNew) return cause('new', null, is);
    const [other, source] = [was && now.otherwise(was), is && old.otherwise(is)];
    if (was && other) return cause('takes other requests', was, other);
    if (is && source) return cause('takes other requests', source, is);
    return cause('order', was, is);
  };
}

function cause(how: CauseView['how'], before: Step | null, after: Step | null): CauseView {
  return { how, before: before && ruleView(before), after: after && ruleView(after) };
}

function parting(before: readonly Step[], after: readonly Step[]): readonly [Step | null, Step | null] {
  const at = before.findIndex((step, index) => step.text !== after[index]?.text);
  if (at >= 0) return [before[at] ?? null, after[at] ?? null];
  const more = after[before.length];
  return more ? [null, more] : [before.at(-1) ?? null, after.at(-1) ?? null];
}

interface ByText {
  /** A rule in these words. */
  has(text: string): boolean;
  /** A rule in the same words, where none of them takes the same requests. */
  otherwise(step: Step): Step | null;
}

function byText(text: meaning.Meaning): ByText {
  const steps = new Map<string, Step[]>();
  const seen = new Set<meaning.Rules>();
  for (const { rules } of text.listeners) collect(rules, steps, seen);
  return {
    has: (words) => steps.has(words),
    otherwise(step) {
      const found = steps.get(step.text) ?? [];
      const when = JSON.stringify(step.when);
      return found.some((one) => JSON.stringify(one.when) === when) ? null : (found[0] ?? null);
    },
  };
}

function collect(rules: meaning.Rules, steps: Map<string, Step[]>, seen: Set<meaning.Rules>): void {
  if (seen.has(rules)) return;
  seen.add(rules);
  for (const step of rules.steps) {
    const known = steps.get(step.text);
    if (known) known.push(step);
    else steps.set(step.text, [step]);
    if (step.then.kind === 'rules') collect(step.then.rules, steps, seen);
  }
  if (rules.otherwise.kind === 'rules') collect(rules.otherwise.rules, steps, seen);
}

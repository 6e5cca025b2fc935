import { meaning } from '#routing';

/** A difference that is there only while a counter is over its limit: the limit applies now, or does not any more. */
export function limitOf(
  { witness, before, after, steps, assuming }: meaning.Difference,
  texts: { readonly before: meaning.Meaning; readonly after: meaning.Meaning },
): 'now' | 'no more' | null {
  const assumed = new Map(assuming.map(({ text, is }) => [text, is]));
  const isOnlyLimit = (side: 'before' | 'after', fate: meaning.FateView, other: meaning.FateView) => {
    const last = steps[side].at(-1);
    const counters = new Set(last ? countersIn(last.when) : []);
    if (counters.size === 0 || !isRefusal(fate)) return false;
    const within = meaning.fateOf(texts[side], witness, {
      condition: (one) => !counters.has(one.text) && assumed.get(meaning.describeUnknown(one)) !== 'no',
      value: (one) => assumed.get(meaning.describeUnknown(one)),
    });
    return within.ways.length === 1 && keyOf(within.ways[0]?.fate) === keyOf(other);
  };
  if (isOnlyLimit('after', after, before)) return 'now';
  return isOnlyLimit('before', before, after) ? 'no more' : null;
}

function isRefusal(fate: meaning.FateView): boolean {
  return fate.kind === 'reject' || (fate.kind === 'answer' && fate.status >= 400);
}

function countersIn(condition: meaning.Condition): readonly string[] {
  switch (condition.kind) {
    case 'all':
    case 'some':
      return condition.of.flatMap(countersIn);
    case 'not':
      return countersIn(condition.of);
    case 'unknown':
      return condition.why === 'state' ? [condition.text] : [];
    default:
      return [];
  }
}

function keyOf(fate: meaning.FateView | undefined): string {
  return JSON.stringify(fate, (name, part: unknown) => (name === 'place' ? undefined : part));
}

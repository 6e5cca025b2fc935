import type { Alert, Matcher } from '#events';
import { linearMatcher } from '#routing';
import type { Inhibition, OnCall, Policy } from '../settings.ts';

type Labels = Readonly<Record<string, string>>;

const expressionsMax = 1_000;
const expressions = new Map<string, ((text: string) => boolean) | null>();

/** Decided in one pass over the value, whatever the expression; null: it is none, or would take too much. */
export function expressionOf(source: string): ((text: string) => boolean) | null {
  const known = expressions.get(source);
  if (known !== undefined) return known;
  const matcher = linearMatcher(asBytes(source));
  const made = matcher ? (text: string) => matcher.test(asBytes(text)) : null;
  if (expressions.size >= expressionsMax) expressions.clear();
  expressions.set(source, made);
  return made;
}

/** The matcher reads bytes. */
function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** All of them hold. An expression that cannot be used holds of nothing, and its negation of nothing either. */
export function matches(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every(({ name, value, isEqual, isRegex }) => {
    const has = Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
    if (!isRegex) return (has === value) === isEqual;
    const test = expressionOf(value);
    return test !== null && test(has) === isEqual;
  });
}

/** `severity="critical"`, as Alertmanager and amtool write it. */
export function matcherText({ name, value, isEqual, isRegex }: Matcher): string {
  const operator = isEqual ? (isRegex ? '=~' : '=') : isRegex ? '!~' : '!=';
  return `${name}${operator}${JSON.stringify(value)}`;
}

/** What comes so long after its cause is a trouble of its own. */
const symptomWithinMs = 60_000;

/** Which of `sources` silence it. An alert that is both source and target of a rule is not silenced by another such. */
export function inhibitedBy<T extends Alert>(
  alert: Alert,
  sources: readonly T[],
  rules: readonly Inhibition[],
): readonly T[] {
  const { labels } = alert;
  const named = rules.flatMap(({ source, target, equal: same }) => {
    if (!matches(target, labels) || matches(source, labels)) return [];
    return sources.filter(
      (one) =>
        matches(source, one.labels) &&
        same.every((name) => (one.labels[name] ?? '') === (labels[name] ?? '')),
    );
  });
  // Always so, whatever the owner's file says: what was done about a fault silences the signs of that fault.
  const causes = sources.filter(
    (one) =>
      labels.role === 'symptom' &&
      one.labels.role === 'cause' &&
      one.labels.site === labels.site &&
      alert.startsAt <= one.startsAt + symptomWithinMs,
  );
  return [...new Set([...causes, ...named])];
}

/** The policy that an alert goes by; null: nobody is paged. */
export function policyOf({ routes, policies }: OnCall, labels: Labels): Policy | null {
  const route = routes.find(({ matchers }) => matches(matchers, labels));
  return policies.find(({ name }) => name === route?.policy) ?? null;
}

/** `shop{site="shop"}`: what alerts of one page have in common. */
export function groupOf({ name, groupBy }: Policy, labels: Labels): string {
  const values = groupBy.map((label) => `${label}=${JSON.stringify(labels[label] ?? '')}`);
  return `${name}{${values.join(',')}}`;
}

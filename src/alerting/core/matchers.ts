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

export interface PossibleCause extends Alert {
  readonly fingerprint: string;
  /** Of ours: nobody from outside can say what a cause is, but in the owner's own rules. */
  readonly own: boolean;
}

/**
 * Which of `firing` silence an alert, by their fingerprints. An alert that is both source and target of a rule is not
 * silenced by another such. What is asked of all alerts alike is asked once.
 */
export function inhibitor(
  firing: readonly PossibleCause[],
  rules: readonly Inhibition[],
): (alert: Alert) => readonly string[] {
  const causes = firing.filter(({ own, labels }) => own && labels.role === 'cause');
  const faults = firing.filter(
    ({ own, labels }) => own && labels.fault !== undefined && labels.severity !== 'warning',
  );
  const known = rules.map((rule) => ({
    ...rule,
    sources: firing.filter(({ labels }) => matches(rule.source, labels)),
  }));
  return (alert) => {
    const { labels, startsAt } = alert;
    // Always so, whatever the owner's file says: what was done about a fault silences the signs of that fault.
    const standing = causes.filter(
      (one) =>
        labels.role === 'symptom' &&
        one.labels.site === labels.site &&
        startsAt <= one.startsAt + symptomWithinMs,
    );
    // A guard counts a balancer as a whole. What the monitor has told of the same moment says more.
    const nearer = faults.filter(
      (one) =>
        labels.guard !== undefined &&
        one.labels.site === labels.site &&
        Math.abs(startsAt - one.startsAt) <= symptomWithinMs,
    );
    const named = known.flatMap(({ source, target, equal, sources }) => {
      if (sources.length === 0 || !matches(target, labels) || matches(source, labels)) return [];
      return sources.filter((one) =>
        equal.every((name) => (one.labels[name] ?? '') === (labels[name] ?? '')),
      );
    });
    return [...new Set([...standing, ...nearer, ...named].map(({ fingerprint }) => fingerprint))];
  };
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

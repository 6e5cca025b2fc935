import {
  type AlertSeverity,
  type FaultEvent,
  type FaultScope,
  type FaultSeries,
  type FaultVerdict,
  scopeWords,
} from '#events';
import { ending, type Told } from './told.ts';

const names: Readonly<Record<FaultSeries, readonly [name: string, severity: AlertSeverity]>> = {
  errors: ['BadAnswers', 'critical'],
  retries: ['Retries', 'error'],
  connectionErrors: ['ConnectionErrors', 'critical'],
  resets: ['Resets', 'critical'],
  hung: ['HungRequests', 'critical'],
  latency: ['SlowAnswers', 'error'],
  traffic: ['TrafficDisappeared', 'critical'],
  silence: ['NoData', 'error'],
  saturation: ['Saturation', 'error'],
  probes: ['ProbesFail', 'critical'],
  certificate: ['CertificateTrouble', 'error'],
  objective: ['ErrorBudgetBurns', 'error'],
  expression: ['SeriesIsBad', 'error'],
};

/**
 * Labels come from what was seen first and never change, so that a verdict makes no second alert of it; what the verdict
 * says is in the lines.
 */
export function toldOfFault(
  seen: FaultEvent & { readonly kind: 'fault.seen' },
  verdict: FaultVerdict | null,
): Told {
  const [name, usual] = names[seen.series];
  // What nobody notices yet wakes nobody.
  const isSaid = seen.series === 'objective' || seen.series === 'expression';
  const severity = isSaid || seen.severity === 'warning' ? seen.severity : usual;
  return {
    name,
    severity,
    role: 'symptom',
    labels: { fault: seen.fault, series: seen.series, ...labelsOf(seen.scope) },
    summary: verdict ? `${whereOf(verdict)}: ${seen.usersSee}` : seen.usersSee,
    users: seen.usersSee,
    cause: verdict ? causeOf(verdict) : `Not located yet: ${seen.evidence[0] ?? seen.series}`,
    action: actionOf(verdict),
    until: [ending.fault(seen.fault)],
  };
}

function causeOf({ sentence, certain, change, place }: FaultVerdict): string {
  const where = place ? ` (${place.file}:${place.line})` : '';
  return `${certain ? '' : 'Probably: '}${sentence}${change === null ? '' : `; change ${change}${where}`}`;
}

function actionOf(verdict: FaultVerdict | null): string {
  if (verdict === null) return 'See `holdfast status`; where it comes from is being looked for.';
  if (verdict.change !== null)
    return `Change ${verdict.change} is taken back by itself while it is a candidate; else: \`holdfast rollback\`.`;
  return verdict.advice === '' ? 'See `holdfast status` and `holdfast incidents`.' : sentence(verdict.advice);
}

/** `pool web or pool api`, as sure as it is. */
function whereOf({ culprits, certain }: FaultVerdict): string {
  return culprits.map(scopeWords).join(certain ? ' and ' : ' or ') || 'somewhere';
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/.test(words) ? '' : '.'}`;
}

function labelsOf(scope: FaultScope): Readonly<Record<string, string>> {
  const { kind: _, ...words } = scope;
  return Object.fromEntries(
    Object.entries(words).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

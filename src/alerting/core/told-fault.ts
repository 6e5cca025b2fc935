import type { AlertSeverity, FaultEvent, FaultScope, FaultSeries, FaultVerdict } from '#events';
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
  const severity = seen.severity === 'warning' ? 'warning' : usual;
  return {
    name,
    severity,
    role: 'symptom',
    labels: { fault: seen.fault, series: seen.series, ...labelsOf(seen.scope) },
    summary: verdict ? verdict.sentence : seen.usersSee,
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
  const [first] = verdict.culprits;
  switch (first?.kind) {
    case 'server':
      return `Look at server ${first.server} of pool ${first.pool}; to take it out: \`maintenance: true\` on it, then \`holdfast apply\`.`;
    case 'balancer':
      return `Look at balancer ${first.balancer}: \`holdfast status\`.`;
    case 'pool':
      return `Look at the servers of pool ${first.pool}, and at what they all need.`;
    case 'certificate':
      return `Renew ${first.file}; a good file is taken by itself.`;
    default:
      return 'See `holdfast status` and `holdfast incidents`.';
  }
}

function labelsOf(scope: FaultScope): Readonly<Record<string, string>> {
  const { kind: _, ...words } = scope;
  return Object.fromEntries(
    Object.entries(words).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

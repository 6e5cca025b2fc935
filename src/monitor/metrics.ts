import type { JournalEntry, Tick } from '#events';
import type { OpenFault } from './faults.ts';
import { ofObjectives, ofProbes } from './metrics-asked.ts';
import { changeTotals } from './metrics-changes.ts';
import { engineTotals } from './metrics-engines.ts';
import type { ObjectiveState } from './objectives.ts';
import type { ProbeResult } from './probe-book.ts';

/** What is counted, as Prometheus and OpenMetrics want to read it. */
export interface Meter {
  add(tick: Tick): void;
  journalled(entry: JournalEntry): void;
  families(around: Around, now: number): readonly Family[];
  text(format: MetricsFormat, around: Around, now: number): string;
}

/** What is shown beside what is counted. */
export interface Around {
  readonly faults: readonly OpenFault[];
  readonly falseAlarms: number;
  readonly falseAlarmsPerMonth: number;
  readonly probes: readonly ProbeResult[];
  readonly objectives: readonly ObjectiveState[];
}

export type MetricsFormat = 'prometheus' | 'openmetrics';

export interface Family {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly samples: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

/** Names of HAProxy's own exporter where there is one, whatever the engine; `holdfast_` for what is ours. */
export function meter(): Meter {
  const engines = engineTotals();
  const changes = changeTotals();
  const familiesOf = (around: Around, now: number) => [
    ...engines.families(now),
    ...changes.families(),
    ...ofFaults(around),
    ...ofProbes(around.probes),
    ...ofObjectives(around.objectives),
  ];
  return {
    add: (tick) => engines.add(tick),
    journalled: (entry) => changes.journalled(entry),
    families: familiesOf,
    text(format, around, now) {
      const families = familiesOf(around, now);
      const lines = families.flatMap((family) => (family.samples.length > 0 ? linesOf(family, format) : []));
      return `${lines.join('\n')}\n${format === 'openmetrics' ? '# EOF\n' : ''}`;
    },
  };
}

function ofFaults({ faults, falseAlarms, falseAlarmsPerMonth }: Around): Family[] {
  const count = (severity: string) =>
    faults.filter((f) => f.seenAt !== null && f.severity === severity).length;
  return [
    {
      name: 'holdfast_faults_open',
      kind: 'gauge',
      help: 'Faults that were seen and are not over.',
      samples: ['critical', 'error', 'warning'].map((severity) => [{ severity }, count(severity)] as const),
    },
    {
      name: 'holdfast_false_alarms_total',
      kind: 'counter',
      help: 'Alarms for which nothing else was seen; each raised the threshold.',
      samples: [[{}, falseAlarms]],
    },
    {
      name: 'holdfast_false_alarms_budget_per_month',
      kind: 'gauge',
      help: 'False alarms that 30 days may have: the budget that thresholds are made of.',
      samples: [[{}, falseAlarmsPerMonth]],
    },
  ];
}

function linesOf({ name, kind, help, samples }: Family, format: MetricsFormat): string[] {
  // OpenMetrics names a counter's family without what its samples end with.
  const family = format === 'openmetrics' && kind === 'counter' ? name.replace(/_total$/, '') : name;
  return [
    `# HELP ${family} ${help}`,
    `# TYPE ${family} ${kind}`,
    ...samples.map(([labels, value]) => `${name}${labelsOf(labels)} ${value}`),
  ];
}

function labelsOf(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

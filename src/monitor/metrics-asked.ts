import { scopeWords } from '#events';
import type { Family } from './metrics.ts';
import type { ObjectiveState } from './objectives.ts';
import type { ProbeResult } from './probe-book.ts';

/** Names of Prometheus's blackbox_exporter. */
export function ofProbes(probes: readonly ProbeResult[]): Family[] {
  const of = (name: string, help: string, value: (one: ProbeResult) => number | null): Family => ({
    name,
    kind: 'gauge',
    help,
    samples: probes.flatMap((one) => {
      const found = value(one);
      return found === null ? [] : [[{ probe: one.probe, target: one.target }, found] as const];
    }),
  });
  return [
    of('probe_success', 'Whether the newest answer was what monitor.yaml expects.', ({ ok }) => Number(ok)),
    of('probe_duration_seconds', 'How long the newest answer took.', ({ tookMs }) => tookMs / 1_000),
    of('probe_http_status_code', 'Status of the newest answer; 0: there was none.', ({ kind, status }) =>
      kind === 'http' ? status : null,
    ),
    of(
      'probe_ssl_earliest_cert_expiry',
      'When the certificate that was shown ends, in seconds since 1970.',
      ({ certificateValidTo }) => (certificateValidTo === null ? null : certificateValidTo / 1_000),
    ),
  ];
}

export function ofObjectives(objectives: readonly ObjectiveState[]): Family[] {
  const samples = (value: (one: ObjectiveState) => number) =>
    objectives.map((one) => {
      const { of, name } = one.objective;
      const whose = of.kind === 'probe' ? `probe ${of.probe}` : scopeWords(of);
      return [{ objective: name, of: whose }, value(one)] as const;
    });
  return [
    {
      name: 'holdfast_objective_budget_left_ratio',
      kind: 'gauge',
      help: 'What is left of the error budget of its days; below 0: more than all is gone.',
      samples: samples(({ budgetLeft }) => budgetLeft),
    },
    {
      name: 'holdfast_objective_ratio',
      kind: 'gauge',
      help: 'The share of requests that are to be good.',
      samples: samples(({ objective }) => objective.share),
    },
  ];
}

const monthMs = 2_592_000_000;

/** Shares of bad answers that the spike detector looks for. */
export const defaultAlternatives: readonly number[] = [0.005, 0.02, 0.1, 0.4, 0.9];

export interface ThresholdInput {
  readonly tickMs: number;
  /** How many detectors run at once and share the budget. */
  readonly series: number;
  /** How many alternatives each of them weighs. */
  readonly alternatives: number;
  /** The budget: false alarms in 30 days, all series together. */
  readonly falseAlarmsPerMonth: number;
}

/**
 * The score at which a spike detector speaks, so that false alarms stay within the budget at any rate of traffic.
 * exp(score) never exceeds the Shiryaev-Roberts statistic, whose mean grows by one a tick and alternative while nothing
 * is wrong; so the mean time between false alarms is at least exp(h) / alternatives ticks (Page 1954; Lorden 1971).
 */
export function threshold(input: ThresholdInput): number {
  const ticks = monthMs / input.tickMs;
  return Math.log((ticks * input.series * input.alternatives) / input.falseAlarmsPerMonth);
}

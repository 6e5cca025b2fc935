import { defaultAlternatives, threshold } from './threshold.ts';

/** Changes that a month is taken to have, and how long after each the watch is closer: 1.2 % of the time. */
const changesPerMonth = 100;
const closeMs = 300_000;
const monthMs = 2_592_000_000;
/** A threshold is never lower than this, however generous the budget: three bad answers in a row. */
const thresholdMin = 8;

export interface Budget {
  /** The score at which series number one of `series` speaks. `sinceChangeMs`: null when there was no change lately. */
  threshold(sinceChangeMs: number | null): number;
  /** An alarm that was none: the threshold rises by ln 2, which halves the rate of what is like it. */
  wasFalse(): void;
  readonly falseAlarms: number;
}

/**
 * False alarms in 30 days, all series together: one half for the minutes after changes, when faults are likely and the
 * threshold may be lower, one half for all the rest. `calibrated`: a threshold that the site's own history asks for.
 */
export function budget(options: {
  readonly falseAlarmsPerMonth: number;
  readonly series: number;
  readonly tickMs: number;
  readonly alternatives?: number;
  readonly calibrated?: number;
  readonly falseAlarmsBefore?: number;
}): Budget {
  const { series, tickMs, alternatives = defaultAlternatives.length, calibrated = 0 } = options;
  const half = { series, alternatives, falseAlarmsPerMonth: options.falseAlarmsPerMonth / 2 };
  const steady = Math.max(thresholdMin, threshold({ ...half, tickMs }), calibrated);
  const closeShare = (changesPerMonth * closeMs) / monthMs;
  const formulaAfterChange = threshold({ ...half, tickMs: tickMs / closeShare });
  // What bursts ask for above the formula, they ask for after a change too.
  const burstsAsk = steady - threshold({ ...half, tickMs });
  const close = Math.max(thresholdMin, formulaAfterChange + Math.max(0, burstsAsk));
  let falseAlarms = options.falseAlarmsBefore ?? 0;
  return {
    threshold(sinceChangeMs) {
      const isClose = sinceChangeMs !== null && sinceChangeMs >= 0 && sinceChangeMs < closeMs;
      return (isClose ? Math.min(close, steady) : steady) + falseAlarms * Math.LN2;
    },
    wasFalse() {
      falseAlarms += 1;
    },
    get falseAlarms() {
      return falseAlarms;
    },
  };
}

import {
  baseline,
  defaultAlternatives,
  type HistoryTick,
  type RecoveryDetector,
  recoveryDetector,
  spikeDetector,
  threshold,
} from '#detect';
import type { Evidence } from '#engines';
import type { Counts, GuardRecord } from '#events';
import { serverTrouble, since } from '../evidence.ts';
import { tickMs } from './watch.ts';

/** The other half of the budget of one false alarm a month. */
const falseAlarmsPerMonth = 0.5;
/** A fault below this share counts as over: waiting for less takes long with little traffic. */
const faultShare = 0.05;
const historyMinutesMax = 24 * 60;
const ticksInMinute = 60_000 / tickMs;

const watched: Readonly<Record<string, (counts: Counts) => number>> = {
  errors: (counts) => counts.errors,
  serverTrouble,
};
const alarmThreshold = threshold({
  tickMs,
  series: Object.keys(watched).length,
  alternatives: defaultAlternatives.length,
  falseAlarmsPerMonth,
});

export interface SteadyWatch {
  /** Minutes of what the active generation did while nothing was wrong: the baseline of a candidate. */
  readonly history: readonly HistoryTick[];
  /** An alarm was told, and its end was not. */
  isAlarmed(): boolean;
  tick(generation: number, evidence: Evidence): readonly GuardRecord['what'][];
}

/**
 * Watches what is active: tells, never acts. `openAlarms`: series whose alarm a process before this one told, and whose
 * end is still to be told.
 */
export function watchSteady(openAlarms: readonly string[]): SteadyWatch {
  const history: HistoryTick[] = [];
  const all = Object.entries(watched).map(([name, bad]) =>
    watchSeries(name, bad, { open: openAlarms.includes(name), usual: () => baseline(history) }),
  );
  let minute = { requests: 0, bad: 0 };
  let ticks = 0;
  let before: { generation: number; evidence: Evidence } | null = null;

  function keep(counts: Counts): void {
    minute = { requests: minute.requests + counts.requests, bad: minute.bad + counts.errors };
    ticks += 1;
    if (ticks % ticksInMinute !== 0) return;
    if (!all.some((series) => series.alarmed)) history.push(minute);
    if (history.length > historyMinutesMax) history.shift();
    minute = { requests: 0, bad: 0 };
  }

  const isAlarmed = () => all.some((series) => series.alarmed);
  return {
    history,
    isAlarmed,
    tick(generation, evidence) {
      const last = before;
      before = { generation, evidence };
      if (last?.generation !== generation) return [];
      const counts = since(evidence, last.evidence);
      keep(counts);
      return all.flatMap((series) => series.tick(counts) ?? []);
    },
  };
}

/** One series: looks for a spike, then for its end. */
function watchSeries(
  name: string,
  badOf: (counts: Counts) => number,
  options: { readonly open: boolean; readonly usual: () => number },
): { readonly alarmed: boolean; tick(counts: Counts): GuardRecord['what'] | null } {
  const newSpike = () => spikeDetector({ baseline: options.usual(), threshold: alarmThreshold });
  const newRecovery = () =>
    recoveryDetector({ baseline: options.usual(), threshold: alarmThreshold, faultShare });
  let spike = newSpike();
  let recovery: RecoveryDetector | null = options.open ? newRecovery() : null;
  return {
    get alarmed() {
      return recovery !== null;
    },
    tick(counts) {
      const bad = badOf(counts);
      if (recovery) {
        if (!recovery.tick(counts.requests, bad).recovered) return null;
        recovery = null;
        spike = newSpike();
        return { kind: 'recovered', series: name };
      }
      const { score, alarm } = spike.tick(counts.requests, bad);
      if (!alarm) return null;
      recovery = newRecovery();
      return { kind: 'alarm', series: name, requests: counts.requests, bad, score };
    },
  };
}

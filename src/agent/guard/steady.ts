import {
  baseline,
  defaultAlternatives,
  type HistoryTick,
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
const historyMax = 24 * 60;
const ticksInMinute = 60_000 / tickMs;

const watched = {
  errors: (c: Counts) => c.errors,
  serverTrouble,
} as const;

export interface SteadyWatch {
  /** Minutes of what the active generation did, for the baseline of a candidate. */
  readonly history: readonly HistoryTick[];
  tick(generation: number, evidence: Evidence): readonly GuardRecord['what'][];
}

/** Watches what is active when no change is in flight: tells, never acts. */
export function watchSteady(): SteadyWatch {
  const names = Object.keys(watched) as (keyof typeof watched)[];
  const h = threshold({
    tickMs,
    series: names.length,
    alternatives: defaultAlternatives.length,
    falseAlarmsPerMonth,
  });
  const history: HistoryTick[] = [];
  let minute = { requests: 0, bad: 0 };
  let ticks = 0;
  let before: { generation: number; evidence: Evidence } | null = null;
  let p0 = baseline(history);
  const fresh = () => ({
    spike: spikeDetector({ baseline: p0, threshold: h }),
    alarmed: null as null | { total: number; bad: number },
  });
  const detectors = { errors: fresh(), serverTrouble: fresh() };
  let recovery = {
    errors: recoveryDetector({ baseline: p0, threshold: h }),
    serverTrouble: recoveryDetector({ baseline: p0, threshold: h }),
  };

  function keep(counts: Counts): void {
    minute = { requests: minute.requests + counts.requests, bad: minute.bad + counts.errors };
    ticks += 1;
    if (ticks % ticksInMinute !== 0) return;
    const anyAlarm = names.some((n) => detectors[n].alarmed);
    if (!anyAlarm) history.push(minute);
    if (history.length > historyMax) history.shift();
    minute = { requests: 0, bad: 0 };
    p0 = baseline(history);
  }

  return {
    history,
    tick(generation, evidence) {
      if (before?.generation !== generation) {
        before = { generation, evidence };
        return [];
      }
      const counts = since(evidence, before.evidence);
      before = { generation, evidence };
      keep(counts);
      const told: GuardRecord['what'][] = [];
      for (const name of names) {
        const bad = watched[name](counts);
        const one = detectors[name];
        if (one.alarmed) {
          one.alarmed = { total: one.alarmed.total + counts.requests, bad: one.alarmed.bad + bad };
          if (!recovery[name].tick(counts.requests, bad).recovered) continue;
          detectors[name] = fresh();
          told.push({ kind: 'recovered', series: name });
          continue;
        }
        const { score, alarm } = one.spike.tick(counts.requests, bad);
        if (!alarm) continue;
        one.alarmed = { total: counts.requests, bad };
        recovery = {
          ...recovery,
          [name]: recoveryDetector({ baseline: p0, threshold: h, faultShare: 0.05 }),
        };
        told.push({ kind: 'alarm', series: name, requests: counts.requests, bad, score });
      }
      return told;
    },
  };
}

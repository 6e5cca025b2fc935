import { type Log, messageOf } from '#base';
import { baseline, calibrate, type HistoryTick } from '#detect';
import type { OpenTicks } from '#store';

const dayMs = 86_400_000;
const monthMs = 30 * dayMs;
/** DETECTION asks for two weeks; with less than one nothing is concluded. */
const lookBackMs = 15 * dayMs;
const leastMs = 7 * dayMs;
/** Seconds and minutes are told by their beginning. */
const aroundMs = 60_000;
/** However wild its past was: a fault is never explained away for longer than a few bad answers more. */
const calibratedMax = 60;
/** Minutes with more of it were faults, told or not: nobody is used to them. */
const usualShareMax = 0.05;

/** When something was at fault. */
export interface FaultTime {
  readonly from: number;
  readonly to: number;
}

const columns = {
  errors: 'errors',
  retries: 'retries',
  connectionErrors: 'connectionErrors',
  resets: 'resets',
} as const;

/** The threshold that the site's own past asks for, so that its bursts make no more alarms than the budget has; undefined: too little is known. */
export function calibrated(
  ticks: OpenTicks | null,
  plan: {
    readonly balancers: readonly string[];
    readonly series: number;
    readonly falseAlarmsPerMonth: number;
    readonly faults: readonly FaultTime[];
  },
  now: number,
  log: Log,
): number | undefined {
  if (!ticks) return undefined;
  const everyMs = (monthMs * plan.series) / plan.falseAlarmsPerMonth;
  try {
    const found = plan.balancers.flatMap((balancer) =>
      Object.values(columns).flatMap((column) => {
        const { history, knownMs } = ticks.history(balancer, column, now - lookBackMs, now);
        if (knownMs < leastMs) return [];
        // What was a fault is no measure of what is none.
        const well = history.filter(
          ({ at }) => !plan.faults.some(({ from, to }) => at >= from - aroundMs && at <= to),
        );
        const { threshold } = calibrate({
          history: well,
          historyMs: knownMs,
          baseline: baseline(well),
          everyMs,
        });
        return threshold === null ? [] : [threshold];
      }),
    );
    if (found.length === 0) return undefined;
    const highest = Math.max(...found);
    log.info('thresholds follow the past of the site', { highest: Math.round(highest * 10) / 10 });
    return Math.min(calibratedMax, highest);
  } catch (error) {
    log.warn('the past of the site is not read', { why: messageOf(error) });
    return undefined;
  }
}

/** Minutes of the last day: what was usual before this process began. */
export function usual(
  ticks: OpenTicks | null,
  now: number,
): (balancer: string, series: string, pool: string) => readonly HistoryTick[] {
  const known = new Map<string, readonly HistoryTick[]>();
  return (balancer, series, pool) => {
    if (!ticks || !(series in columns)) return [];
    const column = columns[series as keyof typeof columns];
    const key = `${balancer}\n${pool}\n${column}`;
    const found = known.get(key) ?? minutesOf(ticks, balancer, pool, column, now);
    known.set(key, found);
    return found;
  };
}

function minutesOf(
  ticks: OpenTicks,
  balancer: string,
  pool: string,
  column: keyof typeof columns,
  now: number,
): readonly HistoryTick[] {
  try {
    return ticks
      .read({ resolution: 'minute', from: now - dayMs, to: now, balancer, pool })
      .map((sum) => ({ requests: sum.requests, bad: sum[column] }))
      .filter(({ requests, bad }) => bad <= usualShareMax * (requests + bad));
  } catch {
    return [];
  }
}

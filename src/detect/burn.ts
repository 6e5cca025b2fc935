const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** When both the long window and the short one burn the error budget of 30 days this fast (Google's SRE workbook, chapter 5). */
export const burnWindows = [
  { longMs: hourMs, shortMs: 5 * minuteMs, rate: 14.4, severity: 'critical' },
  { longMs: 6 * hourMs, shortMs: 30 * minuteMs, rate: 6, severity: 'error' },
  { longMs: 72 * hourMs, shortMs: 6 * hourMs, rate: 1, severity: 'warning' },
] as const;
export type BurnWindow = (typeof burnWindows)[number];

export interface BurnWatch {
  add(atMs: number, requests: number, bad: number): void;
  /** The fastest window that is over its rate, with both rates; null: none is. */
  burning(
    atMs: number,
  ): { readonly window: BurnWindow; readonly long: number; readonly short: number } | null;
  /** How much of the budget is left, 1 to below 0, from what is known of its days. */
  budgetLeft(atMs: number): number;
  /** Of all of its days. */
  counted(atMs: number): { readonly requests: number; readonly bad: number };
}

const dayMs = 24 * hourMs;
const usualDays = 30;
/** A few bad requests of a few burn any budget fast, and say nothing. */
const badMin = 10;

/**
 * An objective (0.999: one of a thousand requests may fail) as its error budget and how fast that burns, in minutes. With a
 * budget of fewer days the same share of it is gone sooner, so its windows speak at proportionally lower rates.
 */
export function burnWatch(objective: number, days = usualDays): BurnWatch {
  const keptMs = days * dayMs;
  const minutes: { readonly atMs: number; requests: number; bad: number }[] = [];
  const allowed = Math.max(1e-9, 1 - objective);

  function within(atMs: number, windowMs: number): { requests: number; bad: number } {
    const sum = { requests: 0, bad: 0 };
    for (let i = minutes.length - 1; i >= 0; i -= 1) {
      const minute = minutes[i];
      if (!minute || minute.atMs <= atMs - windowMs) break;
      sum.requests += minute.requests;
      sum.bad += minute.bad;
    }
    return sum;
  }
  function rate(atMs: number, windowMs: number): number {
    const { requests, bad } = within(atMs, windowMs);
    return requests === 0 ? 0 : bad / requests / allowed;
  }

  return {
    add(atMs, requests, bad) {
      const start = Math.floor(atMs / minuteMs) * minuteMs;
      const last = minutes.at(-1);
      if (last && last.atMs >= start) {
        last.requests += requests;
        last.bad += bad;
        return;
      }
      minutes.push({ atMs: start, requests, bad });
      while (minutes[0] && minutes[0].atMs < start - keptMs) minutes.shift();
    },
    burning(atMs) {
      for (const window of burnWindows) {
        const [long, short] = [rate(atMs, window.longMs), rate(atMs, window.shortMs)];
        const most = (window.rate * days) / usualDays;
        if (long < most || short < most || within(atMs, window.longMs).bad < badMin) continue;
        return { window, long, short };
      }
      return null;
    },
    counted: (atMs) => within(atMs, keptMs),
    budgetLeft: (atMs) => {
      const { requests, bad } = within(atMs, keptMs);
      return requests === 0 ? 1 : 1 - bad / requests / allowed;
    },
  };
}

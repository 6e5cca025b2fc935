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
  /** How much of the budget of 30 days is left, 1 to below 0, from what is known of them. */
  budgetLeft(atMs: number): number;
}

const keptMs = 30 * 24 * hourMs;

/** An objective (0.999: one of a thousand requests may fail) as its error budget and how fast that burns, in minutes. */
export function burnWatch(objective: number): BurnWatch {
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
        if (long >= window.rate && short >= window.rate) return { window, long, short };
      }
      return null;
    },
    budgetLeft: (atMs) => {
      const { requests, bad } = within(atMs, keptMs);
      return requests === 0 ? 1 : 1 - bad / requests / allowed;
    },
  };
}

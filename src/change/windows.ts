import type { GuardPolicy } from '#model';

/** Why no change may begin now, and when one may, in milliseconds since 1970; null: not within a month. */
export interface Closed {
  readonly why: string;
  readonly opensAt: number | null;
}

const minuteMs = 60_000;
const stepMinutes = 15;
const searchedDaysMax = 31;
const days: readonly string[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

type Changes = GuardPolicy['changes'];

/** Pure. Null: open. Times are those of the site's time zone, its clock changes included. */
export function closedAt(changes: Changes, at: number): Closed | null {
  if (changes.windows.length === 0 && changes.freezes.length === 0) return null;
  const local = localTimes(changes.timeZone);
  const why = whyClosed(changes, local(at));
  return why === null ? null : { why, opensAt: nextOpening(changes, local, at) };
}

interface LocalTime {
  /** `2026-12-24` */
  readonly date: string;
  readonly day: string;
  /** `09:05` */
  readonly time: string;
}

function whyClosed({ windows, freezes, timeZone }: Changes, { date, day, time }: LocalTime): string | null {
  const freeze = freezes.find(({ from, to }) => from <= date && date <= to);
  if (freeze) return `frozen from ${freeze.from} to ${freeze.to}${freeze.why ? `: ${freeze.why}` : ''}`;
  if (windows.length === 0) return null;
  const isOpen = windows.some((window) => isWithin(window, day, time));
  return isOpen ? null : `outside of the site's change windows (it is ${day} ${time} ${timeZone})`;
}

/** One that ends before it begins goes on after midnight. */
function isWithin({ days: on, from, to }: Changes['windows'][number], day: string, time: string): boolean {
  const dayBefore = days[(days.indexOf(day) + 6) % 7];
  const isOn = (name = '') => on.includes(name);
  if (from < to) return isOn(day) && from <= time && time < to;
  return (isOn(day) && from <= time) || (isOn(dayBefore) && time < to);
}

function nextOpening(changes: Changes, local: (at: number) => LocalTime, at: number): number | null {
  const isClosed = (minute: number) => whyClosed(changes, local(minute * minuteMs)) !== null;
  const now = Math.ceil(at / minuteMs);
  for (let passed = 0; passed <= searchedDaysMax * 24 * 60; passed += stepMinutes) {
    if (isClosed(now + passed)) continue;
    let minute = now + passed;
    while (minute > now && !isClosed(minute - 1)) minute -= 1;
    return minute * minuteMs;
  }
  return null;
}

function localTimes(timeZone: string): (at: number) => LocalTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (at) => {
    const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? '';
    return {
      date: `${part('year')}-${part('month')}-${part('day')}`,
      day: part('weekday'),
      time: `${part('hour')}:${part('minute')}`,
    };
  };
}

/** Milliseconds of a unit, for words whose plain number is milliseconds. */
const unitsMs: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Words whose value is a time, as they end. */
const times =
  /^(?:timeout .*|.*timeout|inter|fastinter|downinter|slowstart|agent-inter|pool-purge-delay|tcp-ut|hold .*|tcp-request inspect-delay|tcp-response inspect-delay|stats timeout|stats refresh|hard-stop-after|tune\.\S*(?:time|delay)\S*)$/;
/** Plain numbers of these are seconds. */
const inSeconds = /^(?:stats refresh)$/;

/** A value in one form: `30s` is `30000 ms`. Anything else is as it is written. */
export function oneForm(name: string, value: string): string {
  if (!times.test(name)) return value;
  const [, number, unit] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(value) ?? [];
  if (number === undefined) return value;
  const factor = unitsMs[unit ?? (inSeconds.test(name) ? 's' : 'ms')] ?? 1;
  return `${Math.round(Number(number) * factor * 1_000) / 1_000} ms`;
}

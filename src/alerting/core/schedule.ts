import type { Hours, Rotation, Schedule } from '../settings.ts';

/**
 * Who is on call at a moment, in milliseconds since 1970; null in a gap. At every moment it is one person at most: a
 * shift is found by the last handover that is not after the moment, as instants, so that a night of 23 or 25 hours has
 * nobody twice and nobody never. A handover in the hour that a night leaves out is so much later; one in the hour that
 * comes twice is at its first time.
 */
export function onCallAt(schedule: Schedule, at: number): string | null {
  const { timeZone } = schedule;
  const override = schedule.overrides.findLast(
    ({ from, until }) => instantOf(from, timeZone) <= at && at < instantOf(until, timeZone),
  );
  if (override) return override.person;
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  const day = local.toPlainDate();
  for (const rotation of schedule.rotations.toReversed()) {
    if (rotation.during && !isWithin(rotation.during, day, timeZone, at)) continue;
    const person = shiftAt(rotation, day, timeZone, at);
    if (person !== null) return person;
  }
  return null;
}

export interface Shift {
  /** Null: nobody is on call. */
  readonly person: string | null;
  readonly from: number;
  readonly until: number;
}

/** Shift by shift, without a hole between them. The first begins at `from` and the last ends at `until`, cut off there. */
export function shiftsOf(schedule: Schedule, from: number, until: number): Shift[] {
  const shifts: Shift[] = [];
  const edges = edgesOf(schedule, from, until);
  for (const [i, edge] of edges.entries()) {
    const person = onCallAt(schedule, edge);
    const end = edges[i + 1] ?? until;
    const last = shifts.at(-1);
    if (last && last.person === person) shifts[shifts.length - 1] = { ...last, until: end };
    else shifts.push({ person, from: edge, until: end });
  }
  return shifts;
}

/** Every moment at which somebody else may come on call, `from` among them, in their order. */
function edgesOf({ timeZone, rotations, overrides }: Schedule, from: number, until: number): number[] {
  const edges = new Set<number>([from]);
  const add = (at: number) => {
    if (at > from && at < until) edges.add(at);
  };
  for (const one of overrides) for (const text of [one.from, one.until]) add(instantOf(text, timeZone));
  const zoned = (at: number) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
  const last = zoned(until).toPlainDate();
  const times = new Set(
    rotations.flatMap(({ handover, during }) => [handover, ...(during ? [during.from, during.to] : [])]),
  );
  for (
    let day = zoned(from).toPlainDate().subtract({ days: 1 });
    Temporal.PlainDate.compare(day, last) <= 0;
    day = day.add({ days: 1 })
  )
    for (const time of times) add(momentOf(day, time, timeZone));
  return [...edges].sort((a, b) => a - b);
}

function shiftAt(
  { people, starts, handover, everyDays }: Rotation,
  today: Temporal.PlainDate,
  timeZone: string,
  at: number,
): string | null {
  const began = momentOf(today, handover, timeZone) <= at ? today : today.subtract({ days: 1 });
  const days = Temporal.PlainDate.from(starts).until(began, { largestUnit: 'days' }).days;
  if (days < 0) return null;
  return people[Math.floor(days / everyDays) % people.length] ?? null;
}

function isWithin(
  { days, from, to }: Hours,
  today: Temporal.PlainDate,
  timeZone: string,
  at: number,
): boolean {
  return [today, today.subtract({ days: 1 })].some((day) => {
    if (!days.includes(day.dayOfWeek)) return false;
    const end = to > from ? day : day.add({ days: 1 });
    return momentOf(day, from, timeZone) <= at && at < momentOf(end, to, timeZone);
  });
}

function momentOf(day: Temporal.PlainDate, time: string, timeZone: string): number {
  return day.toZonedDateTime({ timeZone, plainTime: Temporal.PlainTime.from(time) }).epochMilliseconds;
}

function instantOf(local: string, timeZone: string): number {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(timeZone).epochMilliseconds;
}

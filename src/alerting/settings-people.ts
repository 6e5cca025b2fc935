import { z } from 'zod';
import type { SettingsWords } from '#model';

const localDay = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])$/;
const localTime = /^(?:[01]\d|2[0-3]):[0-5]\d$/;
const localMoment = /^(\d{4}-\d{2}-\d{2})T((?:[01]\d|2[0-3]):[0-5]\d)$/;
const dayNames = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export function personSchema({ name, some, line }: SettingsWords) {
  return z.strictObject(
    {
      name,
      contacts: some(
        z.strictObject(
          { notifier: name, to: line('an address, a number, a name').optional() },
          'notifier, to',
        ),
        'contacts',
        1,
      ),
    },
    'a person: name, contacts',
  );
}

function rotationSchema({ name, some, list, text }: SettingsWords) {
  const time = text('a local time such as "09:00"', localTime);
  return z.strictObject(
    {
      people: some(name, 'names of people', 1),
      starts: text('a day such as 2026-01-05', localDay).refine(isDay, 'a day that the calendar has'),
      handover: time.default('09:00'),
      every: text('a number of days or weeks, such as 1d or 2w', /^[1-9]\d{0,2}[dw]$/).default('1w'),
      during: z
        .strictObject(
          {
            days: list(z.enum(dayNames, 'a day: mon to sun'), 'days', 1, 7).default([...dayNames]),
            from: time,
            to: time,
          },
          'days, from, to',
        )
        .optional(),
    },
    'a rotation: people, starts, handover, every, during',
  );
}

export function scheduleSchema(words: SettingsWords) {
  const { name, some, text } = words;
  const moment = text('a local time such as 2026-12-24T09:00', localMoment).refine(
    (word) => isDay(word.slice(0, 10)),
    'a day that the calendar has',
  );
  return z.strictObject(
    {
      name,
      timeZone: z
        .string('a time zone such as Europe/Berlin')
        .refine(isTimeZone, 'a time zone such as Europe/Berlin'),
      rotations: some(rotationSchema(words), 'rotations', 1),
      overrides: some(
        z.strictObject({ person: name, from: moment, until: moment }, 'person, from, until'),
        'overrides',
      ).default([]),
      gaps: z.enum(['refused', 'allowed'], 'one of "refused", "allowed"').default('refused'),
    },
    'a schedule: name, timeZone, rotations, overrides, gaps',
  );
}

/** `Europe/Berlin`; an offset would not know of summer. */
function isTimeZone(word: string): boolean {
  if (!/^[A-Za-z_+\-/0-9]{1,64}$/.test(word) || /^[+-]/.test(word)) return false;
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(word);
    return true;
  } catch {
    return false;
  }
}

function isDay(word: string): boolean {
  try {
    Temporal.PlainDate.from(word, { overflow: 'reject' });
    return true;
  } catch {
    return false;
  }
}

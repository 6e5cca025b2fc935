import { z } from 'zod';
import { type SettingsWords, settingsWords } from '#model';
import { expressionOf } from './core/matchers.ts';
import { notifierSchema } from './settings-notifiers.ts';
import { personSchema, scheduleSchema } from './settings-people.ts';

/** What oncall.yaml looks like; `read-settings.ts` says what it means. */
export function onCallSchema() {
  const words = settingsWords();
  const { name, some, line, label, url, secret, duration } = words;
  const match = matchSchema(words);
  return z.strictObject(
    {
      notifiers: some(notifierSchema(words), 'notifiers', 1),
      people: some(personSchema(words), 'people').default([]),
      teams: some(
        z.strictObject({ name, members: some(name, 'names of people', 1) }, 'a team: name, members'),
        'teams',
      ).default([]),
      schedules: some(scheduleSchema(words), 'schedules').default([]),
      policies: some(policySchema(words), 'policies', 1),
      routes: some(z.strictObject({ match, policy: name }, 'a route: match, policy'), 'routes').default([]),
      inhibit: some(
        z.strictObject(
          { source: match, target: match, equal: some(label, 'names of labels').default(['site']) },
          'source, target, equal',
        ),
        'rules',
      ).default([]),
      alertmanagers: some(
        z.strictObject({ url, resend: duration('1m') }, 'an Alertmanager: url, resend'),
        'Alertmanagers',
      ).default([]),
      watchdog: z.strictObject({ url, every: duration('1m') }, 'url, every').optional(),
      inbound: z.strictObject({ token: secret }, 'token').optional(),
      allowedHosts: some(line('a host, as the address has it'), 'hosts').default([]),
    },
    'an on-call file: notifiers, people, teams, schedules, policies, routes, inhibit, alertmanagers, watchdog, inbound, allowedHosts',
  );
}

function policySchema({
  name,
  some,
  line,
  label,
  list,
  text,
  optionalDuration,
  duration,
  wholeNumber,
}: SettingsWords) {
  const target = z.strictObject(
    {
      person: name.optional(),
      team: name.optional(),
      schedule: name.optional(),
      notifier: name.optional(),
      to: line('an address, a number, a name').optional(),
    },
    'one of person, team, schedule, notifier',
  );
  return z.strictObject(
    {
      name,
      groupBy: some(label, 'names of labels').default(['site']),
      wait: text('a duration up to 10m, such as 2s', /^\d{1,4}(?:ms|s|m)$/).default('0s'),
      steps: list(
        z.strictObject(
          {
            page: list(target, 'whom to page', 1, 50),
            ackWithin: optionalDuration(),
          },
          'page, ackWithin',
        ),
        'steps',
        1,
        20,
      ),
      repeat: wholeNumber(1, 100).default(3),
      ackTimeout: duration('30m'),
    },
    'a policy: name, groupBy, wait, steps, repeat, ackTimeout',
  );
}

function matchSchema({ label, some }: SettingsWords) {
  const value = z
    .string('the value of a label, or /an expression/')
    .refine(isValue, 'an expression that is decided in one pass over the value, at most 512 characters');
  return z.record(
    label,
    z.union([value, some(value, 'values', 1)], 'a value or several'),
    'labels and their values',
  );
}

/** `/expression/` is one; everything else is the value itself. */
export function expressionIn(word: string): string | null {
  return word.length > 2 && word.startsWith('/') && word.endsWith('/') ? word.slice(1, -1) : null;
}

function isValue(word: string): boolean {
  const expression = expressionIn(word);
  return word.length <= 512 && (expression === null || expressionOf(expression) !== null);
}

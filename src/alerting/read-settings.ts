import { z } from 'zod';
import { type Diagnostic, didYouMean, type Place, secretRefOf, type UrlRef } from '#base';
import type { Matcher } from '#events';
import { documentReader, durationOrNull } from '#model';
import { shiftsOf } from './core/schedule.ts';
import type { Notifier, NotifierHow, OnCall, Policy, Rotation, Schedule, Target } from './settings.ts';
import { expressionIn, onCallSchema } from './settings-schema.ts';

type Document = z.output<ReturnType<typeof onCallSchema>>;
type PlaceOf = (path: readonly (string | number)[]) => Place;

export interface ReadOnCall {
  /** Null as soon as there is a mistake. */
  readonly onCall: OnCall | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** So far ahead schedules are looked through: every weekly and yearly turn, and both nights when clocks change. */
export const gapsAheadDays = 370;
const dayMs = 24 * 60 * 60_000;
const gapsTold = 3;

/** Whether a text is one: a site has no `notifiers`. */
export function isOnCallFile(text: string): boolean {
  return /^["']?notifiers["']?:/m.test(text) && !/^["']?(?:site|listeners)["']?:/m.test(text);
}

/** What an editor shows while the file is written: schema/oncall.schema.json. */
export function onCallJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(onCallSchema(), { io: 'input', target: 'draft-7' });
  return { $schema, title: 'Who is on call for a site, and how people are reached', ...rest };
}

/** Every mistake at once, each with its place. Never throws, whatever the text. `now`: schedules are looked through from then on. */
export function readOnCall(text: string, file: string, now: number): ReadOnCall {
  const { value, placeOf, ...read } = documentReader().readDocument(text, file, onCallSchema());
  const diagnostics = read.diagnostics.map(withoutSecrets);
  if (value === null) return { onCall: null, diagnostics };
  const mistakes = [...oneOfEach(value, placeOf), ...names(value, placeOf), ...sense(value, placeOf)];
  const onCall = build(value, file, placeOf);
  const gaps = onCall.schedules.flatMap((schedule, i) => gapsIn(schedule, ['schedules', i], now));
  const all = [...diagnostics, ...mistakes, ...gaps, ...unheard(onCall, placeOf)];
  return { onCall: all.some(({ severity }) => severity === 'error') ? null : onCall, diagnostics: all };
}

/** A secret that was written where it does not belong is not said once more. */
function withoutSecrets(one: Diagnostic): Diagnostic {
  if (!/(?:secret|routingKey|password|token|url)(?:\.\w+)?$/.test(one.path)) return one;
  return { ...one, message: one.message.replace(/, got [\s\S]*$/, ''), remedy: '' };
}

function said(
  code: string,
  place: Place,
  path: string,
  message: string,
  remedy = '',
  severity: Diagnostic['severity'] = 'error',
): Diagnostic {
  return { code, severity, place, path, message, remedy };
}

const kinds = ['webhook', 'slack', 'teams', 'pagerduty', 'email', 'command'] as const;
const targetKinds = ['person', 'team', 'schedule', 'notifier'] as const;

/** Where exactly one of several keys is wanted. */
function oneOfEach(value: Document, placeOf: PlaceOf): Diagnostic[] {
  const found: Diagnostic[] = [];
  const one = (path: readonly (string | number)[], given: object, wanted: readonly string[]) => {
    const has = wanted.filter((key) => (given as Readonly<Record<string, unknown>>)[key] !== undefined);
    if (has.length === 1) return;
    const expected = `exactly one of ${wanted.join(', ')}, got ${has.length === 0 ? 'none' : has.join(' and ')}`;
    found.push(
      said(has.length === 0 ? 'HF012' : 'HF022', placeOf(path), pathText(path), `expected ${expected}`),
    );
  };
  const secret = (path: readonly (string | number)[], given: unknown) => {
    if (typeof given === 'object' && given !== null) one(path, given, ['env', 'file', 'credential']);
  };
  for (const [i, notifier] of value.notifiers.entries()) {
    one(['notifiers', i], notifier, kinds);
    for (const kind of kinds)
      for (const key of ['url', 'secret', 'routingKey', 'password'])
        secret(
          ['notifiers', i, kind, key],
          (notifier[kind] as Readonly<Record<string, unknown>> | undefined)?.[key],
        );
  }
  secret(['inbound', 'token'], value.inbound?.token);
  for (const [i, policy] of value.policies.entries())
    for (const [j, step] of policy.steps.entries())
      for (const [k, target] of step.page.entries())
        one(['policies', i, 'steps', j, 'page', k], target, targetKinds);
  return found;
}

function pathText(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}

/** Names that nothing has, and names that two have. */
function names(value: Document, placeOf: PlaceOf): Diagnostic[] {
  const known = {
    notifier: value.notifiers.map(({ name }) => name),
    person: value.people.map(({ name }) => name),
    team: value.teams.map(({ name }) => name),
    schedule: value.schedules.map(({ name }) => name),
    policy: value.policies.map(({ name }) => name),
  } as const;
  const found: Diagnostic[] = [];
  const use = (kind: keyof typeof known, name: string, path: readonly (string | number)[]) => {
    if (known[kind].includes(name)) return;
    const message = `expected the name of a ${kind}, got ${JSON.stringify(name)}`;
    found.push(said('HF014', placeOf(path), pathText(path), message, didYouMean(name, known[kind])));
  };
  const lists = {
    notifiers: 'notifier',
    people: 'person',
    teams: 'team',
    schedules: 'schedule',
    policies: 'policy',
  } as const;
  for (const [key, kind] of Object.entries(lists) as [keyof typeof lists, keyof typeof known][])
    for (const [i, name] of known[kind].entries())
      if (known[kind].indexOf(name) < i)
        found.push(
          said(
            'HF015',
            placeOf([key, i, 'name']),
            `${key}[${i}].name`,
            `expected each ${kind} once, got ${JSON.stringify(name)} again`,
          ),
        );
  for (const [i, { contacts }] of value.people.entries())
    for (const [j, { notifier }] of contacts.entries())
      use('notifier', notifier, ['people', i, 'contacts', j, 'notifier']);
  for (const [i, { members }] of value.teams.entries())
    for (const [j, member] of members.entries()) use('person', member, ['teams', i, 'members', j]);
  for (const [i, { rotations, overrides }] of value.schedules.entries()) {
    for (const [j, { people }] of rotations.entries())
      for (const [k, person] of people.entries())
        use('person', person, ['schedules', i, 'rotations', j, 'people', k]);
    for (const [j, { person }] of overrides.entries())
      use('person', person, ['schedules', i, 'overrides', j, 'person']);
  }
  for (const [i, { steps }] of value.policies.entries())
    for (const [j, { page }] of steps.entries())
      for (const [k, target] of page.entries())
        for (const kind of targetKinds) {
          const name = target[kind];
          if (name !== undefined) use(kind, name, ['policies', i, 'steps', j, 'page', k, kind]);
        }
  for (const [i, { policy }] of value.routes.entries()) use('policy', policy, ['routes', i, 'policy']);
  return found;
}

/** What is well written and cannot be meant. */
function sense(value: Document, placeOf: PlaceOf): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const [i, { steps }] of value.policies.entries())
    for (const [j, { ackWithin }] of steps.entries()) {
      if (ackWithin !== undefined || j === steps.length - 1) continue;
      const path = ['policies', i, 'steps', j];
      found.push(
        said(
          'HF041',
          placeOf(path),
          pathText(path),
          'expected ackWithin: without it nobody ever comes to the next step',
          'Add how long somebody has to answer, such as ackWithin: 5m',
        ),
      );
    }
  for (const [i, { overrides }] of value.schedules.entries())
    for (const [j, { from, until }] of overrides.entries())
      if (until <= from)
        found.push(
          said(
            'HF013',
            placeOf(['schedules', i, 'overrides', j, 'until']),
            `schedules[${i}].overrides[${j}].until`,
            `expected a time after ${from}, got ${until}`,
          ),
        );
  for (const [i, notifier] of value.notifiers.entries()) {
    const { email } = notifier;
    if (email && (email.user === undefined) !== (email.password === undefined))
      found.push(
        said(
          'HF022',
          placeOf(['notifiers', i, 'email']),
          `notifiers[${i}].email`,
          'expected user and password, or neither',
        ),
      );
  }
  return found;
}

/** Times with nobody on call, the first few with their hours. */
function gapsIn(schedule: Schedule, path: readonly (string | number)[], now: number): Diagnostic[] {
  if (schedule.gaps) return [];
  const gaps = shiftsOf(schedule, now, now + gapsAheadDays * dayMs).filter(({ person }) => person === null);
  if (gaps.length === 0) return [];
  const local = (at: number) =>
    Temporal.Instant.fromEpochMilliseconds(at)
      .toZonedDateTimeISO(schedule.timeZone)
      .toPlainDateTime()
      .toString({ smallestUnit: 'minute' });
  const told = gaps.slice(0, gapsTold).map(({ from, until }) => `${local(from)} to ${local(until)}`);
  const more = gaps.length > told.length ? ` and ${gaps.length - told.length} more` : '';
  const message = `nobody is on call from ${told.join(', ')}${more} (${schedule.timeZone}, within ${gapsAheadDays} days)`;
  const remedy =
    'Add a rotation before the others that is always in force, or gaps: allowed, where the next step of the policy is to be paged at once';
  return [said('HF040', schedule.place, pathText(path), message, remedy)];
}

/** What nobody will hear. */
function unheard({ routes, schedules, policies }: OnCall, placeOf: PlaceOf): Diagnostic[] {
  const used = new Set(routes.map(({ policy }) => policy));
  const paged = new Set(
    policies.flatMap(({ steps }) => steps.flatMap(({ targets }) => targets.map(({ name }) => name))),
  );
  return [
    ...policies.flatMap(({ name }, i) =>
      used.has(name)
        ? []
        : [
            said(
              'HF042',
              placeOf(['policies', i]),
              `policies[${i}]`,
              `no route leads to policy "${name}"`,
              '',
              'warning',
            ),
          ],
    ),
    ...schedules.flatMap(({ name, place }, i) =>
      paged.has(name)
        ? []
        : [said('HF042', place, `schedules[${i}]`, `no policy pages schedule "${name}"`, '', 'warning')],
    ),
  ];
}

function build(value: Document, file: string, placeOf: PlaceOf): OnCall {
  const [first] = value.policies;
  return {
    file,
    notifiers: value.notifiers.map((one, i) => notifierOf(one, placeOf(['notifiers', i]))),
    people: value.people.map(({ name, contacts }) => ({
      name,
      contacts: contacts.map(({ notifier, to = '' }) => ({ notifier, to })),
    })),
    teams: value.teams,
    schedules: value.schedules.map((one, i) => ({
      name: one.name,
      timeZone: one.timeZone,
      rotations: one.rotations.map(rotationOf),
      overrides: one.overrides,
      gaps: one.gaps === 'allowed',
      place: placeOf(['schedules', i]),
    })),
    policies: value.policies.map(policyOf),
    routes:
      value.routes.length > 0
        ? value.routes.map(({ match, policy }) => ({ matchers: matchersOf(match), policy }))
        : [{ matchers: matchersOf({ severity: ['critical', 'error'] }), policy: first?.name ?? '' }],
    inhibit: value.inhibit.map(({ source, target, equal }) => ({
      source: matchersOf(source),
      target: matchersOf(target),
      equal,
    })),
    alertmanagers: value.alertmanagers.map(({ url, resend }) => ({ url, resendMs: msOf(resend) })),
    watchdog: value.watchdog ? { url: value.watchdog.url, everyMs: msOf(value.watchdog.every) } : null,
    inbound: value.inbound ? { token: secretRefOf(value.inbound.token) } : null,
    allowedHosts: value.allowedHosts,
  };
}

function msOf(word: string): number {
  return durationOrNull(word) ?? 0;
}

function urlOf(given: string | Parameters<typeof secretRefOf>[0]): UrlRef {
  return typeof given === 'string' ? { kind: 'url', url: given } : secretRefOf(given);
}

function notifierOf(one: Document['notifiers'][number], place: Place): Notifier {
  return { name: one.name, place, how: howOf(one) };
}

function howOf({
  webhook,
  slack,
  teams,
  pagerduty,
  email,
  command,
}: Document['notifiers'][number]): NotifierHow {
  if (webhook)
    return {
      kind: 'webhook',
      url: urlOf(webhook.url),
      secret: webhook.secret ? secretRefOf(webhook.secret) : null,
    };
  if (slack) return { kind: 'slack', url: urlOf(slack.url) };
  if (teams) return { kind: 'teams', url: urlOf(teams.url) };
  if (pagerduty)
    return {
      kind: 'pagerduty',
      routingKey: secretRefOf(pagerduty.routingKey),
      url: pagerduty.url,
      changes: pagerduty.changes,
    };
  if (email) {
    const { host, port, tls, from, user = '', password, ca = null } = email;
    return {
      kind: 'email',
      host,
      port,
      tls,
      from,
      user,
      password: password ? secretRefOf(password) : null,
      ca,
    };
  }
  return { kind: 'command', run: command?.run ?? [], timeoutMs: msOf(command?.timeout ?? '10s') };
}

const dayNumbers: Readonly<Record<string, number>> = {
  mon: 1,
  tue: 2,
  wed: 3,
  thu: 4,
  fri: 5,
  sat: 6,
  sun: 7,
};

function rotationOf({
  people,
  starts,
  handover,
  every,
  during,
}: Document['schedules'][number]['rotations'][number]): Rotation {
  const count = Number(every.slice(0, -1));
  return {
    people,
    starts,
    handover,
    everyDays: every.endsWith('w') ? count * 7 : count,
    during: during
      ? { days: during.days.map((day) => dayNumbers[day] ?? 0), from: during.from, to: during.to }
      : null,
  };
}

function policyOf({ name, groupBy, wait, steps, repeat, ackTimeout }: Document['policies'][number]): Policy {
  return {
    name,
    groupBy,
    waitMs: msOf(wait),
    steps: steps.map(({ page, ackWithin }) => ({
      targets: page.flatMap(targetOf),
      ackWithinMs: ackWithin === undefined ? null : msOf(ackWithin),
    })),
    repeat,
    ackTimeoutMs: msOf(ackTimeout),
  };
}

function targetOf(one: Document['policies'][number]['steps'][number]['page'][number]): Target[] {
  return targetKinds.flatMap((kind) => {
    const name = one[kind];
    return name === undefined ? [] : [{ kind, name, to: one.to ?? '' }];
  });
}

/** Several values of one label are one expression: any of them. */
function matchersOf(match: Document['routes'][number]['match']): Matcher[] {
  return Object.entries(match).map(([name, given]) => {
    const values = typeof given === 'string' ? [given] : given;
    const [only = ''] = values;
    const expression = expressionIn(only);
    if (values.length === 1 && expression === null)
      return { name, value: only, isEqual: true, isRegex: false };
    const any = values.map((word) => expressionIn(word) ?? word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
    return { name, value: any.join('|'), isEqual: true, isRegex: true };
  });
}

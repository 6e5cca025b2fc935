import { z } from 'zod';
import type { IncomingAlert } from '#alerting';
import { Failure } from '#base';
import type { AcknowledgeRequest, NotifyTestRequest, SilenceRequest } from '#contract';
import type { AlertAnnotations, AlertLabels } from '#events';

const alertsMax = 20_000;
const labelsMax = 64;
const matchersMax = 64;
const dayMs = 24 * 60 * 60_000;
const silenceDaysMax = 366;

const by = z.string().regex(/^[a-z]+:[\w.@-]{1,100}$/);
const comment = z.string().max(2_000);
const labelName = z.string().regex(/^[A-Za-z_]\w{0,127}$/, 'the name of a label');
const words = (longest: number) =>
  z
    .record(labelName, z.string().max(longest))
    .refine((given) => Object.keys(given).length <= labelsMax, `at most ${labelsMax} of them`);
const labels = words(1_024).refine((given) => Boolean(given.alertname), 'alertname is missing');
/** Go's zero time means that there is none. */
const time = z.iso
  .datetime({ offset: true })
  .transform((text) => (text.startsWith('0001-01-01') ? null : Date.parse(text)));

const alert = z.object({
  labels,
  annotations: words(8_192).default({}),
  startsAt: time.nullish(),
  endsAt: time.nullish(),
  generatorURL: z.string().max(2_048).default(''),
});
const posted = z.array(alert).max(alertsMax);
const hooked = z.object({
  version: z.literal('4'),
  alerts: z.array(alert.extend({ status: z.enum(['firing', 'resolved']) })).max(alertsMax),
});

/** `POST /api/v2/alerts`. @throws Failure HF405 with the field. */
export function readPostedAlerts(body: unknown, now: number): readonly IncomingAlert[] {
  return read(posted, body).map((one) =>
    incoming(one, now, one.endsAt !== null && one.endsAt !== undefined && one.endsAt <= now),
  );
}

/** What Alertmanager's webhook receiver sends, version 4. @throws Failure HF405 with the field. */
export function readHookedAlerts(body: unknown, now: number): readonly IncomingAlert[] {
  return read(hooked, body).alerts.map((one) => incoming(one, now, one.status === 'resolved'));
}

function incoming(one: z.output<typeof alert>, now: number, resolved: boolean): IncomingAlert {
  // A label without a value is none: it must not make another alert of it.
  const set = Object.fromEntries(Object.entries(one.labels).filter(([, value]) => value !== ''));
  return {
    alert: {
      labels: set as AlertLabels,
      annotations: one.annotations as AlertAnnotations,
      startsAt: one.startsAt ?? now,
      endsAt: one.endsAt ?? null,
      generatorURL: one.generatorURL,
    },
    resolved,
  };
}

const silence = z.object({
  matchers: z
    .array(
      z.object({
        name: labelName,
        value: z.string().max(1_024),
        isRegex: z.boolean(),
        isEqual: z.boolean().default(true),
      }),
    )
    .min(1)
    .max(matchersMax),
  startsAt: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  endsAt: z.iso.datetime({ offset: true }).transform((text) => Date.parse(text)),
  createdBy: z.string().min(1).max(100),
  comment,
});

/** `POST /api/v2/silences`. @throws Failure HF405 with the field. */
export function readSilence(body: unknown): SilenceRequest {
  const given = read(silence, body);
  if (given.endsAt - given.startsAt > silenceDaysMax * dayMs)
    throw new Failure('HF405', `endsAt: expected at most ${silenceDaysMax} days after startsAt`);
  return given;
}

const acknowledge = z.strictObject({
  by,
  comment,
  forMs: z
    .int()
    .min(1_000)
    .max(7 * dayMs)
    .optional(),
});
const handOver = z.strictObject({ by, to: z.string().min(1).max(64) });
const test = z.strictObject({
  by,
  notifier: z.string().min(1).max(64).optional(),
  to: z.string().min(1).max(1_024).optional(),
});
const ending = z.strictObject({ by });

export function readAcknowledge(body: unknown): AcknowledgeRequest {
  const { forMs, ...rest } = read(acknowledge, body);
  return { ...rest, ...(forMs === undefined ? {} : { forMs }) };
}

export const readHandOver = (body: unknown) => read(handOver, body);
export const readEnding = (body: unknown) => read(ending, body);

export function readTest(body: unknown): NotifyTestRequest {
  const { notifier, to, ...rest } = read(test, body);
  return {
    ...rest,
    ...(notifier === undefined ? {} : { notifier }),
    ...(to === undefined ? {} : { to }),
  };
}

/** The first things that are wrong, each with its field. */
function read<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const said = result.error.issues.slice(0, 5).map(({ path, message }) => {
    const field = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
    return `${field.replace(/^\./, '') || 'the body'}: ${message}`;
  });
  throw new Failure('HF405', said.join('; '));
}

import { z } from 'zod';
import type { BuiltinRule } from '#dialects';
import {
  type Access,
  type Filters,
  type Forwarded,
  forwardedHeaders,
  type HeaderChanges,
  type PathChange,
  type RedirectTarget,
} from '#routing';

/** What the rules of a text may say. */
const text = z.string().min(1);

const valueCondition = { name: text, match: z.enum(['exact', 'regex']), value: z.string() };

const condition = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('host'), match: z.enum(['exact', 'suffix']), value: z.string() }),
  z.strictObject({ kind: z.literal('path'), match: z.enum(['exact', 'prefix', 'regex']), value: z.string() }),
  z.strictObject({ kind: z.literal('method'), value: z.string() }),
  z.strictObject({ kind: z.literal('header'), ...valueCondition }),
  z.strictObject({ kind: z.literal('query'), ...valueCondition }),
]);

const pathChange = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('full'), value: text }),
  z.strictObject({ kind: z.literal('prefix'), prefix: z.string(), value: text }),
]) satisfies z.ZodType<PathChange>;

const target = z.strictObject({
  scheme: z.enum(['http', 'https']),
  hostname: text.nullable(),
  port: z.int().min(1).max(65_535).nullable(),
  path: pathChange.nullable(),
}) satisfies z.ZodType<RedirectTarget>;

const headers = z.array(z.strictObject({ name: text, value: z.string() }));

const simple = [
  z.strictObject({ kind: z.literal('pool'), pool: text }),
  z.strictObject({ kind: z.literal('redirect'), status: z.int().min(300).max(399), to: target }),
  z.strictObject({
    kind: z.literal('answer'),
    status: z.int().min(200).max(599),
    headers,
    body: z.strictObject({ contentType: text, text: z.string() }).nullable(),
  }),
  z.strictObject({ kind: z.literal('reject') }),
] as const;

/** Of a listener whose rules take nothing. */
export const simpleAction = z.discriminatedUnion('kind', [...simple]);

const action = z.discriminatedUnion('kind', [
  ...simple,
  z.strictObject({
    kind: z.literal('split'),
    shares: z.array(z.strictObject({ pool: text, weight: z.int().min(1) })).min(1),
  }),
]);

const changes = z.strictObject({
  remove: z.array(text),
  set: headers,
  add: headers,
}) satisfies z.ZodType<HeaderChanges>;

export const access = z.strictObject({
  deny: z.array(text),
  allow: z.array(text),
  rate: z.strictObject({ name: text, requests: z.int().min(1), perMs: z.int().min(1) }).nullable(),
  basicAuth: z
    .strictObject({
      realm: text,
      users: z.array(z.strictObject({ name: text, passwordHash: text })),
    })
    .nullable(),
  bodyBytesMax: z.int().min(1).nullable(),
}) satisfies z.ZodType<Access>;

export const forwarded = z.strictObject({
  policy: z.enum(['replace', 'append', 'off']),
  trusted: z.array(text),
  also: z.array(z.enum(forwardedHeaders)),
}) satisfies z.ZodType<Forwarded>;

const filters = z.strictObject({
  rewrite: z.strictObject({ hostname: text.nullable(), path: pathChange.nullable() }).nullable(),
  requestHeaders: changes.nullable(),
  responseHeaders: changes.nullable(),
  access: access.nullable(),
  timeouts: z
    .strictObject({
      serverMs: z.int().min(1).nullable(),
      tunnelMs: z.int().min(1).nullable(),
      requestMs: z.int().min(1).optional(),
    })
    .optional(),
  mirror: z.strictObject({ pool: text, share: z.number().positive().max(1) }).optional(),
}) satisfies z.ZodType<Filters>;

export const rule = z.strictObject({
  route: z.string(),
  conditions: z.array(condition),
  action,
  filters: filters.optional(),
}) satisfies z.ZodType<BuiltinRule>;

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { messageOf } from '#base';
import type { BuiltinAction, BuiltinText } from '#dialects';
import type { Condition } from '#routing';
import { poolSchema } from './config-pools.ts';
import { access, forwarded, rule, simpleAction } from './config-rules.ts';

/** The text cannot be used: each mistake with its path. The process ends with 1. */
export class BadText extends Error {}

const text = z.string().min(1);
const count = z.int().min(0);
const milliseconds = z.int().min(1).max(86_400_000);
const tcp = { host: text, port: z.int().min(0).max(65_535) };

const listenAt = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('fd'), fd: z.int().min(3), host: z.string().optional() }),
  z.strictObject({ kind: z.literal('address'), ...tcp }),
  z.strictObject({ kind: z.literal('unix'), path: text }),
]);

const listener = z.strictObject({
  name: text,
  scheme: z.enum(['http', 'https']),
  host: text,
  port: z.int().min(0).max(65_535),
  at: listenAt,
  certificates: z.array(text),
  minVersion: z.enum(['1.2', '1.3']),
  http2: z.boolean(),
  clients: z
    .strictObject({ required: z.boolean(), authorities: text, revocations: text.optional() })
    .optional(),
  proxyFrom: z.array(text),
  access: access.optional(),
  forwarded,
  hsts: text.optional(),
  clientCertificate: z.enum(['told', 'removed']).optional(),
  rules: z.array(rule),
  otherwise: simpleAction,
});

const stream = z.strictObject({
  name: text,
  host: text,
  port: z.int().min(0).max(65_535),
  at: listenAt,
  door: text.optional(),
  byName: z.boolean(),
  inspectMs: milliseconds,
  proxyFrom: z.array(text),
  deny: z.array(text),
  allow: z.array(text),
  connectionsMax: z.int().min(1).nullable(),
  connectionsPerClientMax: z.int().min(1).nullable(),
  rules: z.array(
    z.strictObject({
      route: text,
      name: z.strictObject({ match: z.enum(['exact', 'suffix']), value: text }).nullable(),
      shares: z.array(z.strictObject({ pool: text, weight: z.int().min(1) })).min(1),
    }),
  ),
});

const schema = z.strictObject({
  format: z.literal(1),
  site: text,
  generation: count,
  control: text,
  entrance: text.nullable(),
  neighbour: text.nullable(),
  net: z.boolean(),
  ticketKeys: text.nullable(),
  workers: z.int().min(1).max(64),
  limits: z.strictObject({
    headMs: milliseconds,
    idleMs: milliseconds,
    clientMs: milliseconds,
    bodyMs: milliseconds.optional(),
    headBytesMax: z.int().min(1_024).max(1_048_576),
    connectionsMax: z.int().min(1),
    requestsMax: z.int().min(1),
    pipelinedMax: z.int().min(1),
    errorsInARow: z.int().min(1),
    queuedMax: count,
    errorLinesMax: count,
  }),
  accessLog: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('stdout') }),
      z.strictObject({ kind: z.literal('file'), path: text }),
      z.strictObject({ kind: z.literal('syslog'), ...tcp }),
      z.strictObject({ kind: z.literal('syslogSocket'), path: text }),
    ])
    .nullable(),
  errorPages: z.array(z.strictObject({ status: z.int(), contentType: text, text: z.string() })).optional(),
  listeners: z.array(listener),
  streams: z.array(stream).optional(),
  streamEntrance: text.optional(),
  streamNeighbour: text.optional(),
  pools: z.array(poolSchema),
}) satisfies z.ZodType<BuiltinText>;

export function readText(file: string): BuiltinText {
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    throw new BadText(`${file} cannot be read: ${messageOf(error)}`);
  }
  return parseText(source, file);
}

function parseText(source: string, file: string): BuiltinText {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    throw new BadText(`${file} is not JSON: ${messageOf(error)}`);
  }
  const parsed = schema.safeParse(value);
  const mistakes = parsed.success ? inconsistencies(parsed.data) : parsed.error.issues.map(issueText);
  if (!parsed.success || mistakes.length > 0)
    throw new BadText(mistakes.map((m) => `${file} ${m}`).join('\n'));
  return parsed.data;
}

function issueText({ path, message }: { readonly path: PropertyKey[]; readonly message: string }): string {
  return `${path.map(String).join('.') || 'text'}: ${message}`;
}

function inconsistencies(text: BuiltinText): string[] {
  const pools = new Set(text.pools.map((p) => p.name));
  return [
    ...duplicates([...text.listeners, ...(text.streams ?? [])].map((l) => l.name)).map(
      (name) => `listeners: ${name} is there twice`,
    ),
    ...duplicates(text.pools.map((p) => p.name)).map((name) => `pools: ${name} is there twice`),
    ...text.listeners.flatMap((l) => listenerMistakes(l, pools)),
    ...(text.streams ?? []).flatMap(({ name, rules }) =>
      rules
        .flatMap(({ shares }) => shares)
        .filter(({ pool }) => !pools.has(pool))
        .map(({ pool }) => `streams.${name}: no pool is called ${pool}`),
    ),
    ...(text.neighbour !== null && text.neighbour === text.entrance
      ? ['neighbour: is this generation itself, which would be a loop']
      : []),
  ];
}

function listenerMistakes(listener: BuiltinText['listeners'][number], pools: ReadonlySet<string>): string[] {
  const where = `listeners.${listener.name}`;
  const actions = [listener.otherwise, ...listener.rules.map((rule) => rule.action)];
  const mirrors = listener.rules.flatMap(({ filters }) => filters?.mirror?.pool ?? []);
  const unknown = [...actions.flatMap(poolsOf), ...mirrors].filter((pool) => !pools.has(pool));
  return [
    ...unknown.map((pool) => `${where}: no pool is called ${pool}`),
    ...listener.rules.flatMap((rule) => rule.conditions.flatMap((c) => regexMistakes(c, where))),
    ...(listener.scheme === 'https' && listener.certificates.length === 0
      ? [`${where}: TLS needs a certificate`]
      : []),
  ];
}

function poolsOf(action: BuiltinAction): readonly string[] {
  if (action.kind === 'pool') return [action.pool];
  return action.kind === 'split' ? action.shares.map(({ pool }) => pool) : [];
}

function regexMistakes(condition: Condition, where: string): string[] {
  if (!('match' in condition) || condition.match !== 'regex') return [];
  try {
    new RegExp(condition.value);
    return [];
  } catch (error) {
    return [`${where}: ${messageOf(error)}`];
  }
}

function duplicates(names: readonly string[]): string[] {
  return names.filter((name, index) => names.indexOf(name) !== index);
}

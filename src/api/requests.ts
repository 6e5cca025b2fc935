import { z } from 'zod';
import { Failure } from '#base';
import type { ApplyRequest } from '#contract';
import { type CustomerReport, reportedSights } from '#events';
import { textDialects } from '#model';

const textCharactersMax = 4 * 1024 * 1024;
const includesMax = 1_000;
const filesMax = 10_000;
const by = z.string().regex(/^[a-z]+:[\w.@-]{1,100}$/);
const reason = z.string().max(2_000);
const path = z.string().min(1).max(4_096);

const applyRequest = z.strictObject({
  file: path,
  folder: path.startsWith('/'),
  text: z.string().max(textCharactersMax),
  dialect: z.enum(textDialects).optional(),
  includes: z
    .array(z.strictObject({ path: path.startsWith('/'), text: z.string().max(textCharactersMax) }))
    .max(includesMax)
    .optional(),
  digests: z
    .array(z.strictObject({ path: path.startsWith('/'), sha256: z.string().regex(/^[0-9a-f]{64}$|^$/) }))
    .max(filesMax)
    .optional(),
  policy: z.strictObject({ path: path.startsWith('/'), text: z.string().max(textCharactersMax) }).optional(),
  site: z.string().max(100).optional(),
  balancer: z.string().max(100).optional(),
  force: z.boolean(),
  newGeneration: z.boolean().optional(),
  older: z.boolean().optional(),
  queue: z.boolean().optional(),
  breakGlass: z.boolean().optional(),
  emergency: z.boolean().optional(),
  confirmWithinMs: z
    .int()
    .min(1_000)
    .max(24 * 3_600_000)
    .optional(),
  reason,
  release: z.boolean(),
  unfreeze: z.boolean(),
  by,
}) satisfies z.ZodType<ApplyRequest>;

const report = z.strictObject({
  sees: z.enum(reportedSights).default('other'),
  status: z.int().min(100).max(599).nullable().default(null),
  url: z.string().max(2_000).default(''),
  since: z.int().min(0).nullable().default(null),
  said: z.string().max(1_000).default(''),
  ticket: z.string().max(100).default(''),
});

const rollbackRequest = z.strictObject({ by, reason });
const driftRequest = z.strictObject({ mend: z.enum(['adopt', 'revert']) });
const writtenReport = report.extend({ by });
const abortRequest = z.strictObject({ by, reason, change: z.string().max(100).optional() });

export const readApplyRequest = (body: unknown): ApplyRequest => read(applyRequest, body);
export const readDriftRequest = (body: unknown) => read(driftRequest, body);
export const readRollbackRequest = (body: unknown) => read(rollbackRequest, body);

export const readAbortRequest = (body: unknown) => read(abortRequest, body);

/**
 * A report as a customer or support sends it. What may name a person is left out of its address: query, fragment, user.
 * @throws Failure HF405.
 */
export function readReport(
  body: unknown,
  via: CustomerReport['via'],
): Omit<CustomerReport, 'report' | 'client'> {
  const { url, said, ticket, ...rest } = read(report, body);
  return { ...rest, url: bareUrl(url), said: visible(said), ticket: visible(ticket), via };
}

/** The same with who wrote it down. @throws Failure HF405. */
export function readWrittenReport(body: unknown) {
  const { by: writer, ...rest } = read(writtenReport, body);
  return { by: writer, input: readReport(rest, 'person') };
}

function bareUrl(text: string): string {
  const bare = visible(text).replace(/[?#].*$/s, '');
  return bare.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1');
}

/** Without what a terminal or a page would act upon. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
}

/** @throws Failure HF405 that names every field that is wrong. */
function read<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`);
  throw new Failure('HF405', wrong.join('; '));
}

/** A whole number of the query, or `standard` when it is not given. @throws Failure HF405. */
export function readNumber(name: string, given: string | undefined, standard: number, max: number): number {
  if (given === undefined) return standard;
  if (/^\d{1,15}$/.test(given)) return Math.min(Number(given), max);
  throw new Failure('HF405', `${name}: expected a whole number, got "${given}"`);
}

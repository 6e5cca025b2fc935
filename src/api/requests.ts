import { z } from 'zod';
import { Failure } from '#base';
import type { ApplyRequest } from '#contract';
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

const rollbackRequest = z.strictObject({ by, reason });
const abortRequest = z.strictObject({ by, reason, change: z.string().max(100).optional() });

export const readApplyRequest = (body: unknown): ApplyRequest => read(applyRequest, body);
export const readRollbackRequest = (body: unknown) => read(rollbackRequest, body);

export const readAbortRequest = (body: unknown) => read(abortRequest, body);

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

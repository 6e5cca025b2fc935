import type { Context } from 'hono';
import { type Code, catalogue, Failure, messageOf } from '#base';
import type { ProblemView } from '#contract';

type ProblemStatus = 400 | 401 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503;

/** Where a code's class does not say it: HF0xx is a bad text, HF1xx a refusal, HF2xx and HF3xx what is not there now. */
const statuses: Partial<Record<Code, ProblemStatus>> = {
  HF002: 413,
  HF110: 400,
  HF304: 503,
  HF403: 401,
  HF404: 404,
  HF405: 400,
  HF406: 429,
  HF601: 429,
  HF605: 409,
  HF900: 500,
};

function statusOf(code: string): ProblemStatus {
  const known = isCode(code) ? statuses[code] : undefined;
  if (known) return known;
  if (code.startsWith('HF0')) return 422;
  if (code.startsWith('HF1')) return 409;
  return code.startsWith('HF9') ? 500 : 503;
}

function isCode(code: string): code is Code {
  return Object.hasOwn(catalogue, code);
}

/** A fault as `application/problem+json`. What is not a Failure is our own mistake. */
export function problem(c: Context, error: unknown): Response {
  const failure =
    error instanceof Failure ? error : new Failure('HF900', messageOf(error), catalogue.HF900.solve);
  const { code, remedy, diagnostics, message } = failure;
  const status = statusOf(code);
  const entry = isCode(code) ? catalogue[code] : catalogue.HF900;
  const body: ProblemView = {
    code,
    title: entry.title,
    status,
    detail: message,
    remedy: remedy || entry.solve,
    diagnostics,
  };
  return c.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json' });
}

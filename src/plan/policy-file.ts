import { createRequire } from 'node:module';
import type { z } from 'zod';
import { type Diagnostic, Failure, type Place } from '#base';
import { documentReader, type ReadDocument } from '#model';
import type * as Schemas from './policy-schema.ts';

/** Loaded when there is a policy to read: most plans have none, and need no schemas. */
const load = createRequire(import.meta.url);
const schemas = () => load('./policy-schema.ts') as typeof Schemas;

/**
 * What the owner of a site states beside it: cases that must come out as they say (`expect`), and policies that every
 * change is held against (`policies`). docs/policies.md has it with examples.
 */
export interface PolicyFile {
  readonly file: string;
  /** The text that it is about, relative to this file; null: it is said on the command line. */
  readonly text: string | null;
  readonly expect: readonly Expectation[];
  readonly policies: readonly Policy[];
}

export interface Expectation {
  readonly place: Place;
  /** `GET https://shop.example/cart?x=1` */
  readonly request: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly from: string | null;
  readonly outcome: ExpectedOutcome;
}

export type ExpectedOutcome =
  | { readonly kind: 'pool'; readonly pools: readonly string[] }
  | { readonly kind: 'redirect'; readonly to: string; readonly status: number | null }
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'reject' };

export interface Policy {
  readonly name: string;
  readonly place: Place;
  readonly rule: PolicyRule;
}

export type PolicyRule =
  | { readonly kind: 'always'; readonly requests: RequestClass; readonly pools: readonly string[] }
  | { readonly kind: 'never'; readonly requests: RequestClass; readonly pools: readonly string[] }
  | { readonly kind: 'https'; readonly requests: RequestClass }
  | { readonly kind: 'servers'; readonly pools: readonly string[]; readonly min: number }
  | {
      readonly kind: 'approvals';
      readonly requests: RequestClass;
      readonly count: number;
      /** Only of changes of at least this risk; null: of any. */
      readonly risk: ApprovalRisk | null;
    };

export type ApprovalRisk = 'low' | 'medium' | 'high';

/** All that is named must hold; what is not named is left open. */
export interface RequestClass {
  readonly hostnames: readonly string[];
  readonly path: {
    readonly type: 'Exact' | 'PathPrefix' | 'RegularExpression';
    readonly value: string;
  } | null;
  readonly methods: readonly string[];
  readonly scheme: 'http' | 'https' | null;
  /** Networks or addresses of clients. */
  readonly from: readonly string[];
}

export interface ReadPolicies {
  readonly policies: PolicyFile | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Whether a text is a policy file rather than a site: one of its two keys stands at the left edge. */
export function isPolicyFile(text: string): boolean {
  return /^(?:expect|policies):/m.test(text) && !/^(?:listeners|pools|routes|site):/m.test(text);
}

/** Every mistake at once. Never throws, whatever the text. */
export function readPolicies(text: string, file: string): ReadPolicies {
  return built(documentReader().readDocument(text, file, schemas().policySchema()), file);
}

/** What a site file states of itself: its `expect:` and `policies:`. Null: neither, or the text has mistakes. */
export function statedIn(text: string, file: string): ReadPolicies {
  if (!/^["']?(?:expect|policies)["']?:/m.test(text)) return { policies: null, diagnostics: [] };
  const { value, ...read } = documentReader().readDocument(text, file, schemas().statedSchema());
  return built({ ...read, value: value && { expect: value.expect, policies: value.policies } }, file);
}

function built({ value, diagnostics, placeOf }: ReadDocument<Document>, file: string): ReadPolicies {
  if (value === null) return { policies: null, diagnostics };
  const expect = value.expect.map((one, i) => {
    const { request, headers, from, ...rest } = one;
    const outcome = outcomeOf(rest);
    return { place: placeOf(['expect', i]), request, headers, from: from ?? null, outcome };
  });
  const policies = value.policies.map((one, i) => ({
    name: one.name,
    place: placeOf(['policies', i]),
    rule: ruleOf(one),
  }));
  const mistakes = [
    ...unless(expect, ({ outcome }) => outcome !== null, 'exactly one of pool, redirect, answer, reject'),
    ...unless(
      policies,
      ({ rule }) => rule !== null,
      'exactly one of always, never, https, servers, approvals',
    ),
  ];
  if (mistakes.length > 0) return { policies: null, diagnostics: [...diagnostics, ...mistakes] };
  const whole = {
    file,
    text: value.text ?? null,
    expect: expect.flatMap(({ outcome, ...one }) => (outcome ? [{ ...one, outcome }] : [])),
    policies: policies.flatMap(({ rule, ...one }) => (rule ? [{ ...one, rule }] : [])),
  };
  return { policies: whole, diagnostics };
}

/** @throws Failure with every mistake. */
export function mustReadPolicies(text: string, file: string): PolicyFile {
  const { policies, diagnostics } = readPolicies(text, file);
  if (policies) return policies;
  throw new Failure(diagnostics[0]?.code ?? 'HF011', `${file} is not a policy file`, '', diagnostics);
}

function unless<T extends { readonly place: Place }>(
  of: readonly T[],
  holds: (one: T) => boolean,
  expected: string,
): Diagnostic[] {
  return of
    .filter((one) => !holds(one))
    .map(({ place }) => ({
      code: 'HF012',
      severity: 'error',
      place,
      path: '',
      message: `expected ${expected}`,
      remedy: '',
    }));
}

type Document = z.output<ReturnType<typeof Schemas.policySchema>>;

function outcomeOf(
  one: Omit<Document['expect'][number], 'request' | 'headers' | 'from'>,
): ExpectedOutcome | null {
  const found: ExpectedOutcome[] = [];
  if (one.pool !== undefined) found.push({ kind: 'pool', pools: listOf(one.pool) });
  if (one.redirect)
    found.push({ kind: 'redirect', to: one.redirect.to, status: one.redirect.status ?? null });
  if (one.answer !== undefined) found.push({ kind: 'answer', status: one.answer });
  if (one.reject) found.push({ kind: 'reject' });
  return found.length === 1 ? (found[0] ?? null) : null;
}

function ruleOf(one: Document['policies'][number]): PolicyRule | null {
  const requests = classOf(one.requests);
  const found: PolicyRule[] = [];
  if (one.always !== undefined) found.push({ kind: 'always', requests, pools: listOf(one.always) });
  if (one.never !== undefined) found.push({ kind: 'never', requests, pools: listOf(one.never) });
  if (one.https) found.push({ kind: 'https', requests });
  if (one.servers) found.push({ kind: 'servers', pools: listOf(one.servers.pool), min: one.servers.min });
  if (one.approvals !== undefined)
    found.push({ kind: 'approvals', requests, count: one.approvals, risk: one.risk ?? null });
  return found.length === 1 ? (found[0] ?? null) : null;
}

function classOf(given: Document['policies'][number]['requests']): RequestClass {
  const { hostnames = [], path, methods = [], scheme, from = [] } = given ?? {};
  return { hostnames, path: path ?? null, methods, scheme: scheme ?? null, from };
}

function listOf(given: string | readonly string[]): readonly string[] {
  return typeof given === 'string' ? [given] : given;
}

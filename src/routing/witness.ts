import { createRequire } from 'node:module';
import { addressThatMayAsk } from './access.ts';
import { decide } from './decide.ts';
import type { Condition, Request, RoutedListener, Routing, Rule } from './routing.ts';
import type { wordsOf as WordsOf } from './words.ts';

/** Loaded when the first expression is met: automata take memory, and most who import this never look for a witness. */
const load = createRequire(import.meta.url);
const wordsOf: typeof WordsOf = (...given) =>
  (load('./words.ts') as { wordsOf: typeof WordsOf }).wordsOf(...given);

/** A request that a rule really gets. */
export interface Witness {
  readonly listener: RoutedListener;
  readonly rule: Rule;
  readonly request: Request;
}

/** A rule for which no request was found: earlier rules take all that was tried. */
export interface ShadowedRule {
  readonly listener: RoutedListener;
  readonly rule: Rule;
}

/** One request a rule, in the order of the rules. Pure: the same routing, the same requests. */
export function witnesses(routing: Routing): readonly Witness[] {
  return search(routing).witnesses;
}

export function shadowedRules(routing: Routing): readonly ShadowedRule[] {
  return search(routing).shadowed;
}

function search(routing: Routing): {
  readonly witnesses: readonly Witness[];
  readonly shadowed: readonly ShadowedRule[];
} {
  const found: Witness[] = [];
  const shadowed: ShadowedRule[] = [];
  for (const listener of routing.listeners) {
    const seen = new Set<string>();
    for (const rule of listener.rules) {
      // The same conditions again need no search: the first rule that has them decides.
      const key = JSON.stringify(rule.conditions);
      const request = seen.has(key) ? null : witnessOf(listener, rule);
      seen.add(key);
      if (request) found.push({ listener, rule, request });
      else shadowed.push({ listener, rule });
    }
  }
  return { witnesses: found, shadowed };
}

const attemptsMax = 400;
const wordsMax = 6;

/** Tries the plainest values first, then ones further from the plain, until one comes to this rule. */
function witnessOf(listener: RoutedListener, rule: Rule): Request | null {
  const choices = choicesFor(rule.conditions);
  if (choices.some(({ values }) => values.length === 0)) return null;
  let attempts = 0;
  for (const picks of byDistance(choices.map(({ values }) => values.length))) {
    if (++attempts > attemptsMax) return null;
    const request = requestOf(listener, choices, picks);
    if (decide(listener, request).rule === rule) return fromSomewhere(listener, rule, request);
  }
  return null;
}

/** From an address that may ask, where not every one may. */
function fromSomewhere(listener: RoutedListener, rule: Rule, request: Request): Request {
  const limits = [listener.access, rule.filters?.access ?? null];
  const everyone = limits.every((access) => !access || access.deny.length + access.allow.length === 0);
  const sourceAddress = everyone ? null : addressThatMayAsk(limits);
  return sourceAddress === null ? request : { ...request, sourceAddress };
}

interface Choice {
  readonly kind: 'host' | 'path' | 'method' | 'header' | 'query';
  readonly name: string;
  readonly values: readonly string[];
}

const plainHosts = ['www.example.com', 'other.example.net', 'a.b.example.org', '192.0.2.1'];
const plainMethods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'];
const plainPaths = ['/', '/index.html', '/witness', '/witness/a/b'];

/** What may be chosen freely: every condition has its values; where nothing is asked, plain ones will do. */
function choicesFor(conditions: readonly Condition[]): readonly Choice[] {
  const has = (kind: Choice['kind']) => conditions.some((condition) => condition.kind === kind);
  const free: Choice[] = [];
  if (!has('path')) free.push({ kind: 'path', name: '', values: plainPaths });
  if (!has('host')) free.push({ kind: 'host', name: '', values: plainHosts });
  if (!has('method')) free.push({ kind: 'method', name: '', values: plainMethods });
  return [...free, ...conditions.map(choiceFor)];
}

function choiceFor(condition: Condition): Choice {
  const { kind, value } = condition;
  switch (kind) {
    case 'method':
      return { kind, name: '', values: [value] };
    case 'host':
      return { kind, name: '', values: condition.match === 'exact' ? [value] : hostsUnder(value) };
    case 'path':
      return { kind, name: '', values: pathsFor(condition.match, value) };
    default: {
      const values = condition.match === 'exact' ? [value] : wordsOf(value, kind, wordsMax);
      return { kind, name: condition.name, values };
    }
  }
}

function hostsUnder(suffix: string): readonly string[] {
  return ['www', 'witness', 'a.b', 'witness.of.rule'].map((label) => `${label}${suffix}`);
}

function pathsFor(match: 'exact' | 'prefix' | 'regex', value: string): readonly string[] {
  if (match === 'exact') return [value];
  if (match === 'regex') return wordsOf(value, 'path', wordsMax);
  const prefix = value.endsWith('/') ? value.slice(0, -1) : value;
  return [prefix || '/', `${prefix}/witness`, `${prefix}/`, `${prefix}/witness/a/b`, `${prefix}/w.html`];
}

function requestOf(listener: RoutedListener, choices: readonly Choice[], picks: readonly number[]): Request {
  const picked = choices.map(({ kind, name, values }, i) => ({
    kind,
    name,
    value: values[picks[i] ?? 0] ?? '',
  }));
  const only = (kind: Choice['kind']) => picked.find((one) => one.kind === kind)?.value ?? '';
  const headers = picked.filter((one) => one.kind === 'header').map(({ name, value }) => [name, value]);
  return {
    method: only('method'),
    scheme: listener.scheme,
    host: only('host'),
    port: listener.port,
    path: only('path'),
    query: picked
      .filter((one) => one.kind === 'query')
      .map(({ name, value }) => `${name}=${value}`)
      .join('&'),
    headers: Object.fromEntries(headers),
  };
}

/** Every way to pick one of each, the sum of the picks rising: 000, 100, 010, 001, 200, ... */
function* byDistance(sizes: readonly number[]): Generator<readonly number[]> {
  const farthest = sizes.reduce((sum, size) => sum + size - 1, 0);
  for (let distance = 0; distance <= farthest; distance++) yield* picksAt(sizes, distance);
}

function* picksAt(sizes: readonly number[], distance: number): Generator<readonly number[]> {
  const [size, ...rest] = sizes;
  if (size === undefined) {
    if (distance === 0) yield [];
    return;
  }
  const reach = rest.reduce((sum, one) => sum + one - 1, 0);
  for (let pick = Math.min(size - 1, distance); pick >= Math.max(0, distance - reach); pick--) {
    for (const others of picksAt(rest, distance - pick)) yield [pick, ...others];
  }
}

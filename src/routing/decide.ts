import { linearMatcher, type Matcher } from './automaton.ts';
import type { Action, Condition, Request, RoutedListener, Rule } from './routing.ts';

/**
 * What a request gets. This is the one definition of what a condition means; every engine's text is measured
 * against it.
 *
 * - host: lower case, without port. Suffix `.shop.example` takes one label or more before it.
 * - path: the raw target up to `?`, nothing decoded or merged. Prefix by whole segments: `/foo` takes `/foo`,
 *   `/foo/` and `/foo/x`, not `/foobar`.
 * - method: exact, case counts.
 * - header: name in any case, first value as a whole (not split at commas), case counts.
 * - query: parts between `&` (a `;` separates nothing), nothing decoded, the first part with that name; without `=`
 *   the value is empty. Case counts.
 * - a regular expression must match the whole value; an absent value matches nothing, not even `.*`.
 */
export function decide(listener: RoutedListener, request: Request): { rule: Rule | null; action: Action } {
  const rule = listener.rules.find((r) => r.conditions.every((c) => holds(c, request))) ?? null;
  return { rule, action: rule?.action ?? listener.otherwise };
}

export function holds(condition: Condition, request: Request): boolean {
  switch (condition.kind) {
    case 'host':
      return hostHolds(condition.match, condition.value, request.host);
    case 'path':
      return pathHolds(condition.match, condition.value, request.path);
    case 'method':
      return request.method === condition.value;
    case 'header':
      return valueHolds(condition, headerValue(request, condition.name));
    case 'query':
      return valueHolds(condition, queryValue(request.query, condition.name));
  }
}

function hostHolds(match: 'exact' | 'suffix', value: string, host: string): boolean {
  const name = hostName(host);
  if (match === 'exact') return name === value;
  return name.length > value.length && name.endsWith(value);
}

/** `Shop.example:8080` -> `shop.example`, `[::1]:80` -> `[::1]`. */
export function hostName(host: string): string {
  return host.toLowerCase().replace(/:\d*$/, '');
}

function pathHolds(match: 'exact' | 'prefix' | 'regex', value: string, path: string): boolean {
  if (match === 'exact') return path === value;
  if (match === 'regex') return wholeRegex(value).test(path);
  const prefix = value.endsWith('/') ? value.slice(0, -1) : value;
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

function valueHolds(
  { match, value }: { readonly match: 'exact' | 'regex'; readonly value: string },
  actual: string | null,
): boolean {
  if (actual === null) return false;
  return match === 'exact' ? actual === value : wholeRegex(value).test(actual);
}

function headerValue(request: Request, name: string): string | null {
  const wanted = name.toLowerCase();
  for (const [key, value] of Object.entries(request.headers)) if (key.toLowerCase() === wanted) return value;
  return null;
}

function queryValue(query: string, name: string): string | null {
  if (query === '') return null;
  for (const part of query.split('&')) {
    const equals = part.indexOf('=');
    const key = equals < 0 ? part : part.slice(0, equals);
    if (key === name) return equals < 0 ? '' : part.slice(equals + 1);
  }
  return null;
}

const matchersMax = 10_000;
const matchers = new Map<string, Matcher>();

/** No `u`: a value is a row of bytes, as it is for the engines. Throws for an expression that the parser of the site would have refused. */
export function wholeRegex(source: string): Matcher {
  const known = matchers.get(source);
  if (known) return known;
  if (matchers.size >= matchersMax) matchers.clear();
  const regex = new RegExp(`^(?:${source})$`);
  const matcher = linearMatcher(source) ?? regex;
  matchers.set(source, matcher);
  return matcher;
}

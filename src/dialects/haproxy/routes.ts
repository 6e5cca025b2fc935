import { unreachable } from '#base';
import type { Access, Action, Condition, ErrorPage, RoutedListener, Rule } from '#routing';
import { accessSetup, accessUses } from './access.ts';
import { backendName } from './answers.ts';
import type { FilterTable } from './filters.ts';
import { argument, comment, literally, name, ours, word } from './vocabulary.ts';

/** A frontend's part that decides: what each condition means stands at `decide` in `#routing`. */
export interface RoutingLines {
  /** Variables that the conditions read: http-request rules, which HAProxy runs before every `use_backend`. */
  readonly setup: readonly string[];
  readonly rules: readonly string[];
  /** The backend of what no rule takes. */
  readonly otherwise: string;
}

/** What all rules of a frontend share. */
interface Scope {
  readonly parameters: readonly string[];
  readonly filters: FilterTable;
  readonly pages: readonly ErrorPage[];
  /** Some request of this frontend gets filters, so the rules decide twice: first which filters, then which backend. */
  readonly marked: boolean;
  readonly counted: string;
}

/**
 * The rules of one listener, or of several behind one door: where these differ, the port (and address) that the
 * client connected to decides, as the PROXY protocol carries it. `counted`: under which condition requests count for
 * rates; empty: always.
 */
export function routingLines(
  listeners: readonly RoutedListener[],
  filters: FilterTable,
  pages: readonly ErrorPage[],
  counted: string,
): RoutingLines {
  const rules = listeners.flatMap((listener) => listener.rules);
  const parameters = [...new Set(rules.flatMap(queryNames))];
  const scope: Scope = {
    parameters,
    filters,
    pages,
    marked: rules.some((rule) => rule.filters !== null),
    counted,
  };
  const [first] = listeners;
  const alike = first !== undefined && listeners.every((l) => sameRules(l, first));
  const lines = alike
    ? rulesOf(first, { prefix: '', guard: '' }, scope)
    : listeners.map((listener, index) => guardedRules(listener, index, listeners, scope));
  const all = [lines].flat();
  return {
    setup: [
      'http-request set-var(txn.host) req.hdr(host),host_only,lower',
      ...parameters.flatMap((parameter, index) => queryVariable(parameter, index)),
      ...[...new Set(rules.flatMap(totalOf))].map(
        (total) => `http-request set-var(${shareVariable(total)}) rand(${total})`,
      ),
      ...all.flatMap(({ marks }) => marks),
      ...routeLimits(rules, scope),
    ],
    rules: all.flatMap(({ uses }) => uses),
    otherwise: backendName(alike ? first.otherwise : notFound),
  };
}

const notFound = { kind: 'answer', status: 404, headers: [], body: null } as const;

function sameRules(a: RoutedListener, b: RoutedListener): boolean {
  const meaning = ({ rules, access, otherwise }: RoutedListener) =>
    JSON.stringify([rules.map((rule) => [rule.conditions, rule.action, rule.filters]), access, otherwise]);
  return a === b || meaning(a) === meaning(b);
}

/** The lines of one listener: `marks` go before every `use_backend` of the frontend. */
interface RuleLines {
  readonly marks: readonly string[];
  readonly uses: readonly string[];
}

function guardedRules(
  listener: RoutedListener,
  index: number,
  all: readonly RoutedListener[],
  scope: Scope,
): RuleLines {
  const door = `l${index + 1}`;
  const shared = all.some((l) => l !== listener && l.port === listener.port);
  const here = shared && /^[\d.]+$|:/.test(listener.host);
  const guard = `${door}.port${here ? ` ${door}.address` : ''}`;
  const { marks, uses } = rulesOf(listener, { prefix: door, guard }, scope);
  const acls = [
    comment(`listener ${listener.name}`),
    `acl ${door}.port dst_port ${listener.port}`,
    ...(here ? [`acl ${door}.address dst ${word(listener.host)}`] : []),
  ];
  return {
    marks: marks.length > 0 ? [...acls, ...marks] : [],
    uses: [...(marks.length > 0 ? [] : acls), ...uses, ...useLines(listener.otherwise, guard)],
  };
}

function rulesOf(
  listener: RoutedListener,
  { prefix, guard }: { readonly prefix: string; readonly guard: string },
  scope: Scope,
): RuleLines {
  const rules = listener.rules.map((rule, index) => {
    const conditions = rule.conditions.map((condition, nth) => {
      const acl = `${prefix}r${index + 1}.${nth + 1}.${condition.kind}`;
      return { acl, lines: conditionLines(condition, scope.parameters).map((line) => `acl ${acl} ${line}`) };
    });
    const when = [guard, ...conditions.map(({ acl }) => acl)].filter((acl) => acl !== '').join(' ');
    const head = [
      comment(`route ${rule.route}${rule.place ? ` (${rule.place.file}:${rule.place.line})` : ''}`),
      ...conditions.flatMap(({ lines }) => lines),
    ];
    const uses = [...limitLines(rule, when, scope), ...useLines(rule.action, when)];
    return { head, mark: markLine(rule, when, scope), uses };
  });
  const limit = listener.access && { access: listener.access, acl: `${prefix}limit`, counter: 0 as const };
  const marks = limit ? accessSetup(limit, [scope.counted, guard].filter(Boolean).join(' ')) : [];
  const first = limit ? accessUses({ ...limit, when: guard, pages: scope.pages }) : [];
  return scope.marked
    ? {
        marks: [...marks, ...rules.flatMap(({ head, mark }) => [...head, mark])],
        uses: [...first, ...rules.flatMap(({ uses }) => uses)],
      }
    : { marks, uses: [...first, ...rules.flatMap(({ head, uses }) => [...head, ...uses])] };
}

/** The first rule that holds says which filters the request gets; a rule without any says so too. */
function markLine({ filters }: Rule, when: string, scope: Scope): string {
  const id = filters === null ? 'none' : scope.filters.idOf(filters);
  return `http-request set-var(${ours.filtersVariable}) str(${id}) if !{ ${ours.filters} -m found }${when === '' ? '' : ` ${when}`}`;
}

/** A route's own limit, counted once its filters are known. */
function routeLimits(rules: readonly Rule[], { filters: table, counted }: Scope): string[] {
  const limits = new Map<string, Access>();
  for (const { filters } of rules) if (filters?.access) limits.set(table.idOf(filters), filters.access);
  return [...limits].flatMap(([id, access]) =>
    accessSetup({ access, acl: id, counter: 1 }, `${counted} { ${ours.filters} -m str ${id} }`.trim()),
  );
}

function limitLines({ filters }: Rule, when: string, scope: Scope): string[] {
  if (!filters?.access) return [];
  const acl = scope.filters.idOf(filters);
  return accessUses({ access: filters.access, acl, counter: 1, when, pages: scope.pages });
}

function useLines(action: Action, when: string): string[] {
  if (action.kind !== 'split')
    return [`use_backend ${backendName(action)}${when === '' ? '' : ` if ${when}`}`];
  const total = action.shares.reduce((sum, { weight }) => sum + weight, 0);
  let below = 0;
  return action.shares.map(({ pool, weight }) => {
    below += weight;
    const drawn = below < total ? [`{ var(${shareVariable(total)}) -m int lt ${below} }`] : [];
    const condition = [when, ...drawn].filter((part) => part !== '').join(' ');
    return `use_backend ${name(pool)}${condition === '' ? '' : ` if ${condition}`}`;
  });
}

function totalOf({ action }: Rule): number[] {
  return action.kind === 'split' ? [action.shares.reduce((sum, { weight }) => sum + weight, 0)] : [];
}

function shareVariable(total: number): string {
  return `txn.of${total}`;
}

/** What stands behind `acl NAME`; several lines mean either. */
function conditionLines(condition: Condition, parameters: readonly string[]): string[] {
  switch (condition.kind) {
    case 'host':
      return condition.match === 'exact'
        ? [exactly('var(txn.host)', condition.value)]
        : [wholly('var(txn.host)', `.+${literally(condition.value)}`)];
    case 'method':
      return [exactly('method', condition.value)];
    case 'path':
      return pathLines(condition.match, condition.value);
    case 'header':
      return [valued(`req.fhdr(${argument(condition.name)},1)`, condition)];
    case 'query':
      return [valued(`var(${queryVariableName(parameters.indexOf(condition.name))})`, condition)];
    default:
      return unreachable(condition);
  }
}

function pathLines(match: 'exact' | 'prefix' | 'regex', value: string): string[] {
  if (match === 'exact') return [exactly('path', value)];
  if (match === 'regex') return [wholly('path', value)];
  const prefix = value.endsWith('/') ? value.slice(0, -1) : value;
  return prefix === '' ? ['always_true'] : [exactly('path', prefix), `path -m beg -- ${word(`${prefix}/`)}`];
}

function valued(sample: string, { match, value }: { match: 'exact' | 'regex'; value: string }): string {
  return match === 'exact' ? exactly(sample, value) : wholly(sample, value);
}

/** HAProxy ends its list of patterns at an empty one, and its patterns at a zero byte. */
function exactly(sample: string, value: string): string {
  if (value.includes('\0')) return 'always_false';
  return value === '' ? wholly(sample, '') : `${word(sample)} -m str -- ${word(value)}`;
}

function wholly(sample: string, expression: string): string {
  if (expression.includes('\0')) return 'always_false';
  return `${word(sample)} -m reg -- ${word(`^(?:${expression})$`)}`;
}

function queryNames({ conditions }: Rule): string[] {
  return conditions.flatMap((condition) => (condition.kind === 'query' ? [condition.name] : []));
}

function queryVariableName(index: number): string {
  return `txn.query${index + 1}`;
}

/**
 * The first part of the query with that name, or nothing. HAProxy's own `url_param` also splits at `;` and does not
 * see a name without `=`.
 */
function queryVariable(parameter: string, index: number): string[] {
  if (parameter.includes('\0')) return [];
  // Possessive (`*+`): with backtracking a long query would exceed PCRE's stack, and then match nothing.
  const before = `^(?:(?!${literally(parameter)}(?:[=&]|$))[^&]*+&)*+${literally(parameter)}`;
  const value = argument(`${before}(?:=([^&]*+))?(?:&.*+)?$`);
  const present = `${before}(?:[=&]|$)`;
  return [
    `http-request set-var(${queryVariableName(index)}) ${word(`query,regsub(${value},'\\1')`)} if { query -m reg -- ${word(present)} }`,
  ];
}

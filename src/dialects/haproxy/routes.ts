import { unreachable } from '#base';
import type { Action, Condition, RoutedListener, Rule } from '#routing';
import { argument, comment, literally, name, ours, word } from './vocabulary.ts';

/** A frontend's part that decides: what each condition means stands at `decide` in `#routing`. */
export interface RoutingLines {
  /** Variables that the conditions read: http-request rules, which HAProxy runs before every `use_backend`. */
  readonly setup: readonly string[];
  readonly rules: readonly string[];
  /** The backend of what no rule takes. */
  readonly otherwise: string;
}

/**
 * The rules of one listener, or of several behind one door: where these differ, the port (and address) that the
 * client connected to decides, as the PROXY protocol carries it.
 */
export function routingLines(listeners: readonly RoutedListener[]): RoutingLines {
  const parameters = [...new Set(listeners.flatMap((l) => l.rules.flatMap(queryNames)))];
  const [first] = listeners;
  const alike = first !== undefined && listeners.every((l) => sameRules(l, first));
  return {
    setup: [
      'http-request set-var(txn.host) req.hdr(host),host_only,lower',
      ...parameters.flatMap((parameter, index) => queryVariable(parameter, index)),
    ],
    rules: alike
      ? ruleLines(first, '', '', parameters)
      : listeners.flatMap((listener, index) => guardedRules(listener, index, listeners, parameters)),
    otherwise: backendName(alike ? first.otherwise : { kind: 'answer', status: 404 }),
  };
}

function sameRules(a: RoutedListener, b: RoutedListener): boolean {
  const meaning = ({ rules, otherwise }: RoutedListener) =>
    JSON.stringify([rules.map(({ conditions, action }) => [conditions, action]), otherwise]);
  return a === b || meaning(a) === meaning(b);
}

function guardedRules(
  listener: RoutedListener,
  index: number,
  all: readonly RoutedListener[],
  parameters: readonly string[],
): string[] {
  const guard = `l${index + 1}`;
  const shared = all.some((l) => l !== listener && l.port === listener.port);
  const here = shared && /^[\d.]+$|:/.test(listener.host);
  return [
    comment(`listener ${listener.name}`),
    `acl ${guard}.port dst_port ${listener.port}`,
    ...(here ? [`acl ${guard}.address dst ${word(listener.host)}`] : []),
    ...ruleLines(listener, guard, `${guard}.port${here ? ` ${guard}.address` : ''} `, parameters),
    `use_backend ${backendName(listener.otherwise)} if ${guard}.port${here ? ` ${guard}.address` : ''}`,
  ];
}

function ruleLines(
  listener: RoutedListener,
  prefix: string,
  guard: string,
  parameters: readonly string[],
): string[] {
  return listener.rules.flatMap((rule, index) => {
    const conditions = rule.conditions.map((condition, nth) => {
      const acl = `${prefix}r${index + 1}.${nth + 1}.${condition.kind}`;
      return { acl, lines: conditionLines(condition, parameters).map((line) => `acl ${acl} ${line}`) };
    });
    const when = `${guard}${conditions.map(({ acl }) => acl).join(' ')}`.trim();
    return [
      comment(`route ${rule.route}${rule.place ? ` (${rule.place.file}:${rule.place.line})` : ''}`),
      ...conditions.flatMap(({ lines }) => lines),
      `use_backend ${backendName(rule.action)}${when === '' ? '' : ` if ${when}`}`,
    ];
  });
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

/** Every action is a backend. */
export function backendName(action: Action): string {
  switch (action.kind) {
    case 'pool':
      return name(action.pool);
    case 'answer':
      return `${ours.prefix}answer-${action.status}`;
    case 'redirect':
      return `${ours.prefix}redirect-${action.status}-${Buffer.from(action.location).toString('hex')}`;
    case 'reject':
      return `${ours.prefix}reject`;
    default:
      return unreachable(action);
  }
}

/** The one line of a backend that answers by itself. */
export function actionBackend(action: Action): string {
  switch (action.kind) {
    case 'pool':
      return '';
    case 'answer':
      return `http-request return status ${action.status}`;
    case 'redirect':
      return `http-request redirect location ${word(action.location.replaceAll('%', '%%'))} code ${action.status}`;
    case 'reject':
      return 'http-request reject';
    default:
      return unreachable(action);
  }
}

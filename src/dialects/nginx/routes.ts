import { unreachable } from '#base';
import type { Condition, RoutedListener, Rule } from '#routing';
import type { Locations } from './locations.ts';
import { map, type Value } from './maps.ts';
import { comment, literally, unnamed } from './vocabulary.ts';

/**
 * The rules as maps: one variable a condition, one a rule. A rule's variable is its location's name when it holds, else
 * that of the rule after it, so the first one that holds decides, and NGINX's own order of locations decides nothing.
 * Each variable is looked at only when it is needed, and once a request.
 */
export function routeMaps(listeners: readonly RoutedListener[], locations: Locations): string[] {
  const conditions = new Conditions(parametersOf(listeners));
  const [first] = listeners;
  const alike = first !== undefined && listeners.every((l) => sameRules(l, first));
  const lists = alike ? [first] : listeners;
  const chains = lists.map((listener, index) => ruleChain(listener, index, conditions, locations));
  const starts = chains.map(({ start }) => start);
  return [
    ...targetMaps(listeners),
    ...conditions.maps,
    ...chains.flatMap(({ maps }) => maps),
    ...(alike
      ? map('', '$holdfast_route', [], raw(starts[0] ?? ''))
      : map(
          '$holdfast_at',
          '$holdfast_route',
          listeners.map((_, i) => [`~${addressOf(listeners, i)}`, raw(starts[i] ?? '')] as const),
          raw(locations.nameOf(notFound, null)),
        )),
  ];
}

function sameRules(a: RoutedListener, b: RoutedListener): boolean {
  const meaning = ({ rules, otherwise }: RoutedListener) =>
    JSON.stringify([rules.map((rule) => [rule.conditions, rule.action, rule.filters]), otherwise]);
  return a === b || meaning(a) === meaning(b);
}

const notFound = { kind: 'answer', status: 404, headers: [], body: null } as const;

/** Names of ours, which may be variables. */
function raw(name: string): Value {
  return { raw: name };
}

/** Where the client connected to, as `ADDRESS PORT`, or the private socket of a rehearsal. */
export function addressOf(all: readonly RoutedListener[], index: number): string {
  const { host, port } = all[index] ?? { host: '', port: 0 };
  const shared = all.some((l, i) => i !== index && l.port === port);
  const here = shared && /^[\d.]+$|:/.test(host) ? literally(host) : '.*';
  return `^(?:${here} ${port}|unix:.*/listen${index}\\.sock .*)$`;
}

/** Path and query are cut out of the target as the client wrote it: nothing is decoded or merged. */
function targetMaps(listeners: readonly RoutedListener[]): string[] {
  const parameters = parametersOf(listeners);
  return [
    ...map('$holdfast_target', '$holdfast_path', [['~^(?<holdfast_p>[^?]*)', raw('$holdfast_p')]], ''),
    ...map('$holdfast_target', '$holdfast_query', [['~^[^?]*\\?(?<holdfast_q>.*)$', raw('$holdfast_q')]], ''),
    ...parameters.flatMap((parameter, index) => {
      // Possessive (`*+`): with backtracking a long query would exceed what PCRE may try, and then match nothing.
      const name = literally(parameter);
      const before = `^(?:(?!${name}(?:[=&]|$))[^&]*+&)*+${name}`;
      const capture = `holdfast_v${index + 1}`;
      return map(
        '$holdfast_query',
        queryVariable(index),
        [[`~${before}(?:=(?<${capture}>[^&]*+))?(?:&|$)`, raw(`=$${capture}`)]],
        '',
      );
    }),
  ];
}

function parametersOf(listeners: readonly RoutedListener[]): string[] {
  const names = listeners.flatMap((l) =>
    l.rules.flatMap((rule) => rule.conditions.flatMap((c) => (c.kind === 'query' ? [c.name] : []))),
  );
  return [...new Set(names)];
}

function queryVariable(index: number): string {
  return `$holdfast_query${index + 1}`;
}

/** Every different condition once, whatever the number of rules that have it. */
class Conditions {
  readonly maps: string[] = [];
  readonly #known = new Map<string, string>();
  readonly #parameters: readonly string[];

  /** Names of query parameters, in the order of their variables. */
  constructor(parameters: readonly string[]) {
    this.#parameters = parameters;
  }

  variableOf(condition: Condition): string {
    const key = JSON.stringify(condition);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const variable = `$holdfast_c${this.#known.size + 1}`;
    this.#known.set(key, variable);
    const { subject, pattern } = conditionOf(condition, this.#parameters);
    this.maps.push(...map(subject, variable, [[pattern, '1']], '0'));
    return variable;
  }
}

function conditionOf(condition: Condition, parameters: readonly string[]) {
  switch (condition.kind) {
    case 'host': {
      const name = literally(condition.value);
      const whole = condition.match === 'exact' ? name : `.+${name}`;
      return { subject: '$holdfast_host', pattern: `~*^${whole}(?::\\d*)?$` };
    }
    case 'method':
      return { subject: '$request_method', pattern: wholly(condition.value, 'exact') };
    case 'path':
      return { subject: '$holdfast_path', pattern: pathPattern(condition.match, condition.value) };
    case 'header':
      return { subject: headerVariable(condition.name), pattern: wholly(condition.value, condition.match) };
    case 'query':
      return {
        subject: queryVariable(parameters.indexOf(condition.name)),
        pattern: wholly(condition.value, condition.match, '='),
      };
    default:
      return unreachable(condition);
  }
}

function headerVariable(name: string): string {
  return `$http_${name.toLowerCase().replaceAll('-', '_')}`;
}

function pathPattern(match: 'exact' | 'prefix' | 'regex', value: string): string {
  if (match !== 'prefix') return wholly(value, match);
  const prefix = value.endsWith('/') ? value.slice(0, -1) : value;
  return prefix === '' ? '~^' : `~^${literally(prefix)}(?:/|$)`;
}

function wholly(value: string, match: 'exact' | 'regex', before = ''): string {
  return match === 'exact' ? `~^${before}${literally(value)}$` : `~^${before}(?:${unnamed(value)})$`;
}

/** NGINX follows at most 100 variables into each other, so long chains hang as a tree. */
const chainMax = 16;

interface Chain {
  readonly start: string;
  readonly maps: readonly string[];
}

function ruleChain(
  listener: RoutedListener,
  index: number,
  conditions: Conditions,
  locations: Locations,
): Chain {
  const prefix = `$holdfast_l${index + 1}`;
  const maps: string[] = [];
  const links = listener.rules.map((rule, nth) => {
    const variables = rule.conditions.map((c) => conditions.variableOf(c));
    return { rule, variables, name: `${prefix}r${nth + 1}` };
  });
  const otherwise = locations.nameOf(listener.otherwise, null);
  // From the last to the first: each names the one after it, and the last of a block says nothing.
  const blocks: string[] = [];
  for (let from = 0; from < links.length; from += chainMax) {
    const block = links.slice(from, from + chainMax);
    block.forEach(({ rule, variables, name }, nth) => {
      const next = block[nth + 1]?.name ?? '';
      maps.push(comment(`route ${rule.route}${placeOf(rule)}`));
      maps.push(...ruleMap(name, variables, locations.nameOf(rule.action, rule.filters), next));
    });
    blocks.push(block[0]?.name ?? '');
  }
  const top = treeOf(blocks, prefix, maps);
  if (top === '') return { start: otherwise, maps };
  maps.push(...map(top, prefix, [['', raw(otherwise)]], raw(top)));
  return { start: prefix, maps };
}

function ruleMap(name: string, variables: readonly string[], location: string, next: string): string[] {
  if (variables.length === 0) return map('', name, [], raw(location));
  return map(variables.join(''), name, [['1'.repeat(variables.length), raw(location)]], raw(next));
}

function placeOf({ place }: Rule): string {
  return place ? ` (${place.file}:${place.line})` : '';
}

/** The first of them that is not empty, by variables that each look at `chainMax` at most. */
function treeOf(names: readonly string[], prefix: string, maps: string[], level = 1): string {
  if (names.length <= 1) return names[0] ?? '';
  const above: string[] = [];
  for (let from = 0; from < names.length; from += chainMax) {
    const some = names.slice(from, from + chainMax);
    some.forEach((name, nth) => {
      const next = nth + 1 < some.length ? `${prefix}t${level}_${from + nth + 2}` : '';
      maps.push(...map(name, `${prefix}t${level}_${from + nth + 1}`, [['', raw(next)]], raw(name)));
    });
    above.push(`${prefix}t${level}_${from + 1}`);
  }
  return treeOf(above, prefix, maps, level + 1);
}

import { begins, chosen, empty, encoded, holds, is, isEmptyWord, notEmpty, rest } from './folding.ts';
import {
  all,
  always,
  type Condition,
  type Fate,
  joined,
  type Language,
  not,
  type Sent,
  some,
  stepOf,
  text,
  type Value,
} from './meaning.ts';
import { said } from './scope.ts';
import { type State, unknown, type Where } from './state.ts';
import { ruled, stepThen } from './steps.ts';
import { hasVariables } from './template.ts';
import { type Asking, asQuoted, beginsWithSlash, evaluate, hostSent } from './variables.ts';
import type { Ways } from './ways.ts';

type Handler = Exclude<Where['handler'], null>;

const opaque: Readonly<Record<string, 'elsewhere' | 'files'>> = {
  js_content: 'elsewhere',
  content_by_lua: 'elsewhere',
  content_by_lua_block: 'elsewhere',
  content_by_lua_file: 'elsewhere',
  perl: 'elsewhere',
};

/** Answers that NGINX makes of itself. */
const builtIn = new Set([
  'stub_status',
  'empty_gif',
  'status',
  'api',
  'upstream_conf',
  'vhost_traffic_status_display',
  'rtmp_stat',
]);

/** What makes the content of a location: a pool, a program, NGINX itself, or a file. */
export function content(
  state: State,
  where: Where,
  ways: Ways,
  files: (state: State, where: Where) => Fate,
): Fate {
  const { handler } = where;
  if (!handler) return files(state, where);
  const { node } = handler;
  if (builtIn.has(node.name)) return ofItself(handler, state, where, ways);
  const why = opaque[node.name];
  if (why) return unknown(node, why);
  if (['flv', 'mp4'].includes(node.name)) return readOnly(handler, state, where, ways, files(state, where));
  if (!node.name.endsWith('_pass')) {
    ways.lifting.refuse(node, 'what it answers is not known');
    return unknown(node, 'not understood');
  }
  return passed(handler, state, where, ways);
}

/** Other methods than these two are refused by what NGINX has of its own. */
function ofItself({ node }: Handler, state: State, where: Where, ways: Ways): Fate {
  const answer: Fate = { kind: 'answer', status: state.status || 200, body: null };
  if (node.name !== 'stub_status' && node.name !== 'empty_gif') return answer;
  return readOnly({ node }, state, where, ways, answer);
}

function readOnly(
  { node }: Pick<Handler, 'node'>,
  state: State,
  where: Where,
  ways: Ways,
  inside: Fate,
): Fate {
  const taken = some([holds(state.method, is('GET')), holds(state.method, is('HEAD'))]);
  return stepThen(node, not(taken), ways.fail(405, state, where, node), inside);
}

const schemePorts: Readonly<Record<string, number>> = { http: 80, https: 443, grpc: 80, grpcs: 443 };

function passed(handler: Handler, state: State, where: Where, ways: Ways): Fate {
  const { node } = handler;
  const asking: Asking = { node, state, where, lifting: ways.lifting };
  const [word] = node.words;
  // Another `if` made it: nothing says where to.
  if (word === undefined) return unknown(node, 'complex');
  const isHttp = node.name === 'proxy_pass';
  if (!hasVariables(word)) return passedTo({ parts: [text(word)], isDynamic: false, isHttp }, asking);
  const cases = casesOf(evaluate(word, asking));
  if (cases.length > casesMax) return unknown(node, 'complex');
  const fates = cases.map(({ when, parts }) => ({
    when,
    fate: passedTo({ parts, isDynamic: true, isHttp }, asking),
  }));
  const last = fates.at(-1);
  if (!last) return unknown(node, 'complex');
  const steps = fates.slice(0, -1).map(({ when, fate }) => stepOf(node, when, fate));
  return steps.length === 0 ? last.fate : ruled(steps, last.fate);
}

const casesMax = 1000;

interface Case {
  readonly when: Condition;
  readonly parts: readonly Value[];
}

/** The first case that holds: texts as far as the value's choices decide them. */
function casesOf(value: Value): readonly Case[] {
  if (value.kind === 'chosen') {
    const then = casesOf(value.then).map((one) => ({ ...one, when: all([value.when, one.when]) }));
    return [...then, ...casesOf(value.otherwise)];
  }
  if (value.kind === 'orElse' && value.otherwise.kind === 'text')
    return [
      { when: notEmpty(value.of), parts: [value.of] },
      { when: always, parts: [value.otherwise] },
    ];
  if (value.kind === 'field' && value.field.kind === 'scheme')
    return casesOf(chosen(holds(value, is('https')), text('https'), text('http')));
  if (value.kind !== 'joined') return [{ when: always, parts: [value] }];
  let found: readonly Case[] = [{ when: always, parts: [] }];
  for (const part of value.parts) {
    const inner = casesOf(part);
    found = found.flatMap((one) =>
      isDecided(one.parts) || inner.length * found.length > casesMax
        ? [{ ...one, parts: [...one.parts, part] }]
        : inner.map((other) => ({
            when: all([one.when, other.when]),
            parts: [...one.parts, ...other.parts],
          })),
    );
  }
  return found;
}

/** The address is over; what follows is the URI. */
function isDecided(parts: readonly Value[]): boolean {
  const whole = joined(parts);
  const head =
    whole.kind === 'text'
      ? whole.text
      : whole.kind === 'joined' && whole.parts[0]?.kind === 'text'
        ? whole.parts[0].text
        : '';
  const authority = head.replace(/^[a-z]+:\/\//i, '');
  return authority.startsWith('unix:') ? /^unix:[^:]+:/.test(authority) : /^[^/?]+[/?]/.test(authority);
}

interface Target {
  readonly parts: readonly Value[];
  readonly isDynamic: boolean;
  readonly isHttp: boolean;
}

function passedTo({ parts, isDynamic, isHttp }: Target, asking: Asking): Fate {
  const { node, lifting } = asking;
  const whole = joined(parts);
  const pieces = whole.kind === 'joined' ? whole.parts : [whole];
  const [first, ...behind] = pieces;
  const head = first?.kind === 'text' ? first.text : '';
  const [, scheme, authority = '', uri = ''] =
    /^(?:([A-Za-z]+):\/\/)?(unix:[^:/]*(?:\/[^:]*)?(?=:|$)|[^/?]*)(:?[\s\S]*)$/.exec(head) ?? [];
  const path = uri.startsWith(':/') ? uri.slice(1) : uri;
  if (authority === '') return dynamic(authority, scheme, whole, asking);
  const [next] = path === '' ? behind : [];
  const port = node.name === 'memcached_pass' ? 11211 : (schemePorts[(scheme ?? '').toLowerCase()] ?? 80);
  const pool = lifting.pools.of(authority, port, node.place);
  const said = joined([...(path === '' ? [] : [text(path)]), ...behind]);
  const aimed: Asking = { ...asking, target: { scheme: (scheme ?? '').toLowerCase(), authority } };
  const sent = isHttp ? proxied({ uri: said, isDynamic }, aimed) : handed(aimed);
  const fate: Fate = { kind: 'pool', pool, sent };
  return next && !beginsWithSlash(next)
    ? stepThen(node, holds(next, ends), fate, unknown(node, 'elsewhere'))
    : fate;
}

/** The address ends in front of it. */
const ends: Language = { kind: 'union', of: [begins('/'), begins('?'), isEmptyWord] };

/** The address comes out of the request: the pools of that name are known, what a name server says of others is not. */
function dynamic(authority: string, scheme: string | undefined, whole: Value, asking: Asking): Fate {
  const { node, lifting } = asking;
  const otherwise = unknown(node, 'elsewhere');
  if (authority !== '' || whole.kind !== 'joined') return whole.kind === 'text' ? failing(asking) : otherwise;
  const [head, host, ...behind] = whole.parts;
  if (scheme === undefined || head?.kind !== 'text' || !host || behind.length > 0) return otherwise;
  return lifting.pools.all.reduceRight<Fate>((fate, pool) => {
    const aimed: Asking = { ...asking, target: { scheme: scheme.toLowerCase(), authority: pool.name } };
    const sent = proxied({ uri: empty, isDynamic: true }, aimed);
    return stepThen(
      node,
      holds(host, { kind: 'is', text: pool.name, ignoreCase: true }),
      { kind: 'pool', pool: pool.name, sent },
      fate,
    );
  }, otherwise);
}

/** An empty or invalid URL. */
function failing({ node }: Asking): Fate {
  return { kind: 'unknown', why: 'elsewhere', text: node.text, place: node.place };
}

interface Proxied {
  /** Behind the address; empty: none is said. */
  readonly uri: Value;
  readonly isDynamic: boolean;
}

/** The request line and the headers that `proxy_pass` makes (`ngx_http_proxy_create_request`). */
function proxied({ uri, isDynamic }: Proxied, asking: Asking): Sent {
  const { state, where } = asking;
  const { handler } = where;
  const method = said(where.scope, 'proxy_method').at(-1);
  const made = method ? evaluate(method.words[0] ?? '', asking) : changedMethod(state);
  const base = { method: made, ...headersSent('proxy', asking) };
  const hasUri = !(uri.kind === 'text' && uri.text === '');
  if (hasUri && isDynamic) return { ...base, ...divided(slashed(uri)) };
  if (!hasUri && state.unparsed) return { ...base, path: null, query: null };
  const name = hasUri && state.validLocation ? lengthOf(handler, where) : 0;
  const path = asQuoted(state, rest(state.uri, name), 'path');
  const fixed = hasUri && state.validLocation ? uri : empty;
  const mark = chosen(notEmpty(state.args), joined([text('?'), state.args]), empty);
  if (fixed.kind === 'text' && fixed.text.includes('?'))
    return { ...base, ...divided(joined([fixed, path, mark])) };
  return { ...base, path: joined([fixed, path]), query: queryOf(state) };
}

/** An empty one is sent without its question mark. */
function queryOf(state: State): Value {
  if (state.args.kind === 'text') return state.args.text === '' ? { kind: 'absent' } : state.args;
  return chosen(notEmpty(state.args), state.args, { kind: 'absent' });
}

function slashed(uri: Value): Value {
  const [first] = uri.kind === 'joined' ? uri.parts : [uri];
  return first?.kind === 'text' && first.text.startsWith('?') ? joined([text('/'), uri]) : uri;
}

function lengthOf(handler: Where['handler'], where: Where): number {
  const { location } = where;
  if (!handler || !location || !['exact', 'prefix'].includes(location.kind)) return 0;
  return location.name.length;
}

const changedMethod = ({ method }: State): Value | null =>
  method.kind === 'field' && method.field.kind === 'method' ? null : method;

/** At the first question mark that can be seen. */
function divided(uri: Value): { readonly path: Value; readonly query: Value | null } {
  const parts = uri.kind === 'joined' ? uri.parts : [uri];
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'text' && part.text.includes('?')) {
      const at = part.text.indexOf('?');
      const path = joined([...parts.slice(0, index), text(part.text.slice(0, at))]);
      const query = joined([text(part.text.slice(at + 1)), ...parts.slice(index + 1)]);
      return { path, query };
    }
    const mark = part.kind === 'chosen' ? markOf(part.then) : null;
    if (part.kind === 'chosen' && mark) {
      const behind = joined([...mark, ...parts.slice(index + 1)]);
      return { path: joined(parts.slice(0, index)), query: chosen(part.when, behind, { kind: 'absent' }) };
    }
  }
  return parts.some(mayHaveMark) ? atMark(uri) : { path: uri, query: { kind: 'absent' } };
}

/** What an expression took of a whole address. */
function mayHaveMark(value: Value): boolean {
  return value.kind === 'captured' && hasQuery(value.of);
}

function hasQuery(value: Value): boolean {
  switch (value.kind) {
    case 'field':
      return value.field.kind === 'query';
    case 'joined':
      return value.parts.some(hasQuery);
    case 'chosen':
      return hasQuery(value.then) || hasQuery(value.otherwise);
    default:
      return 'of' in value && hasQuery(value.of);
  }
}

function atMark(uri: Value): { readonly path: Value; readonly query: Value } {
  const has = holds(uri, { kind: 'contains', text: '?', ignoreCase: false });
  const regex = { source: '^[^?]*\\?((?s:.*))$', ignoreCase: false, syntax: 'pcre' } as const;
  const path: Value = { kind: 'part', of: uri, separators: '?', number: 1 };
  const query: Value = { kind: 'captured', of: uri, regex, group: 1 };
  return { path: chosen(has, path, uri), query: chosen(has, query, { kind: 'absent' }) };
}

function markOf(value: Value): readonly Value[] | null {
  const [first, ...others] = value.kind === 'joined' ? value.parts : [value];
  return first?.kind === 'text' && first.text.startsWith('?') ? [text(first.text.slice(1)), ...others] : null;
}

/** What FastCGI, uwsgi, SCGI, gRPC and memcached are given. */
function handed(asking: Asking): Sent {
  const { state, node } = asking;
  const kind = node.name.replace('_pass', '');
  const { host, headers } = headersSent(kind, asking);
  const isGrpc = kind === 'grpc';
  const path = state.unparsed ? null : isGrpc ? encoded(state.uri, 'path') : state.uri;
  return {
    method: changedMethod(state),
    path,
    query: state.unparsed ? null : queryOf(state),
    host: isGrpc ? host : null,
    headers,
  };
}

const noTarget = { scheme: '', authority: '' };

/** Headers that NGINX changes when nothing is said about them, but for those of one connection only. */
const usual: Readonly<Record<string, string>> = { connection: 'close', upgrade: '' };

function headersSent(kind: string, asking: Asking): Pick<Sent, 'host' | 'headers'> {
  const scope = asking.where.scope;
  const hasProxy = kind === 'proxy';
  const headers: Record<string, Value | null> = {};
  if (hasProxy)
    for (const [name, value] of Object.entries(usual)) headers[name] = value === '' ? null : text(value);
  let host: Value | null = hasProxy || kind === 'grpc' ? text(hostSent(asking.target ?? noTarget)) : null;
  const told = new Map<string, Value>();
  for (const node of said(scope, `${kind}_set_header`)) {
    const name = (node.words[0] ?? '').toLowerCase();
    const value = both(told.get(name) ?? empty, evaluate(node.words[1] ?? '', { ...asking, node }));
    told.set(name, value ?? empty);
    if (name === 'host') host = value !== null && asItCame(value) ? null : (value ?? { kind: 'absent' });
    else headers[name] = value;
  }
  return { host, headers };
}

/** Two lines of one name are both sent; an empty one is not. */
function both(one: Value, other: Value): Value | null {
  const isNothing = (value: Value) => value.kind === 'text' && value.text === '';
  if (isNothing(other)) return isNothing(one) ? null : one;
  if (isNothing(one)) return other;
  const behind = chosen(notEmpty(other), joined([one, text(', '), other]), one);
  return chosen(notEmpty(one), behind, other);
}

const asItCame = (value: Value): boolean =>
  value.kind === 'joined' &&
  value.parts.length === 1 &&
  value.parts[0]?.kind === 'field' &&
  value.parts[0].field.kind === 'host';

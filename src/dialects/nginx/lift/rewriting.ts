import { isThere } from './access.ts';
import { chosen, contains, either, empty, encoded, holds, is, matches, notEmpty } from './folding.ts';
import { keeping } from './keeping.ts';
import {
  all,
  always,
  type Condition,
  type Fate,
  joined,
  not,
  type Rules,
  type Step,
  stepOf,
  text,
  type Value,
} from './meaning.ts';
import { groupMayBeEmpty, groupsOf, pcre } from './regex.ts';
import { type Scope, scopeOf } from './scope.ts';
import { taking } from './sources.ts';
import { type Lifting, type State, unknown, type Where } from './state.ts';
import { piecesOf } from './template.ts';
import type { Node } from './tree.ts';
import { type Asking, absolute, asQuoted, evaluate, hostName, mayBeQuoted, variable } from './variables.ts';

/** What comes behind the directives of the rewrite module, and what they end in. */
export interface Ways {
  readonly lifting: Lifting;
  /** Behind the last one. */
  after(state: State, where: Where): Fate;
  /** An answer that NGINX makes itself, with its `error_page`. */
  fail(status: number, state: State, where: Where, node: Node): Fate;
  /** A redirect, of which `error_page` may have something to say too. */
  moved(moved: Moved, state: State, where: Where, node: Node): Fate;
}

export interface Moved {
  readonly status: number;
  readonly location: Value;
}

const rewriting = new Set(['rewrite', 'return', 'set', 'if', 'break']);
const setting = new Set(['set', 'rewrite_log', 'uninitialized_variable_warn']);

interface Frame {
  readonly codes: readonly Node[];
  readonly at: number;
  readonly outer: Frame | null;
}

/** The directives of the rewrite module, in their order (`ngx_http_rewrite_handler`). */
export function rewrites(state: State, where: Where, ways: Ways): Fate {
  const codes = where.scope.nodes.filter(({ name }) => rewriting.has(name));
  return run({ codes, at: 0, outer: null }, state, where, ways);
}

function run(frame: Frame, state: State, where: Where, ways: Ways): Fate {
  const node = frame.codes[frame.at];
  if (!node) return frame.outer ? run(frame.outer, state, where, ways) : ways.after(state, where);
  const next: Frame = { ...frame, at: frame.at + 1 };
  const asking: Asking = { node, state, where, lifting: ways.lifting };
  if (!ways.lifting.spend()) return unknown(node, 'complex');
  switch (node.name) {
    case 'set':
      return told(node, run(next, withSet(node, keepingFor(node.words.slice(1), asking)), where, ways));
    case 'break':
      return ways.after(state.changed ? { ...state, validLocation: false, changed: false } : state, where);
    case 'return':
      return returned(keepingFor(node.words, asking), ways);
    case 'rewrite':
      return rewritten(asking, ways, (changed) => run(next, changed, where, ways));
    default:
      return conditional(keepingFor(node.words, asking), next, ways);
  }
}

const keepingFor = (words: readonly string[], asking: Asking): Asking => ({
  ...asking,
  state: keeping(words, asking),
});

/** A step that decides nothing, for whoever reads the rules. */
function told(node: Node, fate: Fate): Fate {
  const step = stepOf(node, always, { kind: 'continue' });
  return fate.kind === 'rules' ? ruled([step, ...fate.rules.steps], fate.rules.otherwise) : fate;
}

export function ruled(steps: readonly Step[], otherwise: Fate): Fate {
  const rules: Rules = { steps, otherwise };
  return { kind: 'rules', rules };
}

/** A step, and behind it the rules of another fate as if they stood in one list. */
export function stepThen(
  node: Pick<Node, 'place' | 'text'>,
  when: Condition,
  then: Fate,
  otherwise: Fate,
): Fate {
  if (when.kind === 'never') return otherwise;
  const step: Step = { when, then, place: node.place, text: node.text };
  if (when.kind === 'always') return ruled([step], then);
  return otherwise.kind === 'rules'
    ? ruled([step, ...otherwise.rules.steps], otherwise.rules.otherwise)
    : ruled([step], otherwise);
}

function withSet(node: Node, asking: Asking): State {
  const { state } = asking;
  const name = (node.words[0] ?? '').replace(/^\$/, '').toLowerCase();
  const value = evaluate(node.words[1] ?? '', asking);
  if (name === 'args') return { ...state, args: value, unparsed: false };
  return { ...state, variables: new Map(state.variables).set(name, value) };
}

const redirects = new Set([301, 302, 303, 307, 308]);

function returned(asking: Asking, ways: Ways): Fate {
  const { node, state, where } = asking;
  const [first = '', said] = node.words;
  const isUrl = said === undefined && /^(?:https?:\/\/|\$scheme)/.test(first);
  const status = isUrl ? 302 : Number(first);
  const word = isUrl ? first : said;
  if (!Number.isInteger(status) || status > 999) {
    ways.lifting.refuse(node, `"${first}" is neither a status nor a URL`);
    return unknown(node, 'not understood');
  }
  if (redirects.has(status) && word !== undefined)
    return ways.moved({ status, location: absolute(evaluate(word, asking), asking) }, state, where, node);
  if ((status >= 400 || redirects.has(status)) && !word) return ways.fail(status, state, where, node);
  return { kind: 'answer', status: state.status || status, body: word ? evaluate(word, asking) : null };
}

interface Replacement {
  readonly node: Node;
  readonly source: string;
  readonly template: string;
  readonly keepsArgs: boolean;
  readonly redirect: number | null;
  readonly flag: string;
}

function replacementOf(node: Node): Replacement {
  const [source = '', said = '', flag = ''] = node.words;
  const keepsArgs = !said.endsWith('?');
  const template = keepsArgs ? said : said.slice(0, -1);
  const isUrl = /^(?:https?:\/\/|\$scheme)/.test(template);
  const redirect =
    flag === 'permanent' ? 301 : flag === 'redirect' || (isUrl && flag !== 'permanent') ? 302 : null;
  return { node, source, template, keepsArgs, redirect, flag };
}

function rewritten(asking: Asking, ways: Ways, next: (state: State) => Fate): Fate {
  const { node, state, where } = asking;
  const replacement = replacementOf(node);
  const regex = pcre(replacement.source);
  const when = holds(state.uri, matches(regex));
  const without = (): Fate => next({ ...state, captures: null });
  if (when.kind === 'never') return without();
  const matched = taking(state, state.uri, replacement.source, false);
  const taken = keeping([replacement.template], { ...asking, state: matched });
  const inside: Asking = { ...asking, state: fresh(taken, replacement, ways.lifting) };
  const otherwise = when.kind === 'always' ? unknown(node, 'complex') : without();
  if (replacement.redirect !== null) {
    const location = absolute(redirectTo(replacement, inside), inside);
    const fate = ways.moved({ status: replacement.redirect, location }, taken, where, node);
    return stepThen(node, when, fate, otherwise);
  }
  const written = rewriteTo(replacement, inside);
  const changed = { ...written, captures: taken.captures, internal: true, unparsed: false };
  const broken = { ...changed, validLocation: false, changed: false };
  const moved = { ...changed, changed: true };
  const then =
    replacement.flag === 'break'
      ? ways.after(broken, where)
      : replacement.flag === 'last'
        ? ways.after(moved, where)
        : next(moved);
  if (!mayBeEmpty(changed.uri)) return stepThen(node, when, then, otherwise);
  const none = all([when, not(notEmpty(changed.uri))]);
  return stepThen(node, none, ways.fail(500, taken, where, node), stepThen(node, when, then, otherwise));
}

/** A URI without a byte is none. */
function mayBeEmpty(uri: Value): boolean {
  switch (uri.kind) {
    case 'text':
      return uri.text === '';
    case 'joined':
      return uri.parts.every(mayBeEmpty);
    case 'field':
      return uri.field.kind !== 'path' && uri.field.kind !== 'normalisedPath';
    case 'captured':
      return typeof uri.group !== 'number' || groupMayBeEmpty(uri.regex.source, uri.group);
    case 'encoded':
      return mayBeEmpty(uri.of);
    default:
      return true;
  }
}

/** What it has just matched is what `$1` is, unless its own words ask for a map with an expression. */
function fresh(state: State, { node }: Replacement, { sources }: Lifting): State {
  return state.captures && !sources.matchesIn([node])
    ? { ...state, captures: { ...state.captures, fresh: true } }
    : state;
}

/** The literal question mark divides it. */
function divided(template: string): readonly [string, string | null] {
  const at = template.indexOf('?');
  return at < 0 ? [template, null] : [template.slice(0, at), template.slice(at + 1)];
}

function rewriteTo({ template, keepsArgs }: Replacement, asking: Asking): State {
  const { state } = asking;
  const [path, query] = divided(template);
  const uri = evaluate(path, asking);
  if (query === null) return { ...state, uri, args: keepsArgs ? state.args : empty };
  const written = joined(
    piecesOf(query).map((piece) => {
      if (piece.kind === 'text') return text(piece.text);
      const value = variable(piece.name, asking);
      return /^[0-9]+$/.test(piece.name) ? asQuoted(asking.state, value, 'query') : value;
    }),
  );
  const before = chosen(notEmpty(state.args), joined([text('&'), state.args]), empty);
  return { ...state, uri, args: keepsArgs ? joined([written, before]) : written };
}

/** Captures are escaped, and what was escaped is undone again but for what cannot stand in a header. */
function redirectTo({ template, keepsArgs }: Replacement, asking: Asking): Value {
  let isBehind = false;
  const parts = piecesOf(template).map((piece) => {
    if (piece.kind === 'text') {
      const written = isBehind ? piece.text : undone(piece.text);
      isBehind ||= piece.text.includes('?');
      return text(written);
    }
    const value = variable(piece.name, asking);
    if (!/^[0-9]+$/.test(piece.name)) {
      const made = isBehind ? { value, ends: true } : undoneIn(value);
      isBehind = made.ends;
      return made.value;
    }
    return isBehind ? asQuoted(asking.state, value, 'query') : asQuotedRedirect(value);
  });
  const mark = template.includes('?') ? '&' : '?';
  const args = asking.state.args;
  const behind = keepsArgs ? chosen(notEmpty(args), joined([text(mark), args]), empty) : empty;
  return joined([...parts, behind]);
}

const asQuotedRedirect = (value: Value): Value => {
  const isPlain = value.kind === 'text' && encoded(value, 'query') === value;
  return isPlain ? value : chosen(mayBeQuoted, redirectEncoded(value), value);
};

const redirectEncoded = (value: Value): Value => ({ kind: 'encoded', of: value, bytes: 'redirect' });

interface Undone {
  readonly value: Value;
  /** A question mark may stand in it: what follows is left as it is. */
  readonly ends: boolean;
}

/** Hosts with a `%` are none, names of servers have none. */
function undoneIn(value: Value): Undone {
  switch (value.kind) {
    case 'text':
      return { value: text(undone(value.text)), ends: value.text.includes('?') };
    case 'joined': {
      let ends = false;
      const parts = value.parts.map((part) => {
        const made = ends ? { value: part, ends } : undoneIn(part);
        ends = made.ends;
        return made.value;
      });
      return { value: joined(parts), ends };
    }
    case 'chosen': {
      const [then, otherwise] = [undoneIn(value.then), undoneIn(value.otherwise)];
      return { value: chosen(value.when, then.value, otherwise.value), ends: then.ends || otherwise.ends };
    }
    case 'orElse':
    case 'absent':
    case 'unknown':
      return { value, ends: false };
    default: {
      const isHost = value === hostName || (value.kind === 'field' && undecoded.has(value.field.kind));
      if (isHost) return { value, ends: false };
      const made: Value = { kind: 'decoded', of: value, plusIsSpace: false, redirect: true };
      return { value: chosen(holds(value, contains('%')), made, value), ends: false };
    }
  }
}

const undecoded: ReadonlySet<string> = new Set([
  'scheme',
  'method',
  'localPort',
  'localAddress',
  'sourceAddress',
]);

function undone(word: string): string {
  const at = word.indexOf('?');
  const head = at < 0 ? word : word.slice(0, at);
  const done = head.replace(/%([0-9A-Fa-f]{2})/g, (whole, hex: string) => {
    const code = Number.parseInt(hex, 16);
    return code > 0x25 && code < 0x7f ? String.fromCharCode(code) : whole;
  });
  return done + word.slice(head.length);
}

function conditional(asking: Asking, next: Frame, ways: Ways): Fate {
  const { node, state, where } = asking;
  const block = node.block ?? [];
  const tested = conditionOf(asking);
  if (!tested) {
    ways.lifting.refuse(node, 'a condition of a form that is not known');
    return unknown(node, 'not understood');
  }
  const { when, matched, missed } = tested;
  const inLocation = where.scope.kind !== 'server';
  const scope: Scope = inLocation ? scopeOf('if', node, block, locationScope(where.scope)) : where.scope;
  const lost =
    where.scope.kind === 'if' ||
    (inLocation &&
      locationScope(where.scope).nodes.some(({ name }) => name === 'try_files' || name === 'limit_except'));
  const isPlain = block.every(({ name, words }) => setting.has(name) && words[0]?.toLowerCase() !== '$args');
  if (!lost && isPlain && matched.variables === state.variables)
    return told(node, run(next, merged(block, when, { ...asking, state: matched }), where, ways));
  const handlerNode = inLocation ? handlerOf(scope) : null;
  const inside: Where = {
    ...where,
    scope,
    handler: handlerNode ? { node: handlerNode, scope } : inherited(where, scope),
  };
  const codes = block.filter(({ name }) => rewriting.has(name));
  const then = when.kind === 'never' ? null : run({ codes, at: 0, outer: next }, matched, inside, ways);
  if (when.kind === 'always' && then) return told(node, then);
  const otherwise = run(next, missed, where, ways);
  return then ? stepThen(node, when, then, otherwise) : otherwise;
}

/** It keeps who makes the content, and takes from where its location has it: of an `if` before it inherits nothing. */
function inherited({ scope, handler }: Where, inside: Scope): Where['handler'] {
  if (!handler || scope.kind !== 'if') return handler;
  const outer = handlerOf(locationScope(scope));
  if (outer?.name === handler.node.name) return { node: outer, scope: inside };
  return handler.node.name.endsWith('_pass')
    ? { node: { ...handler.node, words: [] }, scope: inside }
    : handler;
}

/** Blocks of `if` in one location do not inherit from each other. */
function locationScope(scope: Scope): Scope {
  return scope.kind === 'if' && scope.parent ? scope.parent : scope;
}

/** An `if` that only sets: its values are chosen by its condition, the way goes on as one. */
function merged(block: readonly Node[], when: Condition, asking: Asking): State {
  const before = keeping(
    block.flatMap(({ name, words }) => (name === 'set' ? words.slice(1) : [])),
    asking,
    false,
  );
  let inside = before;
  for (const node of block)
    if (node.name === 'set') inside = withSet(node, { ...asking, node, state: inside });
  const variables = new Map(before.variables);
  for (const [name, value] of inside.variables)
    if (value !== before.variables.get(name))
      variables.set(name, chosen(when, value, before.variables.get(name) ?? empty));
  return { ...before, variables };
}

const handlers =
  /^(?:(?:proxy|fastcgi|uwsgi|scgi|memcached|grpc|tunnel)_pass|stub_status|empty_gif|flv|mp4|perl|status|api|upstream_conf|js_content|content_by_lua(?:_block|_file)?|f4f|hls|image_filter_handler|vhost_traffic_status_display|rds_json_ret|echo|echo_.*|nchan_.*|push_stream_.*|shib_.*handler|rtmp_stat|rtmp_control|random_index_handler)$/;

/** The last one that says who makes the content. */
export function handlerOf(scope: Scope): Node | null {
  return (
    scope.nodes.findLast(
      ({ name, words }) => handlers.test(name) && (name !== 'stub_status' || words[0] !== 'off'),
    ) ?? null
  );
}

interface Tested {
  readonly when: Condition;
  readonly matched: State;
  readonly missed: State;
}

function conditionOf(asking: Asking): Tested | null {
  const { node, state } = asking;
  const words = inParentheses(node.words);
  if (!words) return null;
  const [first = '', operator, last = ''] = words;
  const same = (when: Condition): Tested => ({ when, matched: state, missed: state });
  const file = fileTests[first];
  if (file !== undefined && operator !== undefined && words.length === 2) {
    const when = isThere(file.test, evaluate(operator, asking), node);
    return same(file.no ? not(when) : when);
  }
  if (!/^\$[A-Za-z0-9_]/.test(first) || words.length === 2 || words.length > 3) return null;
  const value = variable(first.slice(1).toLowerCase(), asking);
  if (operator === undefined) return same(truth(value));
  if (operator === '=' || operator === '!=') {
    const when = equals(value, evaluate(last, asking), node);
    return same(operator === '=' ? when : not(when));
  }
  const [, negative, fold] = /^(!?)~(\*?)$/.exec(operator) ?? [];
  if (negative === undefined) return null;
  const ignoreCase = fold === '*';
  const when = holds(value, matches(pcre(last, ignoreCase)));
  const taken =
    groupsOf(last).names.length > 0
      ? taking(state, value, last, ignoreCase)
      : { ...state, captures: { of: value, regex: pcre(last, ignoreCase), count: groupsOf(last).count } };
  const missed = { ...state, captures: null };
  return negative ? { when: not(when), matched: missed, missed: taken } : { when, matched: taken, missed };
}

const fileTests: Readonly<
  Record<string, { readonly test: Parameters<typeof isThere>[0]; readonly no: boolean }>
> = Object.fromEntries(
  (['-f', '-d', '-e', '-x'] as const).flatMap((test) => [
    [test, { test, no: false }],
    [`!${test}`, { test, no: true }],
  ]),
);

function inParentheses(words: readonly string[]): readonly string[] | null {
  const first = words[0] ?? '';
  const last = words.at(-1) ?? '';
  if (!first.startsWith('(') || !last.endsWith(')')) return null;
  const inner = [...words];
  inner[0] = first.slice(1);
  inner[inner.length - 1] = (inner.at(-1) ?? '').slice(0, -1);
  const from = inner[0] === '' ? 1 : 0;
  const to = inner.length > 1 && inner.at(-1) === '' && words.at(-1) === ')' ? -1 : undefined;
  return inner.slice(from, to);
}

/** Empty and `0` are false. */
function truth(value: Value): Condition {
  return all([notEmpty(value), not(holds(value, is('0')))]);
}

function equals(value: Value, other: Value, node: Node): Condition {
  if (other.kind === 'text') return holds(value, is(other.text));
  if (value.kind === 'text') return holds(other, is(value.text));
  if (other.kind === 'chosen')
    return either(other.when, equals(value, other.then, node), equals(value, other.otherwise, node));
  return { kind: 'unknown', why: 'complex', place: node.place, text: node.text };
}

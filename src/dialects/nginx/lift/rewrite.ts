import { chosen, contains, empty, encoded, holds, matches, notEmpty } from './folding.ts';
import { keeping } from './keeping.ts';
import { all, type Fate, joined, not, text, type Value } from './meaning.ts';
import { groupMayBeEmpty, pcre } from './regex.ts';
import { taking } from './sources.ts';
import { type Lifting, type State, unknown } from './state.ts';
import { stepThen } from './steps.ts';
import { piecesOf } from './template.ts';
import type { Node } from './tree.ts';
import { type Asking, absolute, asQuoted, evaluate, hostName, mayBeQuoted, variable } from './variables.ts';
import type { Ways } from './ways.ts';

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

export function rewritten(asking: Asking, ways: Ways, next: (state: State) => Fate): Fate {
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

import { movedAs, pageOf, pageOfServer, redirectedBy } from './error-pages.ts';
import { chosen, dividedArgs, empty, encoded, hasHiddenMark, holds, is } from './folding.ts';
import { gated } from './gates.ts';
import { handlerOf } from './handlers.ts';
import { keeping } from './keeping.ts';
import { type Entry, entriesOf, type Location } from './locations.ts';
import {
  type Condition,
  type Fate,
  field,
  joined,
  not,
  type Rules,
  type Step,
  some,
  text,
  type Value,
} from './meaning.ts';
import { withRealAddress } from './real-address.ts';
import { rewrites } from './rewriting.ts';
import { own, said, scopeOf, word } from './scope.ts';
import { taking } from './sources.ts';
import { type Lifting, nodeOf, redirected, type Server, type State, unknown, type Where } from './state.ts';
import type { Going } from './static-files.ts';
import { ruled, stepThen } from './steps.ts';
import type { Node } from './tree.ts';
import { contentOf, tried } from './try-files.ts';
import { type Asking, absolute, evaluate } from './variables.ts';
import type { Moved, Ways } from './ways.ts';

/** A server's phases, from its own rewrites on. `refuses`: methods that NGINX refuses are its business too. */
export function served(first: State, server: Server, lifting: Lifting, refuses: boolean): Fate {
  lifting.renew();
  const phases = new Phases(server, lifting);
  const state = phases.begun(first);
  return refuses ? phases.refused(state) : phases.server(state);
}

export const isRefused: Condition = some(
  ['TRACE', 'CONNECT'].map((method) => holds(field('method'), is(method))),
);

const withoutTls = 497;

/** Its `error_page` has something to say to those who speak no TLS. */
export const answersPlain = (server: Server): boolean => pageOfServer(withoutTls, server) !== null;

/** Its `error_page` has something to say about methods that NGINX refuses. */
export function answersRefused(server: Server): boolean {
  return pageOfServer(405, server) !== null;
}

/** What a server says to those who speak no TLS where it does (`NGX_HTTP_TO_HTTPS`): before any of its phases. */
export function servedPlain(state: State, server: Server, lifting: Lifting): Fate {
  lifting.renew();
  return new Phases(server, lifting).plain(state);
}

/** `ngx_http_core_run_phases`, with a request whose parts are values. */
class Phases implements Going {
  readonly #server: Server;
  readonly lifting: Lifting;
  readonly #nowhere: Where;

  constructor(server: Server, lifting: Lifting) {
    this.#server = server;
    this.lifting = lifting;
    const { scope } = server;
    const handler = handlerOf(scope);
    this.#nowhere = { server, scope, location: null, handler: handler && { node: handler, scope } };
  }

  /** `NGX_HTTP_POST_READ_PHASE` */
  begun(state: State): State {
    return withRealAddress(state, this.#nowhere);
  }

  plain(state: State): Fate {
    return this.fail(withoutTls, state, this.#nowhere, nodeOf(this.#server));
  }

  refused(state: State): Fate {
    const line = { place: this.#server.place, text: 'TRACE, CONNECT' };
    const answer = this.fail(405, state, this.#nowhere, nodeOf(this.#server));
    return stepThen(line, isRefused, answer, this.server(state));
  }

  server(state: State): Fate {
    const { scope } = this.#server;
    const split = this.#split(
      scope.nodes.filter(({ name }) => name !== 'location'),
      state,
      (one) => this.server(one),
    );
    if (split) return split;
    const ways: Ways = {
      lifting: this.lifting,
      fail: this.fail.bind(this),
      moved: this.moved.bind(this),
      after: (after) => this.#find(after),
    };
    return rewrites(state, this.#nowhere, ways);
  }

  /** Behind a location's rewrites. */
  after(state: State, where: Where): Fate {
    if (!state.changed) return gated(state, where, this, (one) => tried(one, where, this));
    const changesLeft = state.changesLeft - 1;
    const node = where.scope.node ?? nodeOf(this.#server);
    if (changesLeft === 0) return this.fail(500, { ...state, changesLeft }, where, node);
    return this.#find({ ...state, changesLeft });
  }

  fail(status: number, state: State, where: Where, _node: Node): Fate {
    // Those three end the connection without a word, and without an error page.
    if (status === 408 || status === 444 || status === 499) return { kind: 'reject', how: 'close' };
    const page = pageFor(status, state, where);
    // What is told to clients.
    const own = status === withoutTls ? 400 : status;
    if (!page) return { kind: 'answer', status: own, body: null };
    const recursive = word(where.scope, 'recursive_error_pages', 'off') === 'on';
    const made = page.overwrite ?? own;
    const asking: Asking = { node: page.node, state, where, lifting: this.lifting };
    const target = evaluate(page.target, asking);
    const kept = keeping([page.target], asking);
    const next: State = { ...kept, inErrorPage: !recursive, status: made };
    if (page.target.startsWith('@')) return this.named(page.target, next, page.node, where);
    if (page.target.startsWith('/') || (target.kind === 'text' && target.text.startsWith('/'))) {
      const [path, args] = dividedArgs(target);
      const method = chosen(holds(state.method, is('HEAD')), state.method, text('GET'));
      const fate = this.redirect({ ...next, method }, path, args, page.node, where);
      return stepThen(page.node, hasHiddenMark(path), unknown(page.node, 'complex'), fate);
    }
    if (target.kind !== 'text' && !/^(?:http|\$scheme:)/.test(page.target))
      return unknown(page.node, 'complex');
    return { kind: 'redirect', status: redirectedBy(page), location: target };
  }

  moved({ status, location }: Moved, state: State, where: Where, node: Node): Fate {
    const page = pageFor(status, state, where);
    if (!page) return { kind: 'redirect', status, location };
    return movedAs(page, this.fail(status, state, where, node));
  }

  redirect(state: State, uri: Value, args: Value, node: Node, where: Where): Fate {
    const next = redirected(state, uri, args);
    if (next.changesLeft === 0) return this.fail(500, next, where, node);
    return this.server(next);
  }

  named(name: string, state: State, node: Node, where: Where): Fate {
    const location = this.#server.named.get(name);
    const next = { ...state, internal: true, changed: false, changesLeft: state.changesLeft - 1 };
    if (!location || next.changesLeft === 0)
      return this.fail(500, { ...next, inErrorPage: state.inErrorPage }, where, node);
    return this.#enter(location, next);
  }

  #find(state: State): Fate {
    const before = { ...state, changed: false };
    if (!this.lifting.spend())
      return unknown(nodeOf(this.#server), 'complex', 'too many ways through the locations');
    return this.#select(entriesOf(this.#server.level, state.uri), before, () => this.#enterServer(before));
  }

  #select(entries: readonly Entry[], state: State, otherwise: () => Fate): Fate {
    const steps: Step[] = [];
    for (const { when, location, slash } of entries) {
      const then = slash ? this.#slash(location, state) : this.#enter(location, state);
      steps.push({ when, then, place: location.place, text: location.text });
      if (when.kind === 'always') return ruled(steps, then);
    }
    const last = otherwise();
    return steps.length === 0 ? last : ruled(steps, last);
  }

  /** 301 to the location's name, which ends in a slash. */
  #slash(location: Location, state: State): Fate {
    const node = location.scope.node ?? nodeOf(this.#server);
    const where: Where = { server: this.#server, scope: location.scope, location, handler: null };
    if (isInternal(where) && !state.internal) return this.fail(404, state, where, node);
    const asking: Asking = { node, state, where, lifting: this.lifting };
    const name = encoded(text(location.name), 'path');
    const target = absolute(joined([name, marked(state.args)]), asking);
    return this.moved({ status: 301, location: target }, state, where, node);
  }

  #enterServer(state: State): Fate {
    const where = this.#nowhere;
    return gated(state, where, this, (one) => tried(one, where, this));
  }

  #enter(location: Location, before: State): Fate {
    const { scope } = location;
    const node = scope.node ?? nodeOf(this.#server);
    if (!this.lifting.spend()) return unknown(node, 'complex');
    const state =
      location.kind === 'regex' ? taking(before, before.uri, location.name, location.ignoreCase) : before;
    if (
      location.kind === 'regex' &&
      location.inner.exact.length + location.inner.prefixes.length + location.inner.regexes.length > 0
    )
      return this.#select(entriesOf(location.inner, state.uri), state, () =>
        this.#enterItself(location, state),
      );
    return this.#enterItself(location, state);
  }

  #enterItself(location: Location, state: State): Fate {
    const { scope } = location;
    const found = handlerOf(scope);
    const where: Where = { server: this.#server, scope, location, handler: found && { node: found, scope } };
    const node = scope.node ?? nodeOf(this.#server);
    if (isInternal(where) && !state.internal) return this.fail(404, state, where, node);
    const split = this.#split(
      scope.nodes.filter(({ name }) => name !== 'location'),
      state,
      (one) => this.#enterItself(location, one),
    );
    if (split) return split;
    const inside = rewrites(state, where, this);
    const [limit] = own(scope, 'limit_except');
    return limit ? this.#limited(limit, state, where, inside) : inside;
  }

  /** Other methods get the block's directives, none of the location's rewrites and no `try_files`. */
  #limited(limit: Node, state: State, where: Where, inside: Fate): Fate {
    const methods = limit.words.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    const listed = some(methods.map((method) => holds(state.method, is(method))));
    const scope = scopeOf('limit_except', limit, limit.block ?? [], where.scope);
    const found = handlerOf(scope) ?? passedOn(where.handler?.node ?? null);
    const here: Where = { ...where, scope, handler: found && { node: found, scope } };
    const other = gated(state, here, this, (one) => contentOf(one, here, this));
    return stepThen(limit, not(listed), other, inside);
  }

  /** A variable of `split_clients` that decides here: each share goes its own way. */
  #split(nodes: readonly Node[], state: State, go: (state: State) => Fate): Fate | null {
    const deciding = /^(?:.*_pass|if|set|return|rewrite|root|alias|try_files|limit_except)$/;
    const words = (list: readonly Node[]): string[] =>
      list
        .filter(({ name }) => deciding.test(name))
        .flatMap((node) => [...node.words, ...words(node.block ?? [])]);
    const [name] = this.lifting.sources.splitsIn(words(nodes), state);
    return name === undefined ? null : this.lifting.sources.split(name, state, go);
  }
}

/** What makes a location's content is not that of its `limit_except`, but for these (`lmt_excpt`). */
const passedOn = (handler: Node | null): Node | null =>
  handler && /^(?:proxy|fastcgi|uwsgi|scgi|grpc)_pass$/.test(handler.name) ? handler : null;

const marks = new WeakMap<Value, Value>();

/** With `?` in front, where there are any. Of the same arguments the same value, so that it need not be compared part by part. */
function marked(args: Value): Value {
  const known = marks.get(args);
  if (known) return known;
  const made = chosen(holds(args, { kind: 'length', min: 1, max: null }), joined([text('?'), args]), empty);
  marks.set(args, made);
  return made;
}

const pageFor = (status: number, state: State, where: Where) =>
  state.inErrorPage || state.changesLeft === 0 ? null : pageOf(status, where);

function isInternal(where: Where): boolean {
  return said(where.scope, 'internal').length > 0;
}

export const rulesOf = (fate: Fate): Rules =>
  fate.kind === 'rules' ? fate.rules : { steps: [], otherwise: fate };

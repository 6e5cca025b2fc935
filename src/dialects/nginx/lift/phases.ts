import { type Asked, accessRules, askedOf, opaque, shownPath } from './access.ts';
import { content } from './content.ts';
import { chosen, empty, holds, is } from './folding.ts';
import { type Entry, entriesOf, type Location } from './locations.ts';
import {
  all,
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
import { missesEnd, pcre } from './regex.ts';
import { handlerOf, rewrites, ruled, stepThen, type Ways } from './rewriting.ts';
import { own, said, scopeOf, word } from './scope.ts';
import { taking } from './sources.ts';
import { type Lifting, redirected, type Server, type State, unknown, type Where } from './state.ts';
import type { Node } from './tree.ts';
import { type Asking, absolute, evaluate, fileOf, rootOf } from './variables.ts';

/** A server's phases, from its own rewrites on. `refuses`: methods that NGINX refuses are its business too. */
export function served(state: State, server: Server, lifting: Lifting, refuses: boolean): Fate {
  lifting.renew();
  const phases = new Phases(server, lifting);
  return refuses ? phases.refused(state) : phases.server(state);
}

export const isRefused: Condition = some(
  ['TRACE', 'CONNECT'].map((method) => holds(field('method'), is(method))),
);

/** Its `error_page` has something to say about methods that NGINX refuses. */
export function answersRefused(server: Server): boolean {
  return pageOf(405, { server, scope: server.scope, location: null, handler: null }) !== null;
}

/** `ngx_http_core_run_phases`, with a request whose parts are values. */
class Phases implements Ways {
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
      after: (after) => this.#find(after),
    };
    return rewrites(state, this.#nowhere, ways);
  }

  /** Behind a location's rewrites. */
  after(state: State, where: Where): Fate {
    if (!state.changed) return this.#access(state, where, () => this.#try(state, where));
    const changesLeft = state.changesLeft - 1;
    const node = where.scope.node ?? nodeOf(this.#server);
    if (changesLeft === 0) return this.fail(500, { ...state, changesLeft }, where, node);
    return this.#find({ ...state, changesLeft });
  }

  fail(status: number, state: State, where: Where, _node: Node): Fate {
    const page = state.inErrorPage || state.changesLeft === 0 ? null : pageOf(status, where);
    if (!page) return { kind: 'answer', status, body: null };
    const recursive = word(where.scope, 'recursive_error_pages', 'off') === 'on';
    const made = page.overwrite ?? status;
    const asking: Asking = { node: page.node, state, where, lifting: this.lifting };
    const target = evaluate(page.target, asking);
    const next: State = { ...state, inErrorPage: !recursive, status: made };
    if (page.target.startsWith('@')) return this.#named(page.target, next, page.node, where);
    if (page.target.startsWith('/') || (target.kind === 'text' && target.text.startsWith('/'))) {
      const [path, args] = dividedArgs(target);
      const method = chosen(holds(state.method, is('HEAD')), state.method, text('GET'));
      return this.#redirect({ ...next, method }, path, args, page.node, where);
    }
    if (target.kind !== 'text' && !page.target.startsWith('http')) return unknown(page.node, 'complex');
    const code = [301, 302, 303, 307, 308].includes(page.overwrite ?? 0) ? (page.overwrite ?? 302) : 302;
    return { kind: 'redirect', status: code, location: target };
  }

  #redirect(state: State, uri: Value, args: Value, node: Node, where: Where): Fate {
    const next = redirected(state, uri, args);
    if (next.changesLeft === 0) return this.fail(500, next, where, node);
    return this.server(next);
  }

  #named(name: string, state: State, node: Node, where: Where): Fate {
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
    const mark = chosen(
      holds(state.args, { kind: 'length', min: 1, max: null }),
      joined([text('?'), state.args]),
      empty,
    );
    return { kind: 'redirect', status: 301, location: absolute(joined([text(location.name), mark]), asking) };
  }

  #enterServer(state: State): Fate {
    const where = this.#nowhere;
    return this.#access(state, where, () => this.#try(state, where));
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
    const found = handlerOf(scope) ?? where.handler?.node ?? null;
    const here: Where = { ...where, scope, handler: found && { node: found, scope } };
    const other = this.#access(state, here, () => this.#content(state, here));
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

  /** Limits, then who may come in: `allow`, `deny`, passwords, and what another program says. */
  #access(state: State, where: Where, next: () => Fate): Fate {
    const { scope } = where;
    const inside = next();
    const gated = this.#authorised(state, where, inside);
    const guards = said(scope, 'modsecurity').filter(({ words }) => words[0] === 'on');
    const programs = [
      'access_by_lua',
      'access_by_lua_block',
      'access_by_lua_file',
      'rewrite_by_lua',
      'rewrite_by_lua_block',
      'rewrite_by_lua_file',
      'js_access',
      'shib_request',
      'perl_access',
    ]
      .flatMap((name) => said(scope, name))
      .filter(({ words }) => words[0] !== 'off');
    let fate = gated;
    for (const node of guards)
      fate = stepThen(
        node,
        opaque(node, 'elsewhere', `${node.text} refuses`),
        this.fail(403, state, where, node),
        fate,
      );
    for (const node of programs)
      fate = stepThen(
        node,
        opaque(node, 'elsewhere', `${node.text} ends it`),
        unknown(node, 'elsewhere'),
        fate,
      );
    return this.#counted(state, where, fate);
  }

  #counted(state: State, where: Where, inside: Fate): Fate {
    return ['limit_conn', 'limit_req'].reduce((fate, kind) => {
      const [node] = said(where.scope, kind);
      if (!node || word(where.scope, `${kind}_dry_run`, 'off') === 'on') return fate;
      const status = Number(word(where.scope, `${kind}_status`, '503'));
      const lines = said(where.scope, kind)
        .map((one) => one.text)
        .join('; ');
      return stepThen(
        node,
        opaque(node, 'state', `${lines}: over the limit`),
        this.fail(status, state, where, node),
        fate,
      );
    }, inside);
  }

  #authorised(state: State, where: Where, inside: Fate): Fate {
    const any = word(where.scope, 'satisfy', 'all') === 'any';
    const asked = this.#asked(where);
    const rules = said(where.scope, 'allow', 'deny');
    const refused = (status: number, node: Node) => this.fail(status, state, where, node);
    const secret = asked.reduceRight<Fate>((fate, one) => {
      const answers = one.refusals.reduceRight<Fate>(
        (otherwise, { status, when }) =>
          when ? stepThen(one.node, when, refused(status, one.node), otherwise) : refused(status, one.node),
        fate,
      );
      return stepThen(one.node, one.passes, any ? inside : fate, answers);
    }, inside);
    if (rules.length === 0) return secret;
    const behind = any && asked.length > 0 ? secret : null;
    return accessRules(rules, {
      none: secret,
      allowed: any ? inside : secret,
      denied: (node) => behind ?? refused(403, node),
      where,
      state,
      lifting: this.lifting,
    });
  }

  #asked({ scope }: Where): readonly Asked[] {
    const found: Asked[] = [];
    const basic = said(scope, 'auth_basic').at(-1);
    if (basic && basic.words[0] !== 'off')
      found.push(askedOf(basic, 'secret', `${basic.text}: the password is right`, [401]));
    const jwt = said(scope, 'auth_jwt').at(-1);
    if (jwt && jwt.words[0] !== 'off')
      found.push(askedOf(jwt, 'secret', `${jwt.text}: the token is good`, [401]));
    const request = said(scope, 'auth_request').at(-1);
    if (request && request.words[0] !== 'off')
      found.push(askedOf(request, 'elsewhere', `${request.text}: lets it in`, [401, 403, 500]));
    return found;
  }

  /** `try_files`, then the content. */
  #try(state: State, where: Where): Fate {
    const [node] = own(where.scope, 'try_files');
    if (!node) return this.#content(state, where);
    const last = node.words.at(-1) ?? '';
    const asking: Asking = { node, state, where, lifting: this.lifting };
    const target = /^=(\d+)$/.exec(last);
    const final = (): Fate => {
      if (target) return this.fail(Number(target[1]), state, where, node);
      if (last.startsWith('@')) return this.#named(last, state, node, where);
      const [path, args] = dividedArgs(evaluate(last, asking));
      return this.#redirect(state, path, args, node, where);
    };
    const candidates = node.words.slice(0, -1);
    return candidates.reduceRight<Fate>((otherwise, word) => {
      const isFolder = word.endsWith('/');
      const said = evaluate(isFolder ? word.slice(0, -1) : word, asking);
      const uri = belowAlias(said, asking);
      const when = opaque(node, 'files', `${isFolder ? '-d' : '-f'} ${shownPath(asking, word)}`);
      return stepThen(node, when, this.#content({ ...state, uri }, where), otherwise);
    }, final());
  }

  #content(state: State, where: Where): Fate {
    return content(state, where, this, (one, here) => this.#file(one, here));
  }

  /** A static file: its folder's index may be another location's. */
  #file(state: State, where: Where): Fate {
    const node = said(where.scope, 'root', 'alias').at(-1) ?? where.scope.node ?? nodeOf(this.#server);
    const asking: Asking = { node, state, where, lifting: this.lifting };
    const isFolder = holds(state.uri, { kind: 'ends', text: '/', ignoreCase: false });
    const path = fileOf(asking, state.uri);
    const found: Fate =
      state.status >= 400 ? { kind: 'answer', status: state.status, body: null } : { kind: 'file', path };
    const plain = this.#refusing(state, where, this.#missing(state, where, found));
    if (isFolder.kind === 'never') return plain;
    const names = said(where.scope, 'index').flatMap(({ words }) => words);
    const indexes = names.length === 0 ? ['index.html'] : names;
    const led = indexes.reduceRight<Fate | null>((otherwise, name) => {
      const other = this.#index(name, state, where);
      if (!other && !otherwise) return null;
      const shown = `-f ${shownPath(asking, '$uri')}${name}`;
      return stepThen(node, opaque(node, 'files', shown), other ?? plain, otherwise ?? plain);
    }, null);
    const folder = this.#unlisted(state, where, led ?? plain, indexes);
    return folder === plain ? plain : stepThen(node, isFolder, folder, plain);
  }

  /** `error_page 403` of a folder without an index, where it leads to something else than an answer. */
  #unlisted(state: State, where: Where, inside: Fate, indexes: readonly string[]): Fate {
    const page =
      state.inErrorPage || word(where.scope, 'autoindex', 'off') === 'on' ? null : pageOf(403, where);
    if (!page) return inside;
    const other = this.fail(403, state, where, page.node);
    if (plainEnd(other)) return inside;
    const asking: Asking = { node: page.node, state, where, lifting: this.lifting };
    const there = opaque(page.node, 'files', `-f ${shownPath(asking, '$uri')} ${indexes.join(' or ')}`);
    return stepThen(page.node, not(there), other, inside);
  }

  /** `error_page 405` of a place with files, where it leads to something else than an answer. */
  #refusing(state: State, where: Where, inside: Fate): Fate {
    const page = state.inErrorPage ? null : pageOf(405, where);
    if (!page) return inside;
    const other = this.fail(405, state, where, page.node);
    if (plainEnd(other)) return inside;
    const post = holds(state.method, is('POST'));
    const taken = some([holds(state.method, is('GET')), holds(state.method, is('HEAD')), post]);
    const asking: Asking = { node: page.node, state, where, lifting: this.lifting };
    const there = opaque(page.node, 'files', `-f ${shownPath(asking, '$uri')}`);
    return stepThen(page.node, not(taken), other, stepThen(page.node, all([post, there]), other, inside));
  }

  /** Where the index leads, if that is not the location that it was found in. */
  #index(name: string, state: State, where: Where): Fate | null {
    const [node] = said(where.scope, 'index');
    const line = node ?? nodeOf(this.#server);
    if (name.startsWith('/') || name.includes('$')) {
      const asking: Asking = { node: line, state, where, lifting: this.lifting };
      return name.startsWith('/')
        ? this.#redirect(state, evaluate(name, asking), state.args, line, where)
        : null;
    }
    const uri = joined([state.uri, text(name)]);
    const { scope } = this.#server;
    const isPlain = !scope.nodes.some((one) => ['rewrite', 'return', 'if'].includes(one.name));
    if (isPlain && this.#stays(uri, name, where)) return null;
    return this.#redirect(state, uri, state.args, line, where);
  }

  #stays(uri: Value, name: string, { location }: Where): boolean {
    const { level } = this.#server;
    const inLevel =
      location === null || [...level.exact, ...level.prefixes, ...level.regexes].includes(location);
    if (
      !inLevel ||
      location?.kind === 'exact' ||
      location?.kind === 'regex' ||
      (location && handlesRewrites(location))
    )
      return false;
    const others = entriesOf(level, uri).filter((entry) => entry.location !== location);
    return others.every((entry) => {
      if (entry.slash) return true;
      const { kind, name: other, ignoreCase } = entry.location;
      if (kind === 'regex') return missesEnd(pcre(other, ignoreCase), `/${name}`);
      if (kind === 'exact') return !other.endsWith(`/${name}`);
      const segment = other.slice(other.lastIndexOf('/') + 1);
      if (location?.name.startsWith(other)) return true;
      return segment === '' || !name.startsWith(segment);
    });
  }

  /** `error_page 404` of a place with files, where it leads to something else than a file. */
  #missing(state: State, where: Where, found: Fate): Fate {
    const page = state.inErrorPage || found.kind !== 'file' ? null : pageOf(404, where);
    if (!page) return found;
    const other = this.fail(404, state, where, page.node);
    if (other.kind === 'answer' || plainEnd(other)) return found;
    const asking: Asking = { node: page.node, state, where, lifting: this.lifting };
    const there: Condition = opaque(page.node, 'files', `-e ${shownPath(asking, '$uri')}`);
    return stepThen(page.node, not(there), other, found);
  }
}

/** It ends in an answer, whichever way. */
function plainEnd(fate: Fate, depth = 0): boolean {
  if (fate.kind === 'answer' || fate.kind === 'file') return true;
  if (fate.kind !== 'rules' || depth > 8) return false;
  return [...fate.rules.steps.map(({ then }) => then), fate.rules.otherwise].every(
    (one) => one.kind === 'continue' || plainEnd(one, depth + 1),
  );
}

function handlesRewrites({ scope }: Location): boolean {
  return scope.nodes.some(({ name }) => ['rewrite', 'return', 'if'].includes(name));
}

/** With `alias` a file that is found is the location's name and what was tried behind it. */
function belowAlias(tried: Value, asking: Asking): Value {
  const { replaces } = rootOf(asking);
  const { uri } = asking.state;
  if (replaces === null || replaces === 0 || tried === uri) return tried;
  const name: Value = { kind: 'slice', of: uri, from: 0, length: replaces };
  if (tried.kind === 'text') return joined([name, tried]);
  const first = tried.kind === 'joined' ? tried.parts[0] : tried;
  return first === uri ? tried : joined([name, tried]);
}

export interface ErrorPage {
  readonly node: Node;
  readonly target: string;
  /** `=200`: 200; `=`: 0, whatever the target's is; null: the status stays. */
  readonly overwrite: number | null;
}

function pageOf(status: number, where: Where): ErrorPage | null {
  for (const node of said(where.scope, 'error_page')) {
    const target = node.words.at(-1) ?? '';
    const codes = node.words.slice(0, -1);
    const sign = codes.at(-1)?.startsWith('=') ? codes.at(-1) : undefined;
    if (codes.includes(String(status)))
      return { node, target, overwrite: sign === undefined ? null : Number(sign.slice(1) || 0) };
  }
  return null;
}

function isInternal(where: Where): boolean {
  return said(where.scope, 'internal').length > 0;
}

/** A URI that NGINX goes to itself: what is behind `?` are its arguments. */
function dividedArgs(value: Value): readonly [Value, Value] {
  const parts = value.kind === 'joined' ? value.parts : [value];
  for (const [index, part] of parts.entries()) {
    if (part.kind === 'text' && part.text.includes('?')) {
      const at = part.text.indexOf('?');
      const path = joined([...parts.slice(0, index), text(part.text.slice(0, at))]);
      return [path, joined([text(part.text.slice(at + 1)), ...parts.slice(index + 1)])];
    }
    if (part.kind === 'chosen' && part.then.kind === 'text' && part.then.text === '?')
      return [joined(parts.slice(0, index)), joined(parts.slice(index + 1))];
  }
  return [value, empty];
}

export function nodeOf({ scope, place }: Server): Node {
  return scope.node ?? { name: 'server', words: [], place, text: 'server', block: scope.nodes };
}

export const rulesOf = (fate: Fate): Rules =>
  fate.kind === 'rules' ? fate.rules : { steps: [], otherwise: fate };

import { isThere } from './access.ts';
import { movedAs, pageOf } from './error-pages.ts';
import { holds, is } from './folding.ts';
import { entriesOf, type Location } from './locations.ts';
import { all, type Fate, joined, type Keys, not, type Step, some, text, type Value } from './meaning.ts';
import { missesEnd, pcre } from './regex.ts';
import { stepThen, type Ways } from './rewriting.ts';
import { said, word } from './scope.ts';
import { nodeOf, type State, type Where } from './state.ts';
import type { Node } from './tree.ts';
import { type Asking, evaluate, fileOf } from './variables.ts';

/** Where a request goes on from a file that is there, or is not. */
export interface Going extends Ways {
  /** `ngx_http_internal_redirect`. */
  redirect(state: State, uri: Value, args: Value, node: Node, where: Where): Fate;
  /** A location with `@`. */
  named(name: string, state: State, node: Node, where: Where): Fate;
}

/** A static file: its folder's index may be another location's. `isFile`: it is no folder. */
export function fileAt(state: State, where: Where, ways: Going, isFile: boolean): Fate {
  const node = said(where.scope, 'root', 'alias').at(-1) ?? where.scope.node ?? nodeOf(where.server);
  const asking: Asking = { node, state, where, lifting: ways.lifting };
  const isFolder = holds(state.uri, { kind: 'ends', text: '/', ignoreCase: false });
  const path = fileOf(asking, state.uri);
  const found: Fate =
    state.status >= 300 ? { kind: 'answer', status: state.status, body: null } : { kind: 'file', path };
  const missed = isFile ? found : missing(state, where, ways, found);
  const answers = plainly(found, missed, state, node);
  const plain = refusing(state, where, ways, isFile ? answers : leading(state, where, ways, answers));
  if (isFile || isFolder.kind === 'never') return plain;
  const names = said(where.scope, 'index').flatMap(({ words }) => words);
  const indexes = names.length === 0 ? ['index.html'] : names;
  const led = indexes.reduceRight<Fate | null>((otherwise, name) => {
    const found = indexAt(name, state, where, ways);
    const other = found && staying(found, joined([path, text(name)]), plain, ways.lifting.keys);
    if (!other && !otherwise) return null;
    const index = isThere('-f', joined([path, text(name)]), node);
    return stepThen(node, index, other ?? plain, otherwise ?? plain);
  }, null);
  const folder = unlisted(state, where, ways, led ?? plain, indexes);
  if (folder === plain) return plain;
  const methods = ['GET', 'HEAD', 'POST'].map((method) => holds(state.method, is(method)));
  return stepThen(node, all([isFolder, some(methods)]), folder, plain);
}

/** `error_page 403` of a folder without an index, where it leads to something else than an answer. */
function unlisted(state: State, where: Where, ways: Going, inside: Fate, indexes: readonly string[]): Fate {
  const page =
    state.inErrorPage || word(where.scope, 'autoindex', 'off') === 'on' ? null : pageOf(403, where);
  if (!page) return inside;
  const other = ways.fail(403, state, where, page.node);
  if (plainEnd(other)) return inside;
  const asking: Asking = { node: page.node, state, where, lifting: ways.lifting };
  const folder = fileOf(asking, state.uri);
  const there = some(indexes.map((name) => isThere('-f', joined([folder, text(name)]), page.node)));
  // A folder that is not there is no place to list.
  const listed = all([isThere('-d', folder, page.node), not(there)]);
  return stepThen(page.node, listed, other, inside);
}

/** `error_page 405` of a place with files, where it leads to something else than an answer. */
function refusing(state: State, where: Where, ways: Going, inside: Fate): Fate {
  const page = state.inErrorPage ? null : pageOf(405, where);
  if (!page) return inside;
  const other = ways.fail(405, state, where, page.node);
  if (plainEnd(other)) return inside;
  const post = holds(state.method, is('POST'));
  const taken = some([holds(state.method, is('GET')), holds(state.method, is('HEAD')), post]);
  const asking: Asking = { node: page.node, state, where, lifting: ways.lifting };
  const there = isThere('-f', fileOf(asking, state.uri), page.node);
  return stepThen(page.node, not(taken), other, stepThen(page.node, all([post, there]), other, inside));
}

/** Where the index leads, if that is not the location that it was found in. */
function indexAt(name: string, state: State, where: Where, ways: Going): Fate | null {
  const [node] = said(where.scope, 'index');
  const line = node ?? nodeOf(where.server);
  if (name.startsWith('/') || name.includes('$')) {
    const asking: Asking = { node: line, state, where, lifting: ways.lifting };
    return name.startsWith('/')
      ? ways.redirect(state, evaluate(name, asking), state.args, line, where)
      : null;
  }
  const uri = joined([state.uri, text(name)]);
  const { scope } = where.server;
  const isPlain = !scope.nodes.some((one) => ['rewrite', 'return', 'if'].includes(one.name));
  if (isPlain && stays(uri, name, where)) return null;
  return ways.redirect(state, uri, state.args, line, where);
}

/** Where it leads to the same file, it has not led away: that is what a folder's file means. */
function staying(fate: Fate, index: Value, plain: Fate, keys: Keys): Fate {
  const same = keys.of(index);
  // Fates are shared; what stays as it is stays shared.
  const known = new Map<Fate, Fate>();
  const ended = (one: Fate): Fate => {
    const before = known.get(one);
    if (before !== undefined) return before;
    const made = one.kind === 'rules' ? within(one) : one;
    const now = made.kind === 'file' && keys.of(made.path) === same ? plain : made;
    known.set(one, now);
    return now;
  };
  const within = (one: Extract<Fate, { kind: 'rules' }>): Fate => {
    const { steps, otherwise } = one.rules;
    const last = ended(otherwise);
    const all = steps.map((step): Step => {
      if (step.then.kind === 'continue') return step;
      const then = ended(step.then);
      return then === step.then ? step : { ...step, then };
    });
    if (last === otherwise && all.every((step, at) => step === steps[at])) return one;
    return { kind: 'rules', rules: { steps: all, otherwise: last } };
  };
  return ended(fate);
}

function stays(uri: Value, name: string, { server, location }: Where): boolean {
  const { level } = server;
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
function missing(state: State, where: Where, ways: Going, found: Fate): Fate {
  const page = state.inErrorPage || found.kind !== 'file' ? null : pageOf(404, where);
  if (!page) return found;
  const other = ways.fail(404, state, where, page.node);
  if (plainEnd(other)) return found;
  const asking: Asking = { node: page.node, state, where, lifting: ways.lifting };
  const there = isThere('-e', fileOf(asking, state.uri), page.node);
  return stepThen(page.node, not(there), other, found);
}

/** What answers with the status of an error page refuses other methods as files do. */
function plainly(found: Fate, inside: Fate, state: State, node: Node): Fate {
  if (found.kind === 'file' || state.method.kind !== 'field') return inside;
  const taken = some(['GET', 'HEAD', 'POST'].map((method) => holds(state.method, is(method))));
  return stepThen(node, not(taken), { kind: 'answer', status: 405, body: null }, inside);
}

/** `error_page 301` of a folder that is asked for without its slash. */
function leading(state: State, where: Where, ways: Going, inside: Fate): Fate {
  const page = state.inErrorPage ? null : pageOf(301, where);
  if (!page) return inside;
  const asking: Asking = { node: page.node, state, where, lifting: ways.lifting };
  const isFolder = holds(state.uri, { kind: 'ends', text: '/', ignoreCase: false });
  const there = all([not(isFolder), isThere('-d', fileOf(asking, state.uri), page.node)]);
  return stepThen(page.node, there, movedAs(page, ways.fail(301, state, where, page.node)), inside);
}

/** Answers that go without saying where files are. */
const ofFiles: ReadonlySet<number> = new Set([403, 404, 405]);

/** It ends in such an answer, whichever way. */
function plainEnd(fate: Fate, depth = 0): boolean {
  if (fate.kind === 'answer') return ofFiles.has(fate.status);
  if (fate.kind === 'file') return true;
  if (fate.kind !== 'rules' || depth > 8) return false;
  return [...fate.rules.steps.map(({ then }) => then), fate.rules.otherwise].every(
    (one) => one.kind === 'continue' || plainEnd(one, depth + 1),
  );
}

function handlesRewrites({ scope }: Location): boolean {
  return scope.nodes.some(({ name }) => ['rewrite', 'return', 'if'].includes(name));
}

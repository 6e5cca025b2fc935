import { isThere, opaque, shownFile } from './access.ts';
import { movedAs, pageOf } from './error-pages.ts';
import { chosen, holds, is } from './folding.ts';
import { entriesOf, type Location } from './locations.ts';
import {
  all,
  always,
  type Condition,
  type Fate,
  joined,
  type Keys,
  not,
  type Step,
  some,
  text,
  type Value,
} from './meaning.ts';
import { missesEnd, pcre } from './regex.ts';
import { said, word } from './scope.ts';
import { nodeOf, type State, unknown, type Where } from './state.ts';
import { stepThen } from './steps.ts';
import type { Node } from './tree.ts';
import { type Asking, fileOf } from './variables.ts';
import type { Ways } from './ways.ts';

/** Where a request goes on from a file that is there, or is not. */
export interface Going extends Ways {
  /** `ngx_http_internal_redirect`. */
  redirect(state: State, uri: Value, args: Value, node: Node, where: Where): Fate;
  /** A location with `@`. */
  named(name: string, state: State, node: Node, where: Where): Fate;
}

interface Ends {
  readonly path: Value;
  /** What the file system says of it ends in this: an answer of files where there is none. */
  readonly found: Fate;
  readonly state: State;
  readonly where: Where;
  readonly ways: Going;
  readonly node: Node;
}

/**
 * A static file, or the index of its folder (`ngx_http_index_handler`, then `ngx_http_static_handler`). What NGINX answers of
 * itself, such as 404, is said only where an `error_page` leads it elsewhere. `isFile`: it is no folder.
 */
export function fileAt(state: State, where: Where, ways: Going, isFile: boolean): Fate {
  const node = said(where.scope, 'root', 'alias').at(-1) ?? where.scope.node ?? nodeOf(where.server);
  const asking: Asking = { node, state, where, lifting: ways.lifting };
  const path = fileOf(asking, state.uri);
  const found: Fate =
    state.status >= 300 ? { kind: 'answer', status: state.status, body: null } : { kind: 'file', path };
  const ends: Ends = { path, found, state, where, ways, node };
  return refusing(ends, isLost(state, node) ? ways.fail(500, state, where, node) : taken(ends, isFile));
}

/** `alias` has no name for a URI that was rewritten. */
export const isLost = (state: State, node: Node): boolean => node.name === 'alias' && !state.validLocation;

function taken(ends: Ends, isFile: boolean): Fate {
  const isFolder = holds(ends.state.uri, { kind: 'ends', text: '/', ignoreCase: false });
  const plain = isFolder.kind === 'always' ? ends.found : fileEnds(ends, isFile);
  if (isFolder.kind === 'never') return plain;
  if (isFile) return stepThen(ends.node, isFolder, indexOfFile(ends), plain);
  const folder = folderEnds({ ...ends, found: ofFolder(ends) });
  return folder === plain ? plain : stepThen(ends.node, isFolder, folder, plain);
}

/** Only an `alias` can name a file for a URI with a slash at its end: its index is looked for in what is no folder. */
function indexOfFile({ found, state, where, ways, node }: Ends): Fate {
  return node.name === 'alias' ? ways.fail(500, state, where, node) : found;
}

/** What is asked for with a slash at its end is a folder, though an `alias` may name it without one. */
function ofFolder({ found, path, node }: Ends): Fate {
  if (found.kind !== 'file' || node.name !== 'alias' || node.words[0]?.endsWith('/')) return found;
  const isNamed = holds(path, { kind: 'ends', text: '/', ignoreCase: false });
  return { kind: 'file', path: chosen(isNamed, path, joined([path, text('/')])) };
}

/** The file is not there, may not be read, is a folder, takes no POST. */
function fileEnds(ends: Ends, isFile: boolean): Fate {
  const { path, found, state } = ends;
  const isPost = holds(state.method, is('POST'));
  const posted = led(405, ends, found, (node) => all([isPost, isThere('-f', path, node)]));
  const moved = isFile ? posted : leading(ends, posted);
  const read = unread(ends, moved);
  return isFile ? read : led(404, ends, read, (node) => not(isThere('-e', path, node)));
}

function unread(ends: Ends, inside: Fate): Fate {
  const denied = led(403, ends, inside, (node) => refusal(node, 'may not be read', ends));
  return led(500, ends, denied, (node) => refusal(node, 'cannot be read', ends));
}

const refusal = (node: Node, why: string, { path }: Ends): Condition =>
  opaque(node, 'files', `${shownFile(path)} ${why}`);

/** The first index that is there; else the folder is not there, is no folder, or may not be listed. */
function folderEnds(ends: Ends): Fate {
  const { path, found, state, where, ways, node } = ends;
  const isListed = word(where.scope, 'autoindex', 'off') === 'on';
  const listed = isListed ? holds(state.method, is('POST')) : always;
  const last = led(403, ends, found, (line) => all([isThere('-d', path, line), listed]));
  const names = said(where.scope, 'index').flatMap(({ words }) => words);
  return (names.length === 0 ? ['index.html'] : names).reduceRight<Fate>((otherwise, name) => {
    if (name.startsWith('/')) return indexAt(name, ends) ?? found;
    const index = joined([path, text(name)]);
    const other = indexAt(name, ends);
    const there = (other && staying(other, index, found, ways.lifting.keys)) ?? found;
    const missed = folderMissed(ends, otherwise);
    return there === found && missed === found
      ? found
      : stepThen(node, isThere('-f', index, node), there, missed);
  }, last);
}

function folderMissed(ends: Ends, inside: Fate): Fate {
  const { path } = ends;
  const odd = led(500, ends, inside, (node) =>
    all([isThere('-e', path, node), not(isThere('-d', path, node))]),
  );
  const denied = led(403, ends, odd, (node) => refusal(node, 'may not be read', ends));
  return led(404, ends, denied, (node) => not(isThere('-e', path, node)));
}

/** Other methods than files take. */
function refusing({ state, where, ways, found, node }: Ends, inside: Fate): Fate {
  const methods = ['GET', 'HEAD', 'POST'].map((method) => holds(state.method, is(method)));
  const refused = ways.fail(405, state, where, node);
  const end = found.kind === 'file' && plainEnd(refused) ? found : refused;
  return inside === found && end === found ? found : stepThen(node, not(some(methods)), end, inside);
}

/** An answer of files that its `error_page` leads to something else than such an answer. */
function led(
  status: number,
  { state, where, ways }: Ends,
  inside: Fate,
  when: (node: Node) => Condition,
): Fate {
  const page = state.inErrorPage ? null : pageOf(status, where);
  if (!page) return inside;
  const other = ways.fail(status, state, where, page.node);
  return plainEnd(other) ? inside : stepThen(page.node, when(page.node), other, inside);
}

/** `error_page 301` of a folder that is asked for without its slash. */
function leading({ path, state, where, ways }: Ends, inside: Fate): Fate {
  const page = state.inErrorPage ? null : pageOf(301, where);
  if (!page) return inside;
  const other = movedAs(page, ways.fail(301, state, where, page.node));
  return stepThen(page.node, isThere('-d', path, page.node), other, inside);
}

/** Where the index leads, if that is not the location that it was found in. */
function indexAt(name: string, { state, where, ways }: Ends): Fate | null {
  const [node] = said(where.scope, 'index');
  const line = node ?? nodeOf(where.server);
  if (name.includes('$')) return unknown(line, 'complex');
  if (name.startsWith('/')) return ways.redirect(state, text(name), state.args, line, where);
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

/** Answers that go without saying where files are. */
const ofFiles: ReadonlySet<number> = new Set([403, 404, 405, 500]);

/** It ends in such an answer, whichever way. */
function plainEnd(fate: Fate, depth = 0): boolean {
  if (fate.kind === 'answer') return ofFiles.has(fate.status);
  if (fate.kind !== 'rules' || depth > 8) return false;
  return [...fate.rules.steps.map(({ then }) => then), fate.rules.otherwise].every(
    (one) => one.kind === 'continue' || plainEnd(one, depth + 1),
  );
}

function handlesRewrites({ scope }: Location): boolean {
  return scope.nodes.some(({ name }) => ['rewrite', 'return', 'if'].includes(name));
}

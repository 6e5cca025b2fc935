import { isThere } from './access.ts';
import { content } from './content.ts';
import { dividedArgs, hasHiddenMark, rest } from './folding.ts';
import { keeping } from './keeping.ts';
import { type Fate, joined, type Value } from './meaning.ts';
import { own, said } from './scope.ts';
import { type State, unknown, type Where } from './state.ts';
import { fileAt, type Going, isLost } from './static-files.ts';
import { stepThen } from './steps.ts';
import { hasVariables } from './template.ts';
import { type Asking, evaluate, fileOf, rootOf } from './variables.ts';

/** `try_files`, then the content. */
export function tried(state: State, where: Where, ways: Going): Fate {
  const [node] = own(where.scope, 'try_files');
  if (!node) return contentOf(state, where, ways);
  const last = node.words.at(-1) ?? '';
  const asking: Asking = { node, state, where, lifting: ways.lifting };
  const target = /^=(\d+)$/.exec(last);
  const candidates = node.words.slice(0, -1);
  const final = (): Fate => {
    const tested = keeping([...candidates, '$document_root'], asking);
    if (target) return ways.fail(Number(target[1]), tested, where, node);
    if (last.startsWith('@')) return ways.named(last, tested, node, where);
    const kept = keeping([last], { ...asking, state: tested });
    const led = withoutAlias(last, asking);
    if (led === null) return unknown(node, 'complex');
    const [path, args] = dividedArgs(led);
    const fate = ways.redirect(kept, path, args, node, where);
    return stepThen(node, hasHiddenMark(path), unknown(node, 'complex'), fate);
  };
  const folder = said(where.scope, 'root', 'alias').at(-1);
  if (folder && isLost(state, folder)) return ways.fail(500, state, where, node);
  const { root, replaces } = rootOf(asking);
  return candidates.reduceRight<Fate>((otherwise, word) => {
    const isFolder = word.endsWith('/');
    const test = isFolder ? '-d' : '-f';
    const said = evaluate(isFolder ? word.slice(0, -1) : word, asking);
    if (replaces === null) {
      const there = isThere(test, joined([root, said]), node);
      const found = isFolder ? state : { ...state, uri: said, addsUri: true };
      return stepThen(node, there, contentOf(found, where, ways, !isFolder), otherwise);
    }
    const uri = belowAlias(said, asking);
    const when = isThere(test, fileOf(asking, uri), node);
    return stepThen(node, when, contentOf({ ...state, uri }, where, ways, !isFolder), otherwise);
  }, final());
}

/** What makes the content, files of this machine among it. `isFile`: what the URI names is known to be one. */
export function contentOf(state: State, where: Where, ways: Going, isFile = false): Fate {
  return content(state, where, ways, (one, here) => fileAt(one, here, ways, isFile));
}

/** With `alias` a file that is found is the location's name and what was tried behind it. */
function belowAlias(tried: Value, asking: Asking): Value {
  const { replaces } = rootOf(asking);
  const { uri } = asking.state;
  if (replaces === null || replaces === 0 || tried === uri) return tried;
  const name: Value = { kind: 'slice', of: uri, from: 0, length: replaces };
  if (tried.kind === 'text') return joined([name, tried]);
  const first = tried.kind === 'joined' ? tried.parts[0] : tried;
  const isWhole = first === uri || (first?.kind === 'text' && first.text.startsWith(nameOf(asking)));
  return isWhole ? tried : joined([name, tried]);
}

const nameOf = ({ where: { location } }: Asking): string => location?.name ?? '';

/**
 * The last word. With `alias` NGINX takes the location's name away in front of one that has variables, as it does for files.
 * Null: it cannot be told.
 */
function withoutAlias(last: string, asking: Asking): Value | null {
  const value = evaluate(last, asking);
  const { replaces } = rootOf(asking);
  if (replaces === null || replaces === 0 || !hasVariables(last)) return value;
  const { uri, validLocation } = asking.state;
  const name = nameOf(asking);
  const [first] = value.kind === 'joined' ? value.parts : [value];
  if (!validLocation || name.length !== replaces) return null;
  if (first === uri) return rest(value, replaces);
  if (first?.kind !== 'text') return null;
  if (first.text.startsWith(name)) return rest(value, replaces);
  return name.startsWith(first.text) ? null : value;
}

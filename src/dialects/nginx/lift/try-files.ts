import { isThere } from './access.ts';
import { content } from './content.ts';
import { dividedArgs } from './folding.ts';
import { type Fate, joined, type Value } from './meaning.ts';
import { stepThen } from './rewriting.ts';
import { own } from './scope.ts';
import type { State, Where } from './state.ts';
import { fileAt, type Going } from './static-files.ts';
import { type Asking, evaluate, fileOf, rootOf } from './variables.ts';

/** `try_files`, then the content. */
export function tried(state: State, where: Where, ways: Going): Fate {
  const [node] = own(where.scope, 'try_files');
  if (!node) return contentOf(state, where, ways);
  const last = node.words.at(-1) ?? '';
  const asking: Asking = { node, state, where, lifting: ways.lifting };
  const target = /^=(\d+)$/.exec(last);
  const final = (): Fate => {
    if (target) return ways.fail(Number(target[1]), state, where, node);
    if (last.startsWith('@')) return ways.named(last, state, node, where);
    const [path, args] = dividedArgs(evaluate(last, asking));
    return ways.redirect(state, path, args, node, where);
  };
  const candidates = node.words.slice(0, -1);
  return candidates.reduceRight<Fate>((otherwise, word) => {
    const isFolder = word.endsWith('/');
    const said = evaluate(isFolder ? word.slice(0, -1) : word, asking);
    const uri = belowAlias(said, asking);
    const when = isThere(isFolder ? '-d' : '-f', fileOf(asking, uri), node);
    return stepThen(node, when, contentOf({ ...state, uri }, where, ways), otherwise);
  }, final());
}

/** What makes the content, files of this machine among it. */
export function contentOf(state: State, where: Where, ways: Going): Fate {
  return content(state, where, ways, (one, here) => fileAt(one, here, ways));
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

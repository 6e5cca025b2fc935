import { conditional } from './conditional.ts';
import type { Fate } from './meaning.ts';
import { rewritten } from './rewrite.ts';
import { keepingFor, withSet } from './set.ts';
import { type State, unknown, type Where } from './state.ts';
import { told } from './steps.ts';
import type { Node } from './tree.ts';
import { type Asking, absolute, evaluate } from './variables.ts';
import type { Ways } from './ways.ts';

const rewriting = new Set(['rewrite', 'return', 'set', 'if', 'break']);
const codesOf = (nodes: readonly Node[]) => nodes.filter(({ name }) => rewriting.has(name));

interface Frame {
  readonly codes: readonly Node[];
  readonly at: number;
  readonly outer: Frame | null;
}

/** The directives of the rewrite module, in their order (`ngx_http_rewrite_handler`). */
export function rewrites(state: State, where: Where, ways: Ways): Fate {
  return run({ codes: codesOf(where.scope.nodes), at: 0, outer: null }, state, where, ways);
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
      return conditional(keepingFor(node.words, asking), ways, {
        behind: (later, here) => run(next, later, here, ways),
        inside: (block, within, here) =>
          run({ codes: codesOf(block), at: 0, outer: next }, within, here, ways),
      });
  }
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

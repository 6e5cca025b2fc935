import { createRequire } from 'node:module';
import type * as Refa from 'refa';

/** Loaded when an expression is asked about: most commands have none. */
const load = createRequire(import.meta.url);

/** Says whether a regular expression matches the whole value, in time that grows with its length and with nothing else. */
export interface Matcher {
  test(value: string): boolean;
}

const statesMax = 2_000;
const bytes = 256;
const nowhere = 0xffff;

/**
 * Null: the expression has an assertion (`(?=x)`, `\b`, `^`), or would need more than 2,000 states. `RegExp` tries one way
 * after the other, and for `(a+)+b` or `.*a.*a.*b` a client can choose a value that takes it hours; a table cannot.
 */
export function linearMatcher(source: string): Matcher | null {
  try {
    const { DFA, JS, NFA } = load('refa') as typeof Refa;
    const parser = JS.Parser.fromLiteral({ source, flags: '' });
    const { expression, maxCharacter } = parser.parse({ assertions: 'throw', maxNodes: 20_000 });
    const options = { assertions: 'throw' } as const;
    const nfa = NFA.fromRegex(expression, { maxCharacter }, options, new NFA.LimitedNodeFactory(statesMax));
    const dfa = DFA.fromFA(nfa, new DFA.LimitedNodeFactory(statesMax));
    return tableOf(dfa);
  } catch {
    return null;
  }
}

/** Rows of states, columns of classes: bytes that no transition tells apart. */
function tableOf(dfa: Refa.DFA): Matcher {
  const nodes = [...dfa.nodes()];
  const numbers = new Map(nodes.map((node, number) => [node, number]));
  const classes = classesOf(nodes);
  const width = Math.max(...classes) + 1;
  const table = new Uint16Array(nodes.length * width).fill(nowhere);
  for (const [from, node] of nodes.entries())
    for (const [range, to] of node.out)
      for (let code = range.min; code <= Math.min(range.max, bytes - 1); code += 1)
        table[from * width + (classes[code] ?? 0)] = numbers.get(to) ?? nowhere;
  const finals = nodes.map((node) => dfa.finals.has(node));
  const first = numbers.get(dfa.initial) ?? nowhere;
  return {
    test(value) {
      let state = first;
      for (let i = 0; i < value.length; i += 1) {
        const column = classes[value.charCodeAt(i)];
        // Not a byte: nothing that an engine could have been sent.
        if (column === undefined) return false;
        state = table[state * width + column] ?? nowhere;
        if (state === nowhere) return false;
      }
      return finals[state] === true;
    },
  };
}

function classesOf(nodes: readonly Refa.DFA.Node[]): Uint8Array {
  const begins = new Set<number>();
  for (const { out } of nodes)
    for (const [{ min, max }] of out) {
      begins.add(min);
      begins.add(max + 1);
    }
  const classes = new Uint8Array(bytes);
  let current = 0;
  for (let code = 1; code < bytes; code += 1) {
    if (begins.has(code)) current += 1;
    classes[code] = current;
  }
  return classes;
}

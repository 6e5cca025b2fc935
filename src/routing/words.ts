import { getIntersectionWordSets, JS, NFA, type WordSet, Words } from 'refa';
import { wholeRegex } from './decide.ts';

/** What values of a kind may consist of, as an expression: what a client can send without anybody rewriting it. */
const alphabets = {
  path: "/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*",
  header: '[!-~](?:[ -~]*[!-~])?',
  query: "[A-Za-z0-9._~!$'()*+,;=:@/?-]*",
} as const;

export type Alphabet = keyof typeof alphabets;

const statesMax = 5_000;
/** How many of the automaton's words are looked at; an expression with look-ahead refuses some. */
const looksMax = 200;

/** Up to `count` short words that the whole expression matches, readable ones first. Empty when none is found. */
export function wordsOf(source: string, alphabet: Alphabet, count: number): readonly string[] {
  try {
    const whole = wholeRegex(source);
    const found = new Set<string>();
    let looks = 0;
    for (const word of candidates(source, alphabet)) {
      if (whole.test(word) && isSendable(word)) found.add(word);
      if (found.size >= count || ++looks >= looksMax) break;
    }
    return [...found];
  } catch {
    // More states than allowed: no word is better than waiting for one.
    return [];
  }
}

/** For each shape of word the most readable one; then more words of the first shapes. */
function* candidates(source: string, alphabet: Alphabet): Generator<string> {
  const shapes: WordSet[] = [];
  for (const shape of getIntersectionWordSets(
    automatonOf(source),
    automatonOf(alphabets[alphabet]),
    statesMax,
  )) {
    yield Words.fromUTF16ToString(Words.pickMostReadableWord(shape));
    shapes.push(shape);
    if (shapes.length >= looksMax / 2) break;
  }
  for (const word of Words.wordSetsToWords(shapes)) yield Words.fromUTF16ToString(word);
}

/** Assertions are left out: whoever takes a word tests it against the whole expression. */
function automatonOf(source: string): NFA {
  const parser = JS.Parser.fromLiteral({ source, flags: '' });
  const { expression, maxCharacter } = parser.parse({ assertions: 'ignore', maxNodes: statesMax });
  return NFA.fromRegex(expression, { maxCharacter }, {}, new NFA.LimitedNodeFactory(statesMax));
}

/** What clients and engines rewrite or refuse is no witness. */
function isSendable(word: string): boolean {
  return !/\/\/|\/\.\.?(?:\/|$)|%(?![0-9A-Fa-f]{2})/.test(word);
}

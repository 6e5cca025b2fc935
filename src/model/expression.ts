import { RegExpParser, visitRegExpAST } from '@eslint-community/regexpp';
import { linearMatcher } from '#routing';
import { ambiguityIn } from './ambiguity.ts';

const lengthMax = 512;
const repeatMax = 1000;

/** Escapes of a letter that PCRE and JavaScript read alike. */
const sharedEscape = /^\\(?:[dDwWsSbBtnrf]|x[0-9A-Fa-f]{2})/;

/**
 * Why a regular expression cannot be used, and what to write instead; null when HAProxy (PCRE) and JavaScript read
 * it alike. What the two read differently is refused, not guessed.
 */
export function expressionTrouble(
  source: string,
): { readonly message: string; readonly remedy: string } | null {
  if (source.length > lengthMax) return trouble(`at most ${lengthMax} characters`, 'something longer');
  if (!/^[\x20-\x7e]+$/.test(source)) return trouble('printable ASCII characters', 'something else');
  try {
    new RegExp(`^(?:${source})$`);
    const ast = new RegExpParser({ ecmaVersion: 2018, strict: true }).parsePattern(source);
    let found: { message: string; remedy: string } | null = null;
    const refuse = (what: string, remedy: string) => {
      found ??= { message: `expected what PCRE and JavaScript read alike, got ${what}`, remedy };
    };
    visitRegExpAST(ast, visitor(refuse));
    return found ?? endlessTrouble(source, ast) ?? ambiguousTrouble(source);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : '';
    return trouble(
      'a regular expression',
      reason.replace(/^.*\/[a-z]*: /, '').toLowerCase() || 'something else',
    );
  }
}

/** More than this many times is no different from any number of times. */
const boundedMax = 16;

/**
 * What no table can hold is tried one way after the other, and a client chooses how many ways there are: fine with one
 * repetition, hours with several.
 */
function endlessTrouble(
  source: string,
  ast: Parameters<typeof visitRegExpAST>[0],
): { readonly message: string; readonly remedy: string } | null {
  if (linearMatcher(source) !== null) return null;
  let repetitions = 0;
  let assertions = 0;
  visitRegExpAST(ast, {
    onQuantifierEnter: ({ max }) => {
      if (max > boundedMax) repetitions += 1;
    },
    onAssertionEnter: () => {
      assertions += 1;
    },
  });
  if (assertions > 0 && repetitions <= 1) return null;
  const got = assertions > 0 ? 'an assertion beside several repetitions' : 'one that takes too many states';
  return {
    message: `expected an expression that is decided in one pass over the value, got ${got}`,
    remedy: 'Write several matches, or repeat less',
  };
}

/** The built-in engine decides it in one pass all the same; a site must be one that any engine can carry. */
function ambiguousTrouble(source: string): { readonly message: string; readonly remedy: string } | null {
  const found = ambiguityIn(source);
  if (found === null) return null;
  const [pump, prefix] = [found.pump, found.prefix].map((text) => JSON.stringify(text));
  return {
    message: `expected an expression that reads each value in one way, got one that reads ${pump} in several: behind ${prefix}, each more of it doubles the time that HAProxy and NGINX take`,
    remedy: 'Let what is repeated begin with a character that it cannot go on with, as in "(?:-[a-z]+)*"',
  };
}

function trouble(expected: string, got: string) {
  return { message: `expected ${expected}, got ${got}`, remedy: '' };
}

function visitor(refuse: (what: string, remedy: string) => void): Parameters<typeof visitRegExpAST>[1] {
  const look = (raw: string) => {
    if (/^\\[A-Za-z0-9]/.test(raw) && !sharedEscape.test(raw))
      refuse(`the escape ${raw}`, 'Write the character itself');
  };
  return {
    onBackreferenceEnter: (node) => refuse(`the back reference ${node.raw}`, 'Write the group again'),
    onAssertionEnter: (node) => {
      if (node.kind === 'lookbehind') refuse('a look-behind', 'Match from the beginning of the value');
    },
    onCharacterEnter: (node) => look(node.raw),
    onCharacterSetEnter: (node) => look(node.raw),
    onCharacterClassEnter: (node) => {
      if (node.elements.length === 0) refuse(`the empty class ${node.raw}`, 'Write . for any character');
      if (/[^\\]\[/.test(node.raw)) refuse(`a class with a bare [ in it, ${node.raw}`, 'Write \\[');
    },
    onQuantifierEnter: (node) => {
      const most = Number.isFinite(node.max) ? node.max : node.min;
      if (most > repeatMax) refuse(`more than ${repeatMax} repetitions`, 'Use fewer');
    },
  };
}

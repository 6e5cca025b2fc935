import { RegExpParser, visitRegExpAST } from '@eslint-community/regexpp';

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
    return found;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : '';
    return trouble(
      'a regular expression',
      reason.replace(/^.*\/[a-z]*: /, '').toLowerCase() || 'something else',
    );
  }
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

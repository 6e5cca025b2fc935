import { Lexer } from 'yaml';
import { siteFileAliasesMax, siteFileDepthMax, siteFileTokensMax } from './limits.ts';

/** Each closing bracket that nothing opened costs the parser more than the one before. */
const straysMax = 100;

export interface Excess {
  readonly offset: number;
  readonly message: string;
}

/**
 * Reads the text's tokens only, which takes no recursion and no expansion, and tells the first thing that is too
 * much for the parser. Block depth is counted at least half of what it is; the exact count comes with the tree.
 */
export function findExcess(text: string): Excess | null {
  const blocks: number[] = [];
  let flow = 0;
  let aliases = 0;
  let tokens = 0;
  let strays = 0;
  let offset = 0;
  let lineStart = 0;
  /** Column where a key that is followed by `:` would begin its map. */
  let column = -1;
  for (const token of new Lexer().lex(text)) {
    const kind = token[0];
    if (isMark(token)) continue;
    if (kind === '*' && token.length > 1 && ++aliases > siteFileAliasesMax) {
      return { offset, message: `expected at most ${siteFileAliasesMax} aliases, got more` };
    }
    if (token === '[' || token === '{') flow++;
    if (token === ']' || token === '}') {
      if (flow === 0) strays++;
      flow = Math.max(0, flow - 1);
    }
    if (++tokens > siteFileTokensMax) {
      return { offset, message: `expected at most ${siteFileTokensMax} words and signs, got more` };
    }
    if (strays > straysMax) return { offset, message: `expected a ${token} only where one was opened` };
    if (flow === 0 && (token === '-' || token === '?' || token === ':')) {
      enter(blocks, token === ':' && column >= 0 ? column : offset - lineStart);
    }
    if (token === '-' || token === '?' || token === ':') column = -1;
    else if (column < 0 && token.trim() !== '') column = offset - lineStart;
    if (blocks.length + flow > siteFileDepthMax) {
      return { offset, message: `expected at most ${siteFileDepthMax} levels, got more` };
    }
    offset += token.length;
    const newline = token.lastIndexOf('\n');
    if (newline >= 0) {
      lineStart = offset - token.length + newline + 1;
      column = -1;
    }
  }
  return null;
}

/** The lexer's own marks between tokens: start of document, end of flow, next is a scalar. They take no room in the text. */
function isMark(token: string): boolean {
  return token === '\x02' || token === '\x18' || token === '\x1f';
}

function enter(blocks: number[], column: number): void {
  while ((blocks.at(-1) ?? -1) > column) blocks.pop();
  if ((blocks.at(-1) ?? -1) < column) blocks.push(column);
}

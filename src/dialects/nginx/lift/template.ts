export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string };

/** `a$b${c}d`, as `ngx_http_script_compile` cuts it. A dollar with no name behind it is itself. */
export function piecesOf(word: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let rest = 0;
  for (const match of word.matchAll(/\$(?:\{([A-Za-z0-9_]+)\}|([1-9])|([A-Za-z0-9_]+))/g)) {
    if (match.index > rest) pieces.push({ kind: 'text', text: word.slice(rest, match.index) });
    pieces.push({ kind: 'variable', name: (match[1] ?? match[2] ?? match[3] ?? '').toLowerCase() });
    rest = match.index + match[0].length;
  }
  if (rest < word.length) pieces.push({ kind: 'text', text: word.slice(rest) });
  return pieces;
}

export function variablesOf(word: string): readonly string[] {
  return piecesOf(word).flatMap((piece) => (piece.kind === 'variable' ? [piece.name] : []));
}

export const hasVariables = (word: string): boolean => word.includes('$') && variablesOf(word).length > 0;

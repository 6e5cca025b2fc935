/**
 * A raw path as NGINX matches it: `%41` decoded once, slashes merged, `.` and `..` resolved. Null: NGINX answers 400
 * (no `/` in front, a wrong `%`, a zero byte, `..` above the root).
 */
export function normalisedPath(raw: string): string | null {
  if (!raw.startsWith('/')) return null;
  // Most paths: there is nothing to decode, to merge or to resolve.
  if (!/%|\/[/.]/.test(raw)) return raw;
  const decoded = decodedPath(raw);
  if (decoded === null) return null;
  const kept: string[] = [];
  const segments = decoded.split('/').slice(1);
  for (const [index, segment] of segments.entries()) {
    const last = index === segments.length - 1;
    if (segment === '..') {
      if (kept.pop() === undefined) return null;
    } else if (segment !== '.' && (segment !== '' || last)) {
      kept.push(segment);
      continue;
    }
    if (last) kept.push('');
  }
  return `/${kept.join('/')}`;
}

function decodedPath(raw: string): string | null {
  let wrong = false;
  const decoded = raw.replace(/%([0-9A-Fa-f]{2})?/g, (_, hex: string | undefined) => {
    if (hex === undefined || hex === '00') wrong = true;
    return String.fromCharCode(Number.parseInt(hex ?? '0', 16));
  });
  return wrong ? null : decoded;
}

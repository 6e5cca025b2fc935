/** Headers as Node gives them raw: name, value, name, value, ...; each character a byte. */
export type RawHeaders = readonly string[];

const hopByHop = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

/** What a `Connection` header cannot take away: without them the message would be another one. */
const kept = new Set([
  'host',
  'content-length',
  'content-type',
  'cookie',
  'set-cookie',
  'authorization',
  'location',
]);

export function* pairs(
  raw: RawHeaders,
): Generator<readonly [name: string, lowerName: string, value: string]> {
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    yield [name, name.toLowerCase(), raw[i + 1] ?? ''];
  }
}

/** Leaves out what belongs to one connection only: RFC 9110 7.6.1, `Proxy-*`, HTTP/2's pseudo headers, and `without`. */
export function endToEnd(raw: RawHeaders, without: ReadonlySet<string> = new Set()): string[] {
  const named = namedByConnection(raw);
  const result: string[] = [];
  for (const [name, lower, value] of pairs(raw)) {
    if (hopByHop.has(lower) || named.has(lower) || without.has(lower)) continue;
    if (lower.startsWith('proxy-') || lower === 'proxy' || lower.startsWith(':')) continue;
    result.push(name, value);
  }
  return result;
}

function namedByConnection(raw: RawHeaders): Set<string> {
  const named = new Set<string>();
  for (const [, lower, value] of pairs(raw)) {
    if (lower !== 'connection') continue;
    for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  for (const name of kept) named.delete(name);
  return named;
}

/** HTTP/2 may split `Cookie` into several fields; HTTP/1.1 allows one. */
export function joinCookies(headers: readonly string[]): string[] {
  const cookies: string[] = [];
  const result: string[] = [];
  for (const [name, lower, value] of pairs(headers)) {
    if (lower === 'cookie') cookies.push(value);
    else result.push(name, value);
  }
  if (cookies.length > 0) result.push('cookie', cookies.join('; '));
  return result;
}

export function valuesOf(raw: RawHeaders, wanted: string): string[] {
  const values: string[] = [];
  for (const [, lower, value] of pairs(raw)) if (lower === wanted) values.push(value);
  return values;
}

/** The first value of each name, whole: what `decide` reads. */
export function firstValues(raw: RawHeaders): Record<string, string> {
  const first: Record<string, string> = Object.create(null);
  for (const [, lower, value] of pairs(raw)) first[lower] ??= value;
  return first;
}

export function fromBuffers(buffers: readonly (Buffer | string)[]): string[] {
  return buffers.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
}

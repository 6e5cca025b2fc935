/** Headers as Node gives them raw: name, value, name, value, ...; each character a byte. */
export type RawHeaders = readonly string[];

/** Header lines, each with its end, and nothing else. Linear: no character can be read as part of two things. */
export const fieldsShape = /^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*$/;

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

const none: ReadonlySet<string> = new Set();
/** So many clients and servers say this that it is worth a look of its own. */
const usualOptions = /^(?:keep-alive|close)$/i;

/** Leaves out what belongs to one connection only: RFC 9110 7.6.1, `Proxy-*`, HTTP/2's pseudo headers, and `without`. */
export function endToEnd(raw: RawHeaders, without: ReadonlySet<string> = none): string[] {
  const named = namedByConnection(raw);
  const result: string[] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || named.has(lower) || without.has(lower)) continue;
    if (lower.startsWith('proxy-') || lower === 'proxy' || lower.startsWith(':')) continue;
    result.push(name, raw[i + 1] ?? '');
  }
  return result;
}

function namedByConnection(raw: RawHeaders): ReadonlySet<string> {
  let named: Set<string> | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.length !== 10 || name.toLowerCase() !== 'connection') continue;
    const value = raw[i + 1] ?? '';
    if (usualOptions.test(value)) continue;
    named ??= new Set();
    for (const option of value.split(',')) named.add(option.trim().toLowerCase());
  }
  if (!named) return none;
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

/** `wanted` in lower case. */
export function valuesOf(raw: RawHeaders, wanted: string): readonly string[] {
  let values: string[] | null = null;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] ?? '';
    if (name.length !== wanted.length || name.toLowerCase() !== wanted) continue;
    values ??= [];
    values.push(raw[i + 1] ?? '');
  }
  return values ?? noValues;
}

const noValues: readonly string[] = [];

/** The first value of each name, whole: what `decide` reads. */
export function firstValues(raw: RawHeaders): Record<string, string> {
  const first: Record<string, string> = Object.create(null);
  for (const [, lower, value] of pairs(raw)) first[lower] ??= value;
  return first;
}

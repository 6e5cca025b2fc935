import type { BuiltinPool } from '#dialects';
import type { StickyCookie } from '#model';
import type { Head } from './head.ts';
import { pairs, type RawHeaders, valuesOf } from './headers.ts';
import type { Preference } from './pool.ts';

/** What of a request may decide on its server. */
export function preferenceOf(pool: BuiltinPool, head: Head, source: string): Preference {
  const { stickyCookie, hashOn } = pool;
  return {
    source,
    hashKey: hashOn === null ? null : hashKeyOf(hashOn, head),
    sticky: stickyCookie === null ? null : cookieOf(head.raw, stickyCookie.name),
  };
}

function hashKeyOf(on: NonNullable<BuiltinPool['hashOn']>, head: Head): string | null {
  switch (on.kind) {
    case 'path':
      return head.path;
    case 'header':
      return valuesOf(head.raw, on.name.toLowerCase())[0] ?? null;
    case 'cookie':
      return cookieOf(head.raw, on.name);
  }
}

/** The first value of that name. */
function cookieOf(raw: RawHeaders, name: string): string | null {
  for (const line of valuesOf(raw, 'cookie'))
    for (const cookie of line.split(';')) {
      const [key = '', ...value] = cookie.split('=');
      if (key.trim() === name) return value.join('=').trim();
    }
  return null;
}

/** A request's headers without the cookie that its server need not see. */
export function withoutCookie(headers: RawHeaders, name: string): string[] {
  const result: string[] = [];
  for (const [field, lower, value] of pairs(headers)) {
    const rest = lower === 'cookie' ? withoutNamed(value, name) : value;
    if (rest !== '' || lower !== 'cookie') result.push(field, rest);
  }
  return result;
}

function withoutNamed(line: string, name: string): string {
  const cookies = line.split(';');
  const kept = cookies.filter((cookie) => cookie.split('=')[0]?.trim() !== name);
  return kept.length === cookies.length ? line : kept.join(';').trim();
}

/** An answer's headers with the cookie that leads back to `server`, unless the server has set it itself. */
export function withCookie(headers: RawHeaders, cookie: StickyCookie, server: string): readonly string[] {
  const own = valuesOf(headers, 'set-cookie').some((line) => line.split('=')[0]?.trim() === cookie.name);
  // A cache that kept the answer would lead everybody to one server.
  const uncached = [...headers, 'cache-control', 'private'];
  return own ? uncached : [...uncached, 'set-cookie', cookieText(cookie, server)];
}

function cookieText(cookie: StickyCookie, server: string): string {
  const { name, httpOnly, secure, sameSite, maxAgeMs, domain } = cookie;
  return [
    `${name}=${server}`,
    'path=/',
    ...(domain === null ? [] : [`domain=${domain}`]),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(secure ? ['Secure'] : []),
    ...(maxAgeMs === null ? [] : [`Max-Age=${Math.max(1, Math.round(maxAgeMs / 1000))}`]),
    ...(sameSite === null ? [] : [`SameSite=${sameSite}`]),
  ].join('; ');
}

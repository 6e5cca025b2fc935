/** Requests that are near to what a text asks for: its own words, and their neighbours. */
import { meaning } from '#routing';
import type { Random } from '../../test/world/random.ts';

/** What conditions of a text speak of, gathered while it is made. */
export interface Words {
  readonly paths: string[];
  readonly hosts: string[];
  readonly queries: string[];
  readonly headers: (readonly [string, string])[];
  readonly sources: string[];
}

export const noWords = (): Words => ({ paths: [], hosts: [], queries: [], headers: [], sources: [] });

export function pick<T>(random: Random, from: readonly T[], otherwise: T): T {
  return from[random.integer(Math.max(1, from.length))] ?? otherwise;
}

const methods = ['GET', 'GET', 'GET', 'GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];

export function requestNear(random: Random, words: Words, scheme: 'http' | 'https'): meaning.Request {
  const some = (chance: number) => random.next() < chance;
  const path = neighbour(random, pick(random, words.paths, '/'), '/').replaceAll(/[ ?#]/g, '');
  const host = hostNear(random, words);
  const headers: Record<string, string> = {};
  for (const [name, value] of words.headers)
    if (some(0.4)) headers[name.toLowerCase()] = neighbour(random, value, '').trim();
  const query = some(0.35)
    ? neighbour(random, pick(random, words.queries, 'a=1'), '').replaceAll(/[ #]/g, '')
    : null;
  return meaning.requestOf({
    method: pick(random, methods, 'GET'),
    scheme,
    host,
    path: path.startsWith('/') ? path : `/${path}`,
    query,
    headers,
    sourceAddress: pick(random, words.sources, '127.0.0.1'),
    sourcePort: 40_000,
    version: '1.1',
  });
}

function hostNear(random: Random, words: Words): string {
  const host = neighbour(random, pick(random, words.hosts, 'www.example.com'), 'www.').replaceAll(
    /[^\w.:-]/g,
    '',
  );
  return host === '' ? 'www.example.com' : random.next() < 0.15 ? `${host}:8080` : host;
}

/** The word itself as often as not; else a letter's case, a byte more or less, something before or behind it. */
function neighbour(random: Random, word: string, before: string): string {
  const at = random.integer(Math.max(1, word.length));
  switch (random.integer(12)) {
    case 0:
      return word.slice(0, at) + swapped(word.charAt(at)) + word.slice(at + 1);
    case 1:
      return word.slice(0, at) + word.slice(at + 1);
    case 2:
      return `${word}${pick(random, ['x', '/', '/x', '.', '1', ',x'], 'x')}`;
    case 3:
      return `${before}${word}`;
    case 4:
      return `${word.slice(0, at)}${pick(random, ['x', '.', '/', '-', '%41'], 'x')}${word.slice(at)}`;
    case 5:
      return '';
    default:
      return word;
  }
}

function swapped(char: string): string {
  return char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
}

/** Requests that are near to what a text asks for: its own words, and their neighbours. */
import { meaning } from '#routing';
import type { Asked } from './case.ts';
import type { Chance } from './chance.ts';

/** What conditions of a text speak of, gathered while it is made. */
export interface Words {
  readonly paths: string[];
  readonly hosts: string[];
  readonly queries: string[];
  /** Names in any case, and values. */
  readonly headers: (readonly [string, string])[];
  readonly sources: string[];
  /** Paths that are to be asked of a host; none: any of any. */
  readonly pairs?: (readonly [host: string, path: string])[];
}

export const noWords = (): Words => ({ paths: [], hosts: [], queries: [], headers: [], sources: [] });

/** Where requests may go to, and over what. */
export interface Door {
  readonly scheme: 'http' | 'https';
  readonly port: number;
  /** Of a hundred requests. */
  readonly share: number;
  /** The address that a client connects to. */
  readonly address: string;
  /** Nothing but the ClientHello is read, so that nothing odd is asked. */
  readonly unread: boolean;
}

/** Whether a text asks for nothing that a whole address in the request line would change. */
export interface Taste {
  readonly absolute: boolean;
  /** Lower-case methods are methods, too. */
  readonly methods: readonly string[];
}

export function requestsNear(
  words: Words,
  doors: readonly Door[],
  count: number,
  taste: Taste,
  chance: Chance,
): readonly Asked[] {
  return Array.from({ length: count }, () => {
    const door = doorOf(doors, chance);
    return askedOf(words, door, taste, chance);
  });
}

function doorOf(doors: readonly Door[], chance: Chance): Door {
  let left = chance.below(doors.reduce((sum, { share }) => sum + share, 0));
  const found = doors.find(({ share }) => {
    left -= share;
    return left < 0;
  });
  if (!found) throw new Error('there is no door');
  return found;
}

function askedOf(words: Words, door: Door, taste: Taste, chance: Chance): Asked {
  const { scheme, port, address, unread } = door;
  const method = unread ? 'GET' : chance.pick(taste.methods);
  const pair = words.pairs && chance.percent(85) ? chance.pick(words.pairs) : null;
  const path = pathNear(pair?.[1] ?? chance.pick(words.paths), chance);
  const isOld = !unread && chance.percent(4);
  const named = pair?.[0] ?? chance.pick(words.hosts);
  const isNear = pair === null || chance.percent(15);
  const host = isOld && chance.percent(50) ? null : isNear ? hostNear(named, chance) : named;
  const headers: Record<string, string> = {};
  for (const [name, value] of words.headers)
    if (chance.percent(35)) headers[name.toLowerCase()] = valueNear(value, chance);
  if (chance.percent(2)) headers['x-long'] = 'long '.repeat(chance.below(300)).trim();
  if (['POST', 'PUT', 'PATCH'].includes(method)) headers['content-length'] = '0';
  const query = chance.percent(35) ? queryNear(words, chance) : null;
  const sni = scheme === 'https' ? nameNear(named, host, chance) : null;
  const request = meaning.requestOf({
    method,
    scheme,
    host,
    path,
    query,
    headers,
    address,
    port,
    sni,
    sourceAddress: chance.pick(words.sources),
    sourcePort: 40_000,
    version: isOld ? '1.0' : '1.1',
  });
  const isPlain = host !== null && /^[a-z0-9.-]+$/.test(host) && method !== 'OPTIONS';
  return { request, absolute: taste.absolute && isPlain && !unread && chance.percent(4) };
}

/** Mostly the host's own name, as browsers do. */
function nameNear(named: string, host: string | null, chance: Chance): string | null {
  const name = (chance.percent(75) ? (host ?? '') : neighbour(named, 'www.', chance))
    .toLowerCase()
    .replace(/:\d*$/, '');
  return /[a-z]/.test(name) && /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/.test(name) && chance.percent(92) ? name : null;
}

function pathNear(word: string, chance: Chance): string {
  const path = oddPath(neighbour(word, '/', chance), chance).replaceAll(/[ ?#]/g, '');
  return path.startsWith('/') ? path : `/${path}`;
}

/** What clients write otherwise than servers do: escaped, doubled, dotted. */
function oddPath(path: string, chance: Chance): string {
  const at = chance.below(path.length + 1);
  const insert = (piece: string) => path.slice(0, at) + piece + path.slice(at);
  switch (chance.below(32)) {
    case 0:
      return path.replace(/[a-z]/, (char) => `%${char.charCodeAt(0).toString(16)}`);
    case 1:
      return path.replace('/', '//');
    case 2:
      return `${path.replace(/\/$/, '')}/./b`;
    case 3:
      return `/zzz/..${path}`;
    case 4:
      return `${path}/../..`;
    case 5:
      return insert(chance.pick(['%20', '%', '%3F', '%41']));
    case 6:
      return insert(
        chance.pick(['|', '"', '%25', '%2f', '+', ';', '%2B', '%22', '{', '%00', '%0a', '&', '=', '~']),
      );
    case 7:
      return `${path.replace(/\/$/, '')}/deep/er.php`;
    case 8:
      return `${path}${'/long'.repeat(chance.below(40))}`;
    case 9:
      return path.toUpperCase();
    default:
      return path;
  }
}

function queryNear(words: Words, chance: Chance): string {
  const own = words.queries.length > 0 && chance.percent(70);
  const query = own
    ? neighbour(chance.pick(words.queries), '', chance)
    : chance.pick(['q=a', 'q=', 'Q=b&q=1', '', 'x=%41+b', 'q=a&q=b', 'a=1']);
  return query.replaceAll(/[ #]/g, '');
}

function valueNear(value: string, chance: Chance): string {
  if (chance.percent(3)) return '';
  return neighbour(value, '', chance).trim();
}

const oddInHost = /[^\w.:[\]-]/;

function hostNear(named: string, chance: Chance): string {
  // Odd already.
  if (oddInHost.test(named)) return named;
  const host = neighbour(named, 'www.', chance).replaceAll(new RegExp(oddInHost, 'g'), '');
  if (host === '') return named;
  switch (chance.below(20)) {
    case 0:
      return `${host}:8080`;
    case 1:
      return `${host}:80`;
    case 2:
      return `${host}.`;
    case 3:
      return host.toUpperCase();
    case 4:
      return chance.pick(['[::1]', '[::1]:80', '127.0.0.1', '127.0.0.1:80', `${host}:`, `${host}.:81`]);
    default:
      return host;
  }
}

/** The word itself as often as not; else a letter's case, a byte more or less, something before or behind it. */
function neighbour(word: string, before: string, chance: Chance): string {
  const at = chance.below(Math.max(1, word.length));
  switch (chance.below(12)) {
    case 0:
      return word.slice(0, at) + swapped(word.charAt(at)) + word.slice(at + 1);
    case 1:
      return word.slice(0, at) + word.slice(at + 1);
    case 2:
      return `${word}${chance.pick(['x', '/', '/x', '.', '1', ',x'])}`;
    case 3:
      return `${before}${word}`;
    case 4:
      return `${word.slice(0, at)}${chance.pick(['x', '.', '/', '-', '%41'])}${word.slice(at)}`;
    case 5:
      return '';
    default:
      return word;
  }
}

function swapped(char: string): string {
  return char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
}

import { once } from '#base';
import { type PoolPart, pool, server, serversMax } from './schema-pools.ts';
import { namePattern } from './schema-words.ts';
import { parseAddress } from './words.ts';

/** What the schema makes of the plainest ones: with all that is not said. */
const plain = once(() => ({
  pool: pool.parse({ name: 'a', servers: ['a:1'] }),
  server: server.parse({ address: 'a:1' }),
}));

/**
 * A pool with nothing but a name and servers with nothing but an address and a name, which nearly all of a hundred thousand
 * are: the same that the schema makes of it, in a hundredth of the time. Null: it is not that plain, or not right.
 */
export function plainPool(value: object): PoolPart | null {
  const { name, servers, ...more } = value as Readonly<Record<string, unknown>>;
  if (!isName(name) || !Array.isArray(servers) || Object.keys(more).length > 0) return null;
  if (servers.length === 0 || servers.length > serversMax) return null;
  const made: PoolPart['servers'] = [];
  for (const one of servers) {
    const read = plainServer(one);
    if (read === null) return null;
    made.push(read);
  }
  return { ...plain().pool, name, servers: made };
}

type ServerPart = PoolPart['servers'][number];

function plainServer(value: unknown): ServerPart | null {
  if (typeof value === 'string') return isAddress(value) ? value : null;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  let [name, address]: [unknown, unknown] = [undefined, undefined];
  for (const key in value) {
    const one = (value as Readonly<Record<string, unknown>>)[key];
    if (key === 'name') name = one;
    else if (key === 'address') address = one;
    else return null;
  }
  if (!isName(name) || !isAddress(address)) return null;
  return { ...(plain().server as Exclude<ServerPart, string>), name, address };
}

const isName = (word: unknown): word is string =>
  typeof word === 'string' && namePattern.test(word) && !(word in Object.prototype);

function isAddress(word: unknown): word is string {
  if (typeof word !== 'string' || word.length > 300) return false;
  const address = parseAddress(word);
  return address !== null && address.host !== '*';
}

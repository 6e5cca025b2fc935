import { isEncoded } from '../fate/evaluate.ts';
import { type Request, requestOf } from '../fate/request.ts';
import type { Oracle } from '../fate/world.ts';
import { unknownKey } from './fields.ts';
import type { Chosen } from './walk.ts';

/** A concrete request of a class, and what is taken to hold of what is not known. */
export interface Witness {
  readonly request: Request;
  readonly oracle: Oracle;
  readonly assumed: ReadonlyMap<string, string | null>;
}

/** @param pick which word of a field is taken. */
export function witnessOf(
  plain: Partial<Request>,
  chosen: Chosen | null,
  pick: (field: string, words: readonly (string | null)[]) => string | null,
  free: Partial<Request> = {},
): Witness {
  const said: Record<string, unknown> = { ...plain, ...free };
  const headers: Record<string, string> = { ...free.headers };
  const assumed = new Map<string, string | null>();
  for (let at = chosen; at !== null; at = at.rest) {
    const word = pick(at.field, at.words);
    if (at.field.startsWith('unknown:') || at.field.startsWith('whether:')) assumed.set(at.field, word);
    else if (at.field.startsWith('header:')) {
      const name = at.field.slice('header:'.length);
      if (word === null) delete headers[name];
      else headers[name] = word;
    } else if (at.field === 'from') said.sourceAddress = word;
    else if (at.field === 'normalisedPath') said.path = word === null ? '/..' : encodedPath(word);
    else if (at.field === 'sourcePort') said.sourcePort = Number(word);
    else if (!['localPort', 'localAddress'].includes(at.field)) said[at.field] = word;
  }
  const request = requestOf({ ...(said as Partial<Request>), headers: withHandshake(headers, chosen) });
  return { request, assumed, oracle: oracleOf(assumed) };
}

/** An upgrade to WebSocket as clients ask for it: engines answer 400 to one without its key. */
function withHandshake(
  headers: Readonly<Record<string, string>>,
  chosen: Chosen | null,
): Readonly<Record<string, string>> {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return headers;
  const needed = Object.entries({
    connection: 'Upgrade',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  });
  const asked = new Set<string>();
  for (let at = chosen; at !== null; at = at.rest) asked.add(at.field);
  const isAsked = asked.has('header:connection');
  if (isAsked && !/\bupgrade\b/i.test(headers.connection ?? '')) return headers;
  return { ...headers, ...Object.fromEntries(needed.filter(([name]) => !asked.has(`header:${name}`))) };
}

function oracleOf(assumed: ReadonlyMap<string, string | null>): Oracle {
  return {
    condition: (unknown) => assumed.get(`whether:${unknownKey(unknown)}`) !== 'no',
    value: (unknown) => assumed.get(unknownKey(unknown)),
  };
}

function encodedPath(path: string): string {
  return path.replace(/[\s\S]/g, (char) => {
    const code = char.charCodeAt(0);
    return isEncoded(code, 'path') ? `%${code.toString(16).toUpperCase().padStart(2, '0')}` : char;
  });
}

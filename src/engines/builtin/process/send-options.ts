import type { PoolTimeouts } from '#model';
import type { Exchange } from './exchange.ts';
import { tellerOf } from './forwarded.ts';
import type { Generation } from './generation.ts';
import type { Head } from './head.ts';
import { endToEnd, joinCookies } from './headers.ts';
import type { SendOptions } from './send.ts';

const setByEntrance = new Set(['host']);

/** How a request goes out, before its route's filters: the headers end to end, what is told of the client, and the time-outs. */
export function sendOptions(
  generation: Generation,
  exchange: Exchange,
  head: Head,
  { serverMs, tunnelMs, firstByteMs }: Pick<PoolTimeouts, 'serverMs' | 'tunnelMs' | 'firstByteMs'>,
): SendOptions {
  const { side, listener } = exchange.facts;
  const teller = side === 'public' && listener ? tellerOf(listener) : null;
  const headers = head.host === '' ? [] : ['host', head.host];
  const came = endToEnd(head.raw, teller?.without ?? setByEntrance);
  headers.push(...(exchange.version === '2' ? joinCookies(came) : came));
  if (teller) headers.push(...teller.tell(exchange, head));
  const { clientMs, bodyMs } = generation.text.limits;
  // After a kept connection that had ended, another kept one may have ended too.
  const connection = exchange.retries > 0 ? 'new' : 'any';
  return {
    headers,
    serverMs,
    firstByteMs,
    clientMs,
    bodyMs,
    tunnelMs,
    connection,
    unwanted: () => false,
  };
}

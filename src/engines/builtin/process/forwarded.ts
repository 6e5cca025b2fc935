import { isIPv6 } from 'node:net';
import { certificateHeaders, mayAsk, type RoutedListener, sameForServers } from '#routing';
import type { Exchange } from './exchange.ts';
import { type Head, originalHeaders } from './head.ts';
import { valuesOf } from './headers.ts';

/** What a listener tells servers about its clients. */
export interface Teller {
  /** Headers that do not go on as they came. */
  readonly without: ReadonlySet<string>;
  /** Headers in their place: name, value, name, value, ... */
  tell(exchange: Exchange, head: Head): string[];
}

const tellers = new WeakMap<RoutedListener, Teller>();

export function tellerOf(listener: RoutedListener): Teller {
  const known = tellers.get(listener);
  const teller = known ?? makeTeller(listener);
  if (!known) tellers.set(listener, teller);
  return teller;
}

const every = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port', 'forwarded'];

function makeTeller(listener: RoutedListener): Teller {
  const { without, tell } = forwardedTeller(listener);
  const told = listener.clientCertificate;
  if (told === undefined) return { without, tell };
  return {
    without: new Set([...without, ...namesOfCertificate]),
    tell(exchange, head) {
      const subject = exchange.facts.clientSubject;
      if (told === 'removed') return tell(exchange, head);
      const verify = [certificateHeaders.verify, subject === null ? 'NONE' : 'SUCCESS'];
      const shown = subject === null ? verify : [...verify, certificateHeaders.subject, subject];
      return [...tell(exchange, head), ...shown];
    },
  };
}

/** Some servers take `_` for `-`. */
const namesOfCertificate = Object.values(certificateHeaders).flatMap(sameForServers);

function forwardedTeller({ forwarded, scheme, port }: RoutedListener): Teller {
  const { policy, trusted, also } = forwarded;
  // Host is said once, first of all; and only a neighbour may say how a request was.
  const always = ['host', ...originalHeaders];
  if (policy === 'off') return { without: new Set([...always, ...every]), tell: () => [] };
  const named = also.map((header) => header.toLowerCase());
  const isTrusted = policy === 'append' ? mayAsk({ deny: [], allow: trusted }) : () => false;
  return {
    without: new Set([...always, 'x-forwarded-for', 'x-forwarded-proto', ...named]),
    tell({ facts: { client } }, head) {
      const behind = policy === 'append' && isTrusted(client.address);
      const came = (header: string) => (behind ? valuesOf(head.raw, header) : []);
      const all = (header: string, value: string) => [header, [...came(header), value].join(', ')];
      const one = (header: string, value: string) => [header, came(header)[0] ?? value];
      const told = [...all('x-forwarded-for', client.address), ...one('x-forwarded-proto', scheme)];
      if (named.length === 0) return told;
      if (named.includes('x-forwarded-host') && head.host !== '')
        told.push(...one('x-forwarded-host', head.host));
      if (named.includes('x-forwarded-port')) told.push(...one('x-forwarded-port', String(port)));
      if (named.includes('forwarded')) {
        const address = isIPv6(client.address) ? `"[${client.address}]"` : client.address;
        told.push(...all('forwarded', `for=${address};proto=${scheme}`));
      }
      return told;
    },
  };
}

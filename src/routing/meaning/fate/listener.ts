import type { ListenerMeaning, Meaning } from '../meaning.ts';
import type { Request } from './request.ts';

/** Who takes a connection to that address. Null: nobody, or what comes is TLS where none is spoken, or the reverse. */
export function listenerOf(meaning: Meaning, request: Request): ListenerMeaning | null {
  const there = meaning.listeners.filter(({ port }) => port === request.port);
  const found =
    there.find(({ host }) => addressOf(host) === addressOf(request.address)) ??
    there.find(({ host, port }) => port !== null && isAny(host)) ??
    (isAny(request.address) ? there[0] : undefined);
  if (!found) return null;
  return schemesTaken(found).includes(request.scheme) ? found : null;
}

/** What it is asked mostly, first. Bytes that are passed on unread may be anything. */
export function schemesTaken({ mode, tls, takesPlain }: ListenerMeaning): readonly ('http' | 'https')[] {
  if (mode === 'tcp' && !tls) return ['http', 'https'];
  return takesPlain ? ['https', 'http'] : [tls ? 'https' : 'http'];
}

/** `0.0.0.0` and `[::]` take any address, as `*` does. */
export function isAny(host: string): boolean {
  return addressOf(host) === '*';
}

/** In one form. */
export function addressOf(host: string): string {
  const bare = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (bare === '' || bare === '*' || bare === '0.0.0.0' || bare === '::') return '*';
  return bare === 'localhost' ? '127.0.0.1' : bare;
}

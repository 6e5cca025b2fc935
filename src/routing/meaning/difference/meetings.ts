import { addressOf, isAny, schemesTaken } from '../fate/listener.ts';
import type { Request } from '../fate/request.ts';
import type { ListenerMeaning, Meaning } from '../meaning.ts';

/** Who takes the same connections before and after. Null: nobody. */
export interface Meeting {
  readonly before: ListenerMeaning | null;
  readonly after: ListenerMeaning | null;
  readonly schemes: readonly ('http' | 'https')[];
  /** Where such a request is sent to. */
  readonly plain: Partial<Request> & Pick<Request, 'port'>;
}

export function meetings(before: Meaning, after: Meaning): readonly Meeting[] {
  const all = [...before.listeners, ...after.listeners];
  const found = new Map<string, Meeting>();
  for (const { host, port } of all) {
    const address = addressOf(host);
    const one = takerOf(before, address, port);
    const other = takerOf(after, address, port);
    // `*` is any address that the other side has, if only by its own name: what nobody names is meant.
    const asked = address === '*' && !(one && other) ? unnamed(all) : address;
    for (const schemes of schemesOf(one, other)) {
      const key = `${address} ${port} ${schemes.join()}`;
      const [scheme] = schemes;
      const [left, right] = [taking(one, schemes), taking(other, schemes)];
      if (scheme && (left || right) && !found.has(key))
        found.set(key, { before: left, after: right, schemes, plain: { address: asked, port, scheme } });
    }
  }
  return [...found.values()];
}

/** Of those that documents are written with (RFC 5737): no listener has it for itself. */
function unnamed(all: readonly ListenerMeaning[]): string {
  const named = new Set(all.map(({ host }) => addressOf(host)));
  const free = Array.from({ length: 254 }, (_, at) => `192.0.2.${at + 1}`).find((one) => !named.has(one));
  return free ?? '*';
}

function takerOf(meaning: Meaning, address: string, port: number | null): ListenerMeaning | null {
  const there = meaning.listeners.filter((listener) => listener.port === port);
  const exact = there.find(({ host }) => addressOf(host) === address);
  return exact ?? there.find((one) => port !== null && isAny(one.host)) ?? null;
}

type Schemes = readonly ('http' | 'https')[];

const takes = (one: ListenerMeaning | null): Schemes => (one === null ? [] : schemesTaken(one));

/**
 * Together where both sides take the same, apart where they do not. What an engine says to those who speak no TLS to its TLS
 * is its own manner: where the other side has nothing to say to them, it is not compared.
 */
function schemesOf(one: ListenerMeaning | null, other: ListenerMeaning | null): readonly Schemes[] {
  if (one === null || other === null) return [[...takes(one), ...takes(other)]];
  const [left, right] = [takes(one), takes(other)];
  if (left.join() === right.join()) return [left];
  const all = (['http', 'https'] as const).filter((s) => left.includes(s) || right.includes(s));
  return all.filter((s) => s === 'https' || !(one.tls && other.tls)).map((s) => [s]);
}

function taking(one: ListenerMeaning | null, schemes: Schemes): ListenerMeaning | null {
  return schemes.every((scheme) => takes(one).includes(scheme)) ? one : null;
}

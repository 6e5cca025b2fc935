import type { Place } from '#base';
import type { PoolShare } from './routing.ts';

/** A listener whose connections are passed on byte by byte, unread but for the name in a TLS ClientHello. */
export interface StreamListener {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** The client's first bytes must be a ClientHello, whose name decides; else the first rule takes every connection. */
  readonly byName: boolean;
  /** The most specific first. A connection that none takes is closed. */
  readonly rules: readonly StreamRule[];
}

export interface StreamRule {
  /** Name of the route it came from. */
  readonly route: string;
  readonly place: Place | null;
  /** Lower case. A suffix begins with a dot and takes one label or more before it. Null: every connection. */
  readonly name: { readonly match: 'exact' | 'suffix'; readonly value: string } | null;
  /** By chance, in these shares; weights of 0 are left out. */
  readonly shares: readonly PoolShare[];
}

/** What a connection gets whose client asks for this name. Null: none, or it asks for none. */
export function decideStream({ rules }: StreamListener, name: string | null): StreamRule | null {
  return rules.find((rule) => nameHolds(rule.name, name?.toLowerCase() ?? null)) ?? null;
}

function nameHolds(wanted: StreamRule['name'], name: string | null): boolean {
  if (wanted === null) return true;
  if (name === null) return false;
  if (wanted.match === 'exact') return name === wanted.value;
  return name.length > wanted.value.length && name.endsWith(wanted.value);
}

/** A connection that a rule really gets. */
export interface StreamWitness {
  readonly listener: StreamListener;
  readonly rule: StreamRule;
  /** What the client asks for. Null: no name, or no TLS. */
  readonly name: string | null;
}

const labels = ['www', 'witness', 'a.b', 'witness.of.rule'];
const otherNames = ['www.example.com', 'other.example.net'];

/** One connection a rule, in the order of the rules; none for a rule that others hide. */
export function streamWitnesses(listeners: readonly StreamListener[]): readonly StreamWitness[] {
  return listeners.flatMap((listener) =>
    listener.rules.flatMap((rule) => {
      const name = namesFor(listener, rule).find((one) => decideStream(listener, one) === rule);
      return name === undefined ? [] : [{ listener, rule, name }];
    }),
  );
}

function namesFor({ byName }: StreamListener, { name }: StreamRule): readonly (string | null)[] {
  if (!byName) return [null];
  if (name === null) return [...otherNames, null];
  return name.match === 'exact' ? [name.value] : labels.map((label) => `${label}${name.value}`);
}

/** `TCP connection to port 25`, `TLS connection to port 443 for shop.example` */
export function describeStream({ listener, name }: Pick<StreamWitness, 'listener' | 'name'>): string {
  const whom = listener.byName ? ` for ${name ?? 'no name'}` : '';
  return `${listener.byName ? 'TLS' : 'TCP'} connection to port ${listener.port}${whom}`;
}

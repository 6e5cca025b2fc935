import type { BuiltinText } from '#dialects';

/** A private way in: for requests; for connections that are passed on, of all listeners or of one. */
export interface Entrance {
  readonly to: EntranceTo;
  readonly path: string;
}

export type EntranceTo =
  | { readonly kind: 'requests' }
  | { readonly kind: 'streams' }
  | { readonly kind: 'door'; readonly stream: string };

export interface OpenEntrance {
  readonly to: EntranceTo;
  /** A socket of its own, or one that was inherited and is shared by all workers. */
  readonly at: { readonly path: string } | { readonly fd: number };
}

export function entrancesOf({ entrance, streamEntrance, streams = [] }: BuiltinText): Entrance[] {
  return [
    ...(entrance === null ? [] : [{ to: { kind: 'requests' }, path: entrance } as const]),
    ...(streamEntrance === undefined ? [] : [{ to: { kind: 'streams' }, path: streamEntrance } as const]),
    ...streams.flatMap(({ name, door }) =>
      door === undefined ? [] : [{ to: { kind: 'door', stream: name }, path: door } as const],
    ),
  ];
}

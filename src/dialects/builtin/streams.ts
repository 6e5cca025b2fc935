import { assert } from '#base';
import { type Listener, type Site, streamsOf } from '#model';
import type { StreamListener } from '#routing';
import { type Placement, streamDoor, streamEntrance } from '../dialect.ts';
import type { BuiltinStream, BuiltinText } from './vocabulary.ts';

/** Nothing where the site has no TCP and TLS listeners. */
export function streamsText(
  site: Site,
  placement: Placement,
): Pick<BuiltinText, 'streams' | 'streamEntrance' | 'streamNeighbour'> {
  const { entrance, neighbour } = placement;
  const streams = streamsOf(site);
  if (streams.length === 0) return {};
  return {
    streams: streams.flatMap((stream) =>
      site.listeners
        .filter(({ name }) => name === stream.name)
        .map((listener) => streamText(stream, listener, placement)),
    ),
    ...(entrance === null ? {} : { streamEntrance: streamEntrance(entrance) }),
    ...(neighbour === null ? {} : { streamNeighbour: streamEntrance(neighbour) }),
  };
}

function streamText(stream: StreamListener, said: Listener, placement: Placement): BuiltinStream {
  const at = placement.listeners[stream.name];
  assert(at, `the placement names no socket for listener ${stream.name}`);
  const { connectionsMax, connectionsPerClientMax } = said;
  return {
    name: stream.name,
    host: stream.host,
    port: stream.port,
    at,
    ...(placement.entrance === null ? {} : { door: streamDoor(placement.entrance, said) }),
    byName: stream.byName,
    inspectMs: said.inspectTimeoutMs,
    proxyFrom: said.proxyFrom,
    deny: said.access?.deny ?? [],
    allow: said.access?.allow ?? [],
    connectionsMax,
    connectionsPerClientMax,
    rules: stream.rules.map(({ route, name, shares }) => ({
      route,
      name,
      shares: shares.map(({ pool, weight }) => ({ pool, weight })),
    })),
  };
}

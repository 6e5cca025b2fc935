import type { BuiltinText } from '#dialects';

/**
 * One worker's part of what a generation may have, so that all together have what the text says. `fds` are the worker's
 * own numbers of the sockets of listeners, then of streams.
 */
export function shareOf(text: BuiltinText, slot: number, fds: readonly number[]): BuiltinText {
  const part = (all: number) => Math.floor(all / text.workers) + (slot < all % text.workers ? 1 : 0);
  const at = (index: number) => ({ kind: 'fd', fd: fds[index] ?? -1 }) as const;
  const { limits } = text;
  return {
    ...text,
    limits: {
      ...limits,
      connectionsMax: Math.max(1, part(limits.connectionsMax)),
      requestsMax: Math.max(1, part(limits.requestsMax)),
      queuedMax: part(limits.queuedMax),
    },
    listeners: text.listeners.map((listener, i) => ({ ...listener, at: at(i) })),
    ...(text.streams
      ? { streams: text.streams.map((stream, i) => ({ ...stream, at: at(text.listeners.length + i) })) }
      : {}),
    pools: text.pools.map((pool) => ({
      ...pool,
      queuedMax: pool.queuedMax === null ? null : part(pool.queuedMax),
      servers: pool.servers.map((server) => ({
        ...server,
        connectionsMax: server.connectionsMax === null ? null : Math.max(1, part(server.connectionsMax)),
      })),
    })),
  };
}

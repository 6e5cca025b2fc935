import type { Socket } from 'node:net';
import { farewell } from './farewell.ts';

/**
 * Passes on what either side says, as fast as the other one reads and no faster. A side that has said all may still
 * listen; a side that breaks off breaks off the other one; nobody speaks for `silenceMsMax`: both end.
 */
export function join(
  client: Socket,
  server: Socket,
  {
    silenceMsMax,
    broken,
    ended,
  }: {
    readonly silenceMsMax: number;
    /** The server broke off while it was listened to. */
    broken(): void;
    ended(): void;
  },
): void {
  const silence = setTimeout(() => {
    client.destroy();
    server.destroy();
  }, silenceMsMax);
  let open = 2;
  const over = () => {
    open -= 1;
    if (open > 0) return;
    clearTimeout(silence);
    ended();
  };
  for (const [side, other] of [
    [client, server],
    [server, client],
  ] as const) {
    side
      .on('data', () => silence.refresh())
      .on('error', () => {
        // Who had said all cannot be spoken to any more: what it said is whole.
        if (side.readableEnded) return;
        if (side === server && !client.destroyed) broken();
        // A clean end would make half of what was said look like the whole.
        reset(other);
      })
      .on('close', () => {
        over();
        farewell(other);
      });
    side.pipe(other);
  }
  if (client.destroyed) server.destroy();
}

/** Unix sockets and TLS have no reset. */
function reset(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    socket.destroy();
  }
}

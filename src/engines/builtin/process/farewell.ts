import type { Duplex } from 'node:stream';

const lingerMs = 2_000;
/** For what is still to be sent to somebody who reads slowly. */
const flushMsMax = 60_000;

/**
 * Says the last words on a connection and ends it. What still comes is read away for a moment (a connection closed
 * over unread bytes loses the words); then it is gone, whatever the other side does.
 */
export function farewell(stream: Duplex, words = ''): void {
  if (stream.destroyed) return;
  const destroyIn = (ms: number) => setTimeout(() => stream.destroy(), ms);
  let late = destroyIn(flushMsMax);
  stream.once('close', () => clearTimeout(late));
  stream.end(words, 'latin1', () => {
    clearTimeout(late);
    if (!stream.destroyed) late = destroyIn(lingerMs);
  });
  stream.resume();
}

/** A whole answer without a body, for connections that no exchange stands for. */
export function shortAnswer(status: number, reason: string): string {
  return `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`;
}

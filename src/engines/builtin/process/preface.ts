import type { Socket } from 'node:net';

/** What the first bytes of a connection are read as. `length`: how many of them are used up. */
export type Preface<T> =
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'whole'; readonly value: T; readonly length: number };

export interface PrefaceOptions<T> {
  /** From now to the last byte of it. */
  readonly msMax: number;
  parse(bytes: Buffer): Preface<T>;
  use(value: T): void;
  /** It was wrong, late, or broken off. Absent: the connection is closed. */
  refuse?(): void;
}

/** Reads exactly what a connection begins with; what came behind it goes back to be read by whoever uses it. */
export function readPreface<T>(socket: Socket, { msMax, parse, use, refuse }: PrefaceOptions<T>): void {
  let bytes: Buffer = Buffer.alloc(0);
  const stop = () => {
    clearTimeout(late);
    socket.off('readable', read).off('end', end).off('close', stop);
  };
  const end = () => {
    stop();
    if (refuse) refuse();
    else socket.destroy();
  };
  const read = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read())
      bytes = Buffer.concat([bytes, chunk]);
    if (bytes.length === 0) return;
    const parsed = parse(bytes);
    if (parsed.kind === 'incomplete') return;
    if (parsed.kind === 'wrong') return end();
    stop();
    const rest = bytes.subarray(parsed.length);
    if (rest.length > 0) socket.unshift(rest);
    use(parsed.value);
  };
  const late = setTimeout(end, msMax);
  socket.once('close', stop).once('end', end).on('readable', read);
}

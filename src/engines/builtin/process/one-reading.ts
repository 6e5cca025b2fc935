import { connect, type NetConnectOpts, type Socket } from 'node:net';

/**
 * What a socket gives lands here, for all sockets one after the other, and is copied out as long as it is. Left to
 * itself, Node makes 64 kB ready for each reading of each socket, and reads once more after `pause`: so much more for
 * each client that does not read.
 */
const landing = Buffer.allocUnsafe(64 * 1024);

type Hear = (bytes: Buffer) => void;

/** Sockets that were made here; null: nobody hears it, and its bytes go the way of every socket's. */
const hearers = new WeakMap<Socket, Hear | null>();

/** A connection in plain text. Once it is paused nothing more is read. */
export function connectOneReading(to: NetConnectOpts): Socket {
  const callback = (length: number) => {
    const bytes = Buffer.from(landing.subarray(0, length));
    const heard = hearers.get(socket);
    if (!heard) return socket.push(bytes);
    heard(bytes);
    // Whoever wants no more has paused it.
    return true;
  };
  const socket: Socket = connect({ ...to, onread: { buffer: landing, callback } });
  hearers.set(socket, null);
  return socket;
}

/** Called with each reading from now on, of any socket. */
export function hear(socket: Socket, heard: Hear): void {
  if (hearers.has(socket)) hearers.set(socket, heard);
  else socket.on('data', heard);
}

/** No more: what is read next is for whoever listens to the socket. */
export function unhear(socket: Socket, heard: Hear): void {
  if (hearers.has(socket)) hearers.set(socket, null);
  else socket.off('data', heard);
}

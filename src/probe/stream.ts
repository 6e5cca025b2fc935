import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Pool, Server } from '#model';
import type { StreamListener } from '#routing';
import { reach } from './reach.ts';

/** What came of a connection that is passed on byte by byte. */
export type StreamAnswer =
  /** TLS was agreed on with whoever has this certificate (SHA-256 of it). */
  | { readonly kind: 'handshake'; readonly certificate: string }
  | { readonly kind: 'spoke'; readonly first: string }
  /** Nobody spoke, and nobody closed it. */
  | { readonly kind: 'open' };

/** A server that speaks first has done so by then; one that waits for its client is seen to be there. */
const quietMs = 400;

interface AskedStream {
  readonly listener: Pick<StreamListener, 'byName' | 'port'>;
  readonly name: string | null;
}

/**
 * A connection through a generation's private entrance, as a client of that listener would open it: TCP listeners are
 * listened to, with TLS listeners a handshake is made.
 * @throws Error when it is closed, or not agreed on within `timeoutMs`.
 */
export function askStreamEntrance(
  entrance: string,
  { listener, name }: AskedStream,
  timeoutMs: number,
): Promise<StreamAnswer> {
  const first = Buffer.from(`PROXY TCP4 127.0.0.1 127.0.0.1 1024 ${listener.port}\r\n`);
  const way = { to: { path: entrance }, first };
  return listener.byName ? shakeHands(way, name, timeoutMs) : listen(way, quietMs);
}

/** The same by the public side. `first`: what goes before everything else. */
export function askStream(
  to: NetConnectOpts,
  first: Buffer | null,
  { listener, name }: AskedStream,
  timeoutMs: number,
): Promise<StreamAnswer> {
  return listener.byName ? shakeHands({ to, first }, name, timeoutMs) : listen({ to, first }, quietMs);
}

/**
 * What stands behind an entrance says when it speaks first, whatever it is sent: in a rehearsal, who it is.
 * @throws Error when it says nothing within `timeoutMs`.
 */
export async function whoAnswers(
  entrance: string,
  { listener, name }: AskedStream,
  timeoutMs: number,
): Promise<string> {
  const line = Buffer.from(`PROXY TCP4 127.0.0.1 127.0.0.1 1024 ${listener.port}\r\n`);
  const first = listener.byName ? Buffer.concat([line, await clientHello(name)]) : line;
  const answer = await listen({ to: { path: entrance }, first }, timeoutMs);
  if (answer.kind !== 'spoke') throw new Error(`no word within ${timeoutMs} ms`);
  return answer.first.trim();
}

/** The certificate that a server shows to who asks for this name. @throws Error */
export async function certificateOf(
  { host, port }: Pick<Server, 'host' | 'port'>,
  { proxyProtocol }: Pick<Pool, 'proxyProtocol'>,
  name: string | null,
  timeoutMs: number,
): Promise<string> {
  const socket = await reach({ address: host, port, host }, { tls: null, proxyProtocol }, timeoutMs);
  return await handshakeOn(socket, name, timeoutMs);
}

/** The bytes that a client begins TLS with. */
export function clientHello(name: string | null): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(bytes: Buffer, _encoding, done) {
        resolve(bytes);
        done();
        // It may be written while the connection is still being made.
        setImmediate(() => tls.destroy());
      },
    });
    const tls = connectTls({ socket, ...servername(name) }).on('error', () => {});
  });
}

/** An address is no name. */
function servername(name: string | null) {
  return name === null || isIP(name) > 0 ? {} : { servername: name };
}

interface StreamWay {
  readonly to: NetConnectOpts;
  readonly first: Buffer | null;
}

function listen({ to, first }: StreamWay, silenceMs: number): Promise<StreamAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect(to);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      settle();
      socket.destroy();
    };
    const timer = setTimeout(() => end(() => resolve({ kind: 'open' })), silenceMs);
    socket
      .on('connect', () => {
        if (first) socket.write(first);
      })
      .on('data', (bytes: Buffer) => end(() => resolve({ kind: 'spoke', first: bytes.toString('latin1') })))
      .on('end', () => end(() => reject(new Error('it was closed'))))
      .on('error', (error) => end(() => reject(error)));
  });
}

async function shakeHands(
  { to, first }: StreamWay,
  name: string | null,
  timeoutMs: number,
): Promise<StreamAnswer> {
  const socket = connect(to);
  if (first) socket.write(first);
  return { kind: 'handshake', certificate: await handshakeOn(socket, name, timeoutMs) };
}

function handshakeOn(socket: Socket, name: string | null, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const tls = connectTls({ socket, rejectUnauthorized: false, ...servername(name) });
    const end = (settle: () => void) => {
      clearTimeout(timer);
      // First of all: a socket that is destroyed may say so at once.
      settle();
      // Not within a callback of the handshake: Node would use what it has freed.
      setImmediate(() => tls.on('error', () => {}).destroy());
    };
    const timer = setTimeout(
      () => end(() => reject(new Error(`no handshake within ${timeoutMs} ms`))),
      timeoutMs,
    );
    tls.on('secureConnect', () => end(() => resolve(tls.getPeerCertificate().fingerprint256 ?? '')));
    for (const one of [socket, tls]) {
      one.on('error', (error: Error) => end(() => reject(error)));
      one.on('close', () => end(() => reject(new Error('it was closed'))));
    }
  });
}

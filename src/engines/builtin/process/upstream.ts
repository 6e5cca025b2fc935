import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { codeOf } from './address.ts';
import { AnswerParser, type AnswerReader } from './answer-parser.ts';
import { connectOneReading, hear, unhear } from './one-reading.ts';

/** No connection came about: nothing was sent, so another server may be asked. */
export class ConnectFailed extends Error {
  /** The fault is ours (no descriptors, no ports), not the server's. */
  readonly ours: boolean;

  constructor(code: string) {
    super(code);
    this.ours = oursWhen.has(code);
  }
}

const oursWhen = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** Below the usual 5 s of servers: a connection that is being closed is not used again. */
const keepAliveMs = 4_000;
const sweepMs = 1_000;
/** By server. What is more than that is closed with its answer. */
const idleConnectionsMax = 1_024;

/** Who asked: hears the answer, or that there will be none. */
export interface Asker extends AnswerReader {
  /** Nothing moved on the connection for `silenceMs`; `goOn` waits as long again. */
  onSilence(): void;
  /** `untouched`: the connection had carried an answer before, and ended without a byte of this one. */
  onBroken(error: Error, untouched: boolean): void;
}

/** One connection to a server, for one request at a time. */
export class ServerConnection {
  readonly socket: Socket;
  idleSince = 0;
  readonly #parser = new AnswerParser();
  readonly #owner: Connections | null;
  #asker: Asker | null = null;
  #answersBefore = 0;
  #heard = false;
  #error: Error | null = null;

  /** `owner`: who keeps it after its answer. Null: it is closed. */
  constructor(socket: Socket, owner: Connections | null) {
    this.socket = socket;
    this.#owner = owner;
    hear(socket, this.#hear);
    socket
      .on('timeout', () => this.#asker?.onSilence())
      .on('end', this.#ended)
      .on('error', (error) => {
        this.#error ??= error;
      })
      .on('close', () => this.#fail(this.#error ?? new Error('the server closed the connection')));
  }

  /** `head` as it goes out, a character a byte. */
  ask(asker: Asker, head: string, { bodyless, silenceMs }: AskOptions): void {
    this.#asker = asker;
    this.#heard = false;
    this.#parser.expect(asker, bodyless);
    // Writing starts the clock of a time-out that is set already.
    if (this.socket.timeout !== silenceMs) this.socket.setTimeout(silenceMs);
    this.socket.write(head, 'latin1');
  }

  /** From now on. */
  silentFor(ms: number): void {
    this.socket.setTimeout(ms);
  }

  goOn(): void {
    this.socket.setTimeout(this.socket.timeout ?? 0);
  }

  /** Nobody asks any more: what was sent cannot be taken back, so the connection goes. */
  drop(): void {
    this.#asker = null;
    this.socket.destroy();
  }

  /** For another protocol: the socket is the caller's from here on. */
  release(): Socket {
    this.#asker = null;
    unhear(this.socket, this.#hear);
    this.socket.off('end', this.#ended).setTimeout(0);
    return this.socket;
  }

  readonly #hear = (bytes: Buffer): void => {
    const asker = this.#asker;
    if (!asker) return void this.socket.destroy();
    this.#heard = true;
    try {
      this.#parser.feed(bytes);
    } catch (error) {
      // Behind a whole answer nobody asks any more: only the connection is of no use.
      if (this.#parser.done) this.#asker = null;
      this.#fail(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#parser.done && this.#asker === asker) this.#answered();
  };

  #answered(): void {
    this.#asker = null;
    this.#answersBefore += 1;
    if (this.#parser.keepMs > 0 && this.socket.writable && this.#owner?.keep(this)) return;
    this.socket.destroy();
  }

  /** The server says nothing more; an answer may end so. */
  readonly #ended = (): void => {
    this.#owner?.forget(this);
    if (this.#asker && this.#parser.finish()) this.#asker = null;
    this.#fail(new Error('the server ended the connection'));
  };

  #fail(error: Error): void {
    const asker = this.#asker;
    this.#asker = null;
    this.#owner?.forget(this);
    this.socket.destroy();
    asker?.onBroken(error, this.#answersBefore > 0 && !this.#heard);
  }

  get keepMs(): number {
    return Math.min(this.#parser.keepMs, keepAliveMs);
  }
}

export interface AskOptions {
  /** The request is HEAD. */
  readonly bodyless: boolean;
  readonly silenceMs: number;
}

/** Opens a socket, or says why not. */
export type Open = (opened: (socket: Socket) => void, failed: (error: ConnectFailed) => void) => void;

/** Connections to one server: as many as there are requests, each kept a while. */
export class Connections {
  readonly #open: Open;
  /** The one that was used last is used next, so what is not needed grows old. */
  readonly #idle: ServerConnection[] = [];
  #sweep: NodeJS.Timeout | null = null;

  constructor(way: Way) {
    // What is read over TLS is not read by the socket.
    this.#open = opener(way, way.tls === null ? connectOneReading : connect);
  }

  /** A kept one, or a new one. `fresh`: a new one. */
  take(
    fresh: boolean,
    use: (connection: ServerConnection) => void,
    failed: (error: ConnectFailed) => void,
  ): void {
    const kept = fresh ? null : this.#kept();
    if (kept) use(kept);
    else this.#open((socket) => use(new ServerConnection(socket, this)), failed);
  }

  /** False: there are enough. */
  keep(connection: ServerConnection): boolean {
    if (this.#idle.length >= idleConnectionsMax) return false;
    connection.idleSince = performance.now();
    if (connection.socket.isPaused()) connection.socket.resume();
    this.#idle.push(connection);
    this.#sweep ??= setInterval(() => this.#closeOld(), sweepMs).unref();
    return true;
  }

  forget(connection: ServerConnection): void {
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Closes all that nobody uses. */
  close(): void {
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
    if (this.#sweep) clearInterval(this.#sweep);
    this.#sweep = null;
  }

  #kept(): ServerConnection | null {
    const newest = this.#idle.pop();
    if (newest === undefined || isYoung(newest)) return newest ?? null;
    newest.drop();
    return null;
  }

  #closeOld(): void {
    for (const old of this.#idle.filter((connection) => !isYoung(connection))) {
      this.forget(old);
      old.drop();
    }
    if (this.#idle.length === 0) this.close();
  }
}

function isYoung(connection: ServerConnection): boolean {
  return performance.now() - connection.idleSince < connection.keepMs;
}

export interface Way {
  readonly to: NetConnectOpts;
  readonly timeoutMs: number;
  /** Sent before anything else. */
  readonly first: Buffer | null;
  /** Null: in plain text. */
  readonly tls: ConnectionOptions | null;
}

/** Resolved is a connection on which a request may be sent at once. */
export function opener(
  { to, timeoutMs, first, tls }: Way,
  begin: (to: NetConnectOpts) => Socket = connect,
): Open {
  return (opened, failed) => {
    const plain = begin(to);
    let socket = plain;
    const timer = setTimeout(() => end('ETIMEDOUT'), timeoutMs);
    const end = (code: string | null) => {
      clearTimeout(timer);
      socket.off('connect', onConnect).off('secureConnect', onSecure).off('error', onError);
      if (code === null) return void opened(socket);
      // It may come once more while the socket is being destroyed.
      for (const one of [plain, socket]) one.on('error', () => {}).destroy();
      failed(new ConnectFailed(code));
    };
    const onSecure = () => end(null);
    const onConnect = () => {
      if (first) plain.write(first);
      if (tls === null) return end(null);
      plain.off('connect', onConnect).off('error', onError);
      socket = connectTls({ ...tls, socket: plain })
        .on('secureConnect', onSecure)
        .on('error', onError);
    };
    const onError = (error: Error) => end(codeOf(error));
    socket.on('connect', onConnect).on('error', onError);
  };
}

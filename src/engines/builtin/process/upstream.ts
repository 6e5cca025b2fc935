import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { Client, Pool } from 'undici';
import type { BuiltinAddress } from '#dialects';
import { codeOf, connectTo } from './health.ts';

/** No connection came about: nothing was sent, so another server may be asked. */
export class ConnectFailed extends Error {
  /** The fault is ours (no descriptors, no ports), not the server's. */
  readonly ours: boolean;

  constructor(code: string) {
    super(code);
    this.ours = oursWhen.has(code);
  }
}

/** What ended a connection that had carried an answer before: it may have ended before the request came. */
const endedUsed = new WeakSet<Error>();

export function hadAnsweredBefore(error: Error): boolean {
  return endedUsed.has(error);
}

const oursWhen = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** Below the usual 5 s of servers: a connection that is being closed is not used again. */
const keepAliveMs = 4_000;
const headBytesMax = 65_536;

/** What both dispatchers have in common. Its time-outs are off: an exchange keeps its own, for both sides. */
const common = {
  pipelining: 1,
  headersTimeout: 0,
  bodyTimeout: 0,
  keepAliveTimeout: keepAliveMs,
  keepAliveMaxTimeout: 60_000,
  maxHeaderSize: headBytesMax,
} as const;

/** Connections to one server: as many as there are requests, kept a while. */
export function serverDispatcher(at: BuiltinAddress, connectMs: number): Pool {
  return new Pool(originOf(at), { ...common, connect: connector(connectTo(at), connectMs, null) });
}

/** One connection to a neighbour's entrance, for one request: its header says whom the request is from. */
export function neighbourDispatcher(path: string, header: Buffer, connectMs: number): Client {
  return new Client('http://neighbour', { ...common, connect: connector({ path }, connectMs, header) });
}

function originOf(at: BuiltinAddress): string {
  if (at.kind === 'unix') return 'http://localhost';
  return `http://${at.host.includes(':') ? `[${at.host}]` : at.host}:${at.port}`;
}

type Connected = (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

function connector(to: NetConnectOpts, timeoutMs: number, first: Buffer | null) {
  return (_: unknown, connected: Connected): void => {
    const socket = connect(to);
    let open = true;
    const end = (error: Error | null) => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      socket.off('connect', onConnect);
      if (error === null) {
        socket.off('error', onError);
        socket.on('error', (reason) => {
          if (socket.bytesRead > 0) endedUsed.add(reason);
        });
        connected(null, socket);
      } else {
        // 'error' keeps its listener: it may come once more while the socket is being destroyed.
        socket.destroy();
        connected(error, null);
      }
    };
    const onConnect = () => {
      if (first) socket.write(first);
      end(null);
    };
    const onError = (error: Error) => end(new ConnectFailed(codeOf(error)));
    const timer = setTimeout(() => end(new ConnectFailed('ETIMEDOUT')), timeoutMs);
    socket.on('connect', onConnect).on('error', onError);
  };
}

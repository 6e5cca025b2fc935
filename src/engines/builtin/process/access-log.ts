import { createSocket } from 'node:dgram';
import { closeSync, openSync, write } from 'node:fs';
import { isIPv6 } from 'node:net';
import type { BuiltinAccessLog } from '#dialects';
import { hostName } from '#routing';
import type { Exchange } from './exchange.ts';

/** Facility local0, severity info. */
const syslogPriority = '<134>';
/** Bytes that wait for a disk or pipe that is slow; what is more is not logged. */
const waitingBytesMax = 4 * 1024 * 1024;

export interface AccessLogger {
  add(exchange: Exchange): void;
}

const none: AccessLogger = { add() {} };

/** @throws Error when the file cannot be opened. */
export function accessLogger(to: BuiltinAccessLog | null): AccessLogger {
  if (to === null) return none;
  const say = writer(to);
  return { add: (exchange) => say(`${JSON.stringify(entryOf(exchange))}\n`) };
}

function entryOf(exchange: Exchange): Readonly<Record<string, unknown>> {
  const { facts, head, request, status, pool, server, retries, beganAt, why } = exchange;
  const now = performance.now();
  return {
    time: Math.round(performance.timeOrigin + beganAt) / 1000,
    listener: facts.listener?.name ?? '-',
    client: facts.client.address,
    method: head?.method ?? request.method ?? '-',
    host: hostName(head?.host ?? '') || '-',
    path: head?.path ?? (request.url ?? '-').replace(/\?.*$/, ''),
    status,
    bytes: exchange.bytes,
    durationMs: Math.round(now - beganAt),
    pool: pool || '-',
    server: server || '-',
    retries: String(retries),
    ended: why || '--',
  };
}

function writer(to: BuiltinAccessLog): (line: string) => void {
  switch (to.kind) {
    case 'stdout':
      return appender(1);
    case 'file':
      return appender(openSync(to.path, 'a', 0o640));
    case 'syslog':
      return datagrams(to);
    case 'syslogSocket':
      throw new Error('it cannot write to a socket for datagrams');
  }
}

/** Lines that come while one write is under way go out with the next. */
function appender(fd: number): (line: string) => void {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let busy = false;
  const flush = () => {
    if (busy || waiting.length === 0) return;
    busy = true;
    const lines = waiting.join('');
    waiting = [];
    waitingBytes = 0;
    write(fd, lines, () => {
      busy = false;
      flush();
    });
  };
  if (fd > 2) process.on('exit', () => closeSync(fd));
  return (line) => {
    if (waitingBytes > waitingBytesMax) return;
    waiting.push(line);
    waitingBytes += line.length;
    setImmediate(flush);
  };
}

function datagrams({ host, port }: { readonly host: string; readonly port: number }): (line: string) => void {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').unref();
  socket.on('error', () => {});
  return (line) => {
    const date = new Date().toUTCString();
    const stamp = `${date.slice(8, 11)} ${date.slice(5, 7).replace(/^0/, ' ')} ${date.slice(17, 25)}`;
    socket.send(`${syslogPriority}${stamp} holdfast[${process.pid}]: ${line.trimEnd()}`, port, host);
  };
}

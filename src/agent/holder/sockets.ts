import { closeSync, fstatSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import koffi from 'koffi';
import { assert, Failure } from '#base';

/**
 * Listening sockets that belong to no engine. Node cannot keep a listening socket without accepting on it, nor take one
 * from another process, so these few calls go to the C library.
 */
const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const setsockopt = libc.func(
  'int setsockopt(int fd, int level, int name, const void *value, uint32_t length)',
);
const bind = libc.func('int bind(int fd, const void *address, uint32_t length)');
const listen = libc.func('int listen(int fd, int backlog)');

const afInet = 2;
const afInet6 = 10;
const sockStream = 1;
const sockCloexec = 0o2000000;
/** NGINX takes a socket that it is lent as it is: a worker that came too late for a connection would wait in `accept` for ever. */
const sockNonBlock = 0o4000;
const solSocket = 1;
const soReuseAddress = 2;
const soReusePort = 15;
const ipprotoIpv6 = 41;
const ipv6Only = 26;
const errnoAddressInUse = 98;
const errnoNotAvailable = 99;
const errnoAccess = 13;
/** As long as the kernel allows by default (`net.core.somaxconn`); shorter ones lose connections in a burst. */
export const backlog = 4096;

const one = Buffer.from(new Int32Array([1]).buffer);
const zero = Buffer.alloc(4);

/**
 * Opens a listening TCP socket and returns its descriptor. `beside`: others of the same user may listen there too; `dualStack`: IPv4 too.
 * @throws Failure HF302 when the address cannot be had: the message names it and why.
 */
export function openListening(
  host: string,
  port: number,
  { beside = false, dualStack = false }: { readonly beside?: boolean; readonly dualStack?: boolean } = {},
): number {
  const v6 = isIPv6(host);
  const fd = socket(v6 ? afInet6 : afInet, sockStream | sockCloexec | sockNonBlock, 0);
  assert(fd >= 0, `socket: errno ${koffi.errno()}`);
  setsockopt(fd, solSocket, soReuseAddress, one, 4);
  if (beside) setsockopt(fd, solSocket, soReusePort, one, 4);
  if (v6) setsockopt(fd, ipprotoIpv6, ipv6Only, dualStack ? zero : one, 4);
  const address = v6 ? addressV6(host, port) : addressV4(host, port);
  if (bind(fd, address, address.length) !== 0 || listen(fd, backlog) !== 0) {
    const errno = koffi.errno();
    closeSync(fd);
    throw inUse(host, port, errno);
  }
  return fd;
}

function inUse(host: string, port: number, errno: number): Failure {
  const at = `${host}:${port}`;
  if (errno === errnoAddressInUse)
    return new Failure('HF302', `${at} is in use by another process`, `See who: ss -ltnp 'sport = :${port}'`);
  if (errno === errnoNotAvailable)
    return new Failure('HF302', `${at} is not an address of this machine`, 'See which are: ip address');
  if (errno === errnoAccess)
    return new Failure(
      'HF302',
      `${at} needs more rights`,
      'Ports below 1024 need root or CAP_NET_BIND_SERVICE.',
    );
  return new Failure('HF302', `${at} cannot be listened on (errno ${errno})`);
}

function addressV4(host: string, port: number): Buffer {
  const b = Buffer.alloc(16);
  b.writeUInt16LE(afInet, 0);
  b.writeUInt16BE(port, 2);
  host.split('.').forEach((part, i) => {
    b.writeUInt8(Number(part), 4 + i);
  });
  return b;
}

function addressV6(host: string, port: number): Buffer {
  const b = Buffer.alloc(28);
  b.writeUInt16LE(afInet6, 0);
  b.writeUInt16BE(port, 2);
  // The URL parser is the one place in Node that writes an IPv6 address out in hexadecimal, IPv4 tails included.
  const compact = new URL(`http://[${host}]/`).hostname.slice(1, -1);
  const [head = '', tail] = compact.split('::');
  const groups = (text: string) => text.split(':').filter(Boolean);
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const all = [...before, ...Array(8 - before.length - after.length).fill('0'), ...after];
  all.forEach((group, i) => {
    b.writeUInt16BE(Number.parseInt(group, 16), 8 + i * 2);
  });
  return b;
}

/** From now on others of the same user may listen beside it, if they ask for it too. */
export function allowBeside(fd: number): void {
  setsockopt(fd, solSocket, soReusePort, one, 4);
}

/** Names the open socket itself, whatever the descriptor's number or the process. */
export function socketInode(fd: number): string {
  return String(fstatSync(fd, { bigint: true }).ino);
}

import { closeSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load(null);
const dupOf = libc.func('int dup(int fd)');

/**
 * A second number for the same open socket. Closing it closes nothing for other generations, nor for us:
 * so the public side can be parked and opened again as often as one likes, while the inherited number stays.
 */
export function duplicate(fd: number): number {
  const copy = Number(dupOf(fd));
  if (copy < 0) throw new Error(`descriptor ${fd} cannot be duplicated: is it an open socket?`);
  return copy;
}

const afUnix = 1;
const sockStream = 1;
const sockCloexec = 0o2000000;
const pathBytesMax = 107;

/** A listening Unix socket that nobody in this process accepts on: Node cannot have one. For workers to inherit. */
export function listenUnix(path: string, backlog: number): number {
  const socketOf = libc.func('int socket(int domain, int type, int protocol)');
  const bindOf = libc.func('int bind(int fd, const void *address, uint32_t length)');
  const listenOf = libc.func('int listen(int fd, int backlog)');
  const name = Buffer.from(path, 'utf8');
  if (name.length > pathBytesMax) throw new Error(`${path} is longer than ${pathBytesMax} bytes`);
  const address = Buffer.alloc(2 + pathBytesMax + 1);
  address.writeUInt16LE(afUnix, 0);
  name.copy(address, 2);
  const fd = Number(socketOf(afUnix, sockStream | sockCloexec, 0));
  if (fd < 0) throw new Error(`no socket for ${path}: errno ${koffi.errno()}`);
  if (bindOf(fd, address, address.length) === 0 && listenOf(fd, backlog) === 0) return fd;
  const errno = koffi.errno();
  closeSync(fd);
  throw new Error(`${path} cannot be listened on: errno ${errno}`);
}

/** This process and those that it starts from now on can be ended together, without a list. */
export function leadOwnGroup(): void {
  libc.func('int setpgid(int pid, int group)')(0, 0);
}

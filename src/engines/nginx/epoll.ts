import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';
import type { PublicSide } from '../engine.ts';

/**
 * Parks NGINX from outside: in each worker's epoll the listening sockets stay, with the pointer that the worker put
 * beside them, but nothing wakes the worker for them any more. Open connections notice nothing. That is all of the state:
 * `/proc/PID/fdinfo` tells it to whoever asks, also to a holder that came later.
 */
const libc = koffi.load('libc.so.6');
const syscall3 = libc.func('long syscall(long number, long a, long b, long c)');
const epollControl = libc.func('int epoll_ctl(int epoll, int operation, int fd, const void *event)');
const poll = libc.func('int poll(void *fds, ulong count, int timeoutMs)');
const dup2 = libc.func('int dup2(int from, int to)');
const fcntl = libc.func('int fcntl(int fd, int command, int value)');

const sysPidfdOpen = 434;
const sysPidfdGetfd = 438;
const operation = { add: 1, delete: 2 } as const;
const getFlags = 1;
/** EPOLLIN and EPOLLEXCLUSIVE, as NGINX says it: of all who wait for a connection one is woken. */
const accepting = 0x1000_0001;
const readable = 0x1;
/** The kernel aligns the event on x86-64 differently from everywhere else. */
const packed = process.arch === 'x64';

interface Entry {
  readonly fd: number;
  readonly events: number;
  readonly data: bigint;
}

/** Workers of a master; empty when there are none, or no such master. */
export function workersOf(master: number): number[] {
  try {
    const text = readFileSync(`/proc/${master}/task/${master}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Null: it has not come so far, or is ending. */
export function sideOf(worker: number, sockets: readonly number[]): PublicSide | null {
  const found = entriesOf(worker, sockets)?.entries ?? [];
  if (found.length < sockets.length) return null;
  return found.some(({ events }) => (events & readable) !== 0) ? 'accepting' : 'parked';
}

/**
 * True when all its sockets are as wanted. `again`: also those that are; an accepting one then looks for connections that
 * wait. @throws Error when this process may not look into that one.
 */
export function lead(worker: number, sockets: readonly number[], wanted: PublicSide, again = false): boolean {
  const found = entriesOf(worker, sockets);
  if (!found || found.entries.length < sockets.length) return false;
  const wrong = found.entries.filter(
    ({ events }) => again || ((events & readable) !== 0) !== (wanted === 'accepting'),
  );
  if (wrong.length === 0) return true;
  const epoll = takeDescriptor(worker, found.poll);
  if (epoll === null) return false;
  try {
    return wrong.every((entry) => change(worker, epoll, entry, wanted));
  } finally {
    closeSync(epoll);
  }
}

function change(worker: number, epoll: number, { fd, data }: Entry, wanted: PublicSide): boolean {
  const socket = takeDescriptor(worker, fd);
  if (socket === null) return false;
  // The kernel knows an entry by the socket and its number there: for a moment it has that number here too.
  if (Number(fcntl(fd, getFlags, 0)) >= 0) throw new Error(`descriptor ${fd} is not free here`);
  try {
    if (Number(dup2(socket, fd)) !== fd) throw new Error(`dup2 to ${fd}: errno ${koffi.errno()}`);
    epollControl(epoll, operation.delete, fd, null);
    const event = Buffer.alloc(16);
    event.writeUInt32LE(wanted === 'accepting' ? accepting : 0, 0);
    event.writeBigUInt64LE(data, packed ? 4 : 8);
    return Number(epollControl(epoll, operation.add, fd, event)) === 0;
  } finally {
    closeSync(fd);
    closeSync(socket);
  }
}

/** Whether a connection waits to be accepted on any of these listening sockets, which are this process's own. */
export function isAnyWaiting(fds: readonly number[]): boolean {
  const asked = Buffer.alloc(8 * fds.length);
  fds.forEach((fd, index) => {
    asked.writeInt32LE(fd, 8 * index);
    asked.writeInt16LE(readable, 8 * index + 4);
  });
  return Number(poll(asked, fds.length, 0)) > 0;
}

export function takeDescriptor(pid: number, fd: number): number | null {
  const pidfd = Number(syscall3(sysPidfdOpen, pid, 0, 0));
  if (pidfd < 0) return null;
  const taken = Number(syscall3(sysPidfdGetfd, pidfd, fd, 0));
  const errno = koffi.errno();
  closeSync(pidfd);
  if (taken >= 0) return taken;
  if (errno === 1 || errno === 38)
    throw new Error(
      `NGINX cannot be parked: pidfd_getfd is ${errno === 1 ? 'not permitted: root or CAP_SYS_PTRACE is needed' : 'unknown to this kernel'}`,
    );
  return null;
}

const pollFdOf = new Map<number, number>();

function entriesOf(
  worker: number,
  sockets: readonly number[],
): { readonly poll: number; readonly entries: readonly Entry[] } | null {
  try {
    const poll = pollFdOf.get(worker) ?? findPoll(worker);
    if (poll === null) return null;
    const text = readFileSync(`/proc/${worker}/fdinfo/${poll}`, 'latin1');
    const entries: Entry[] = [];
    for (const [, fd, events, data] of text.matchAll(
      /^tfd:\s+(\d+) events:\s+([0-9a-f]+) data:\s+([0-9a-f]+)/gm,
    ))
      if (sockets.includes(Number(fd)))
        entries.push({
          fd: Number(fd),
          events: Number.parseInt(events ?? '', 16),
          data: BigInt(`0x${data}`),
        });
    return { poll, entries };
  } catch {
    pollFdOf.delete(worker);
    return null;
  }
}

function findPoll(worker: number): number | null {
  for (const name of readdirSync(`/proc/${worker}/fd`)) {
    if (readlinkSync(`/proc/${worker}/fd/${name}`) !== 'anon_inode:[eventpoll]') continue;
    if (pollFdOf.size > 1_000) pollFdOf.clear();
    pollFdOf.set(worker, Number(name));
    return Number(name);
  }
  return null;
}

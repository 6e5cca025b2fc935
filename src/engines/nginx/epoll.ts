import { closeSync, existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import koffi from 'koffi';
import type { PublicSide } from '../engine.ts';

/**
 * Parks NGINX from outside: the listening sockets are taken out of each worker's epoll. The pointers that the worker had put
 * beside them stay there as bookmarks, the same socket under another number without events. So `/proc/PID/fdinfo` tells
 * everything to whoever asks, also to a holder that came later.
 *
 * NGINX takes its socket out and in again itself, after every 16th connection. Its own entry is therefore only ever
 * removed while it accepts, never replaced: an entry of ours in its place would make its own attempt fail, and it would be
 * deaf on that socket from then on.
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
/** EPOLLIN without EPOLLEXCLUSIVE: of those who have that, the one who has waited longest gets nearly every connection, and a candidate is new. */
const accepting = 0x1;
const readable = 0x1;
/** The kernel aligns the event on x86-64 differently from everywhere else. */
const packed = process.arch === 'x64';

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
  const seen = look(worker, sockets);
  if (!seen) return null;
  return sockets.some((fd) => seen.entries.has(fd)) ? 'accepting' : 'parked';
}

/** True when all its sockets are as wanted. @throws Error when this process may not look into that one. */
export function lead(worker: number, sockets: readonly number[], wanted: PublicSide): boolean {
  const seen = look(worker, sockets);
  if (!seen) return false;
  const wrong = sockets.filter((fd) => seen.entries.has(fd) !== (wanted === 'accepting'));
  if (wrong.length === 0) return true;
  return within(worker, seen.poll, (epoll) =>
    wrong.every((fd) => {
      const bookmark = fd + sockets.length;
      const data = seen.entries.get(fd) ?? seen.entries.get(bookmark);
      const socket = data === undefined ? null : takeDescriptor(worker, fd);
      if (data === undefined || socket === null) return false;
      try {
        if (wanted === 'accepting') return put(epoll, socket, { fd, events: accepting, data });
        // First the bookmark: whoever comes after us finds the pointer there.
        const marked = seen.entries.has(bookmark) || put(epoll, socket, { fd: bookmark, events: 0, data });
        return marked && remove(epoll, socket, fd);
      } finally {
        closeSync(socket);
      }
    }),
  );
}

/** Tells the worker of a connection that waits: an entry more, for a moment, which NGINX does not know of. */
export function announce(worker: number, sockets: readonly number[], forMs: number): void {
  const seen = look(worker, sockets);
  if (!seen) return;
  for (const fd of sockets) {
    const data = seen.entries.get(fd);
    const socket = data === undefined ? null : takeDescriptor(worker, fd);
    if (data === undefined || socket === null) continue;
    const third = fd + 2 * sockets.length;
    within(worker, seen.poll, (epoll) => put(epoll, socket, { fd: third, events: readable, data }));
    setTimeout(() => {
      within(worker, seen.poll, (epoll) => remove(epoll, socket, third));
      closeSync(socket);
    }, forMs);
  }
}

function within(worker: number, pollFd: number, work: (epoll: number) => boolean): boolean {
  const epoll = takeDescriptor(worker, pollFd);
  if (epoll === null) return false;
  try {
    return work(epoll);
  } finally {
    closeSync(epoll);
  }
}

function put(epoll: number, socket: number, entry: { fd: number; events: number; data: bigint }): boolean {
  const event = Buffer.alloc(16);
  event.writeUInt32LE(entry.events, 0);
  event.writeBigUInt64LE(entry.data, packed ? 4 : 8);
  return named(socket, entry.fd, () => Number(epollControl(epoll, operation.add, entry.fd, event)) === 0);
}

function remove(epoll: number, socket: number, fd: number): boolean {
  return named(socket, fd, () => Number(epollControl(epoll, operation.delete, fd, null)) === 0);
}

/** The kernel knows an entry by the socket and its number there: for a moment it has that number here too. */
function named(socket: number, fd: number, work: () => boolean): boolean {
  if (Number(fcntl(fd, getFlags, 0)) >= 0) throw new Error(`descriptor ${fd} is not free here`);
  if (Number(dup2(socket, fd)) !== fd) throw new Error(`dup2 to ${fd}: errno ${koffi.errno()}`);
  try {
    return work();
  } finally {
    closeSync(fd);
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

/** The pointers beside its sockets and our bookmarks, by number; null when it does not have all of its sockets. */
function look(
  worker: number,
  sockets: readonly number[],
): { readonly poll: number; readonly entries: ReadonlyMap<number, bigint> } | null {
  try {
    const poll = pollFdOf.get(worker) ?? findPoll(worker);
    if (poll === null) return null;
    const text = readFileSync(`/proc/${worker}/fdinfo/${poll}`, 'latin1');
    const entries = new Map(
      [...text.matchAll(/^tfd:\s+(\d+) events:\s+[0-9a-f]+ data:\s+([0-9a-f]+)/gm)].map(
        ([, fd, data]) => [Number(fd), BigInt(`0x${data}`)] as const,
      ),
    );
    const has = (fd: number) => entries.has(fd) || entries.has(fd + sockets.length);
    // One that is on its way out has closed them.
    const isWhole = sockets.every((fd) => has(fd) && existsSync(`/proc/${worker}/fd/${fd}`));
    return isWhole ? { poll, entries } : null;
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

import { closeSync, readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { assert, identify } from '#base';
import { socketsOf } from '../adopt/listening.ts';
import { linkOf } from '../adopt/processes.ts';
import { mustTakeDescriptor } from './descriptors.ts';

/**
 * Keeps processes from accepting on a listening socket that they share with others, without a signal and without their
 * help: the socket is taken out of their epoll. Their open connections are not touched. They do not learn of it.
 */
const libc = koffi.load('libc.so.6');
const unshare = libc.func('int unshare(int flags)');
const fcntl = libc.func('int fcntl(int fd, int command, int value)');
const dup2 = libc.func('int dup2(int from, int to)');
const epollControl = libc.func('int epoll_ctl(int epoll, int operation, int fd, const void *event)');

const ownDescriptors = 0x400;
const duplicateAbove = 0;
const epollAdd = 1;
const epollDelete = 2;
const noSuchEntry = 2;
const entryExists = 17;

let isAlone = false;

/** One socket that one process watched. */
export interface Watched {
  readonly pid: number;
  /** Its descriptor of the epoll, and of the socket. */
  readonly poll: number;
  readonly socket: number;
  /** As the kernel had it: which events, and what the process is told with them. */
  readonly events: number;
  readonly data: string;
}

/** Which of the sockets with these inodes the processes watch now. Only reads below /proc. */
export function watchedSockets(pids: readonly number[], inodes: readonly string[]): Watched[] {
  return pids.flatMap((pid) => watchedBy(pid, inodes));
}

/**
 * Takes sockets out of what processes watch. Only in a process of its own: each entry is named by the number that the
 * descriptor has in the other process, so for a moment that number is the other's here too.
 * @throws Failure HF504
 */
export function keepFromAccepting(watched: readonly Watched[]): void {
  for (const one of watched) change(one, epollDelete);
}

/** Undoes it, also where only a part of it was done. A process that has ended needs nothing. */
export function letAccept(watched: readonly Watched[]): void {
  for (const one of watched) if (identify(one.pid)) change(one, epollAdd);
}

function watchedBy(pid: number, inodes: readonly string[]): Watched[] {
  const open = socketsOf(pid);
  const numbers = new Set(inodes.flatMap((inode) => open?.get(inode) ?? []));
  return pollsOf(pid).flatMap((poll) =>
    entriesOf(pid, poll)
      .filter(({ socket }) => numbers.has(socket))
      .map((entry) => ({ pid, poll, ...entry })),
  );
}

function pollsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map(Number)
    .filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === 'anon_inode:[eventpoll]');
}

function entriesOf(pid: number, poll: number): Pick<Watched, 'socket' | 'events' | 'data'>[] {
  const text = readFileSync(`/proc/${pid}/fdinfo/${poll}`, 'utf8');
  return [...text.matchAll(/^tfd:\s+(\d+)\s+events:\s+([0-9a-f]+)\s+data:\s+([0-9a-f]+)/gm)].map(
    ([, socket, events = '0', data = '0']) => ({
      socket: Number(socket),
      events: Number.parseInt(events, 16),
      data,
    }),
  );
}

/** An entry that is gone, or there again, needs nothing. */
function change(one: Watched, operation: number): void {
  if (!isAlone) {
    // Other threads of this process would write to what for a moment is not theirs.
    assert(unshare(ownDescriptors) === 0, 'this thread has its own descriptors');
    isAlone = true;
  }
  const { pid, socket: number } = one;
  const poll = lift(mustTakeDescriptor(pid, one.poll), number);
  const socket = lift(mustTakeDescriptor(pid, number), number);
  // -1 when the number is free here.
  const aside = Number(fcntl(number, duplicateAbove, number + 1));
  dup2(socket, number);
  const result = epollControl(poll, operation, number, eventOf(one));
  const why = koffi.errno();
  if (aside < 0) closeSync(number);
  else {
    dup2(aside, number);
    closeSync(aside);
  }
  closeSync(poll);
  closeSync(socket);
  assert(result === 0 || why === noSuchEntry || why === entryExists, `epoll_ctl: errno ${why}`);
}

/** On x86-64 the kernel packs it; elsewhere the data starts at a multiple of eight. */
function eventOf({ events, data }: Watched): Buffer {
  const packed = process.arch === 'x64';
  const event = Buffer.alloc(packed ? 12 : 16);
  event.writeUInt32LE(events, 0);
  event.writeBigUInt64LE(BigInt(`0x${data}`), packed ? 4 : 8);
  return event;
}

/** The same descriptor under a number above `number`. */
function lift(fd: number, number: number): number {
  const high = Number(fcntl(fd, duplicateAbove, number + 1));
  assert(high > number, `fcntl: errno ${koffi.errno()}`);
  closeSync(fd);
  return high;
}

import { closeSync, readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { assert } from '#base';
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
const epollDelete = 2;
const noSuchEntry = 2;

/**
 * Returns how many entries were taken out. Only in a process of its own: each entry is named by the number that the
 * descriptor has in the other process, so for a moment that number is the other's here too.
 * @throws Failure HF504
 */
export function keepFromAccepting(pids: readonly number[], inodes: readonly string[]): number {
  // Other threads of this process would write to what for a moment is not theirs.
  assert(unshare(ownDescriptors) === 0, 'this thread has its own descriptors');
  return pids.reduce((sum, pid) => sum + takeOut(pid, inodes), 0);
}

function takeOut(pid: number, inodes: readonly string[]): number {
  const open = socketsOf(pid);
  const numbers = inodes.flatMap((inode) => open?.get(inode) ?? []);
  const polls = pollsOf(pid).map((fd) => ({ fd, watched: watchedBy(pid, fd) }));
  return polls.reduce((sum, { fd, watched }) => {
    const theirs = numbers.filter((number) => watched.has(number));
    return sum + theirs.filter((number) => takeOneOut(pid, fd, number)).length;
  }, 0);
}

function takeOneOut(pid: number, pollFd: number, number: number): boolean {
  const poll = lift(mustTakeDescriptor(pid, pollFd), number);
  const socket = lift(mustTakeDescriptor(pid, number), number);
  // -1 when the number is free here.
  const aside = Number(fcntl(number, duplicateAbove, number + 1));
  dup2(socket, number);
  const result = epollControl(poll, epollDelete, number, null);
  const why = koffi.errno();
  if (aside < 0) closeSync(number);
  else {
    dup2(aside, number);
    closeSync(aside);
  }
  closeSync(poll);
  closeSync(socket);
  assert(result === 0 || why === noSuchEntry, `epoll_ctl: errno ${why}`);
  return result === 0;
}

/** The same descriptor under a number above `number`. */
function lift(fd: number, number: number): number {
  const high = Number(fcntl(fd, duplicateAbove, number + 1));
  assert(high > number, `fcntl: errno ${koffi.errno()}`);
  closeSync(fd);
  return high;
}

function pollsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/fd`)
    .map(Number)
    .filter((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === 'anon_inode:[eventpoll]');
}

function watchedBy(pid: number, pollFd: number): ReadonlySet<number> {
  const text = readFileSync(`/proc/${pid}/fdinfo/${pollFd}`, 'utf8');
  return new Set([...text.matchAll(/^tfd:\s+(\d+)/gm)].map(([, fd]) => Number(fd)));
}

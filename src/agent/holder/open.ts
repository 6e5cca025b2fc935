import { closeSync } from 'node:fs';
import { Failure } from '#base';
import { mustTakeDescriptor } from './descriptors.ts';
import type { ListenerAddress, SocketSource } from './protocol.ts';
import { openListening, socketInode } from './sockets.ts';
import { steer } from './steer.ts';

/** Opens a listening socket, or takes one that is open. @throws Failure HF302, HF504, HF505 */
export function openFrom(at: ListenerAddress, from: SocketSource | undefined): number {
  switch (from?.kind) {
    case undefined:
      return openListening(at.host, at.port, { dualStack: at.dualStack ?? false });
    case 'process':
      return taken(from);
    case 'beside':
      return beside(at, from.others);
  }
}

function taken({ pid, fd, inode }: Extract<SocketSource, { kind: 'process' }>): number {
  const copy = mustTakeDescriptor(pid, fd);
  if (socketInode(copy) === inode) return copy;
  closeSync(copy);
  throw new Failure(
    'HF504',
    `descriptor ${fd} of process ${pid} is another one by now`,
    'It was reloaded just now: run the command again.',
  );
}

function beside({ host, port, dualStack = false }: ListenerAddress, others: number): number {
  const fd = openListening(host, port, { beside: true, dualStack });
  try {
    steer(fd, { first: 0, count: others });
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

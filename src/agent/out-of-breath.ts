import { childrenOf, ownWaitedMs } from '#base';

/**
 * How long a process, the processes that it started, and their threads were ready to run and got no processor, summed, since
 * they began; in milliseconds. One that hangs waits for something else. 0 where the kernel does not tell.
 */
export function waitedMs(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + ownWaitedMs(one), 0);
}

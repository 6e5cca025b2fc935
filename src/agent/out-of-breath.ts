import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from '#base';

/**
 * How long a process, the processes that it started, and their threads were ready to run and got no processor, summed, since
 * they began; in milliseconds. One that hangs waits for something else. 0 where the kernel does not tell.
 */
export function waitedMs(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + ownWaitedMs(one), 0);
}

function ownWaitedMs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      const [, waitedNs = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
      return sum + Number(waitedNs) / 1_000_000;
    }, 0);
  } catch {
    return 0;
  }
}

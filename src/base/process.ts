import { readdirSync, readFileSync } from 'node:fs';

/** A process, named so that a reused pid is not taken for it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot when it started. */
  readonly startTicks: string;
}

/** Null when there is no such process, or only its remains. */
export function identify(pid: number): ProcessIdentity | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name in parentheses and may hold anything, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const state = fields[0];
    const startTicks = fields[19];
    if (startTicks === undefined || state === 'Z' || state === 'X') return null;
    return { pid, startTicks };
  } catch {
    return null;
  }
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTicks === process.startTicks;
}

/**
 * Sends a signal to all that is left of a process that leads a group, as every engine does: the leader first, so that it
 * starts no one anew. Also when the leader has ended: its number is nobody else's while one of its group lives.
 */
export function signalGroup(leader: ProcessIdentity, name: NodeJS.Signals): boolean {
  const now = identify(leader.pid);
  if (now && now.startTicks !== leader.startTicks) return false;
  if (now) signal(leader, name);
  try {
    return process.kill(-leader.pid, name);
  } catch {
    return now !== null;
  }
}

/** The processes that it started and that live, also as remains. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Every process of a group, by its leader's number. */
export function groupMembers(leader: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && groupIn(name) === leader)
    .map(Number);
}

function groupIn(pid: string): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which may hold anything: state, parent, group.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]);
  } catch {
    return null;
  }
}

/** Whether any process of its group lives. */
export function isGroupAlive(leader: ProcessIdentity): boolean {
  const now = identify(leader.pid);
  if (now) return now.startTicks === leader.startTicks;
  try {
    return process.kill(-leader.pid, 0);
  } catch {
    return false;
  }
}

/** SIGSTOP, or a debugger: it does nothing until it is continued. */
export function isStopped({ pid }: Pick<ProcessIdentity, 'pid'>): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return /^[Tt]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}

/** Sends a signal to exactly that process; false when it has ended. */
export function signal(target: ProcessIdentity, name: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    return process.kill(target.pid, name);
  } catch {
    return false;
  }
}

/** How long the threads of a process were ready to run and got no processor, since they began. 0 where the kernel does not tell. */
export function ownWaitedMs(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
      const [, waitedNs = '0'] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
      return sum + Number(waitedNs) / 1_000_000;
    }, 0);
  } catch {
    return 0;
  }
}

/** No more memory for a process: by the kernel's group of it, whose limit ends it, and by its own limit, at which it is given none. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const limitBytes = 1024 * 1024;
const pageBytes = 4_096;

/** Moves the processes into a group that may have next to nothing more. Returns how to undo it; null: this machine does not let us. */
export function outOfGroupMemory(pids: readonly number[]): (() => void) | null {
  const isFirst = existsSync('/sys/fs/cgroup/memory');
  const group = join(isFirst ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', `hf-faults-${process.pid}`);
  const home = isFirst ? '/sys/fs/cgroup/memory/cgroup.procs' : '/sys/fs/cgroup/cgroup.procs';
  try {
    mkdirSync(group);
    writeFileSync(join(group, isFirst ? 'memory.limit_in_bytes' : 'memory.max'), `${limitBytes}`);
    for (const pid of pids) writeFileSync(join(group, 'cgroup.procs'), `${pid}`);
  } catch {
    remove();
    return null;
  }
  function remove(): void {
    try {
      for (const pid of readFileSync(join(group, 'cgroup.procs'), 'latin1').split('\n').filter(Boolean))
        writeFileSync(home, pid);
      rmdirSync(group);
    } catch {
      // It was never made, or the last of it is just ending.
    }
  }
  return remove;
}

/**
 * Each may have the memory that it has, and not a page more. Returns how to undo it. Asked as the process's own user: a root
 * that may not do everything may not do this to others.
 */
export function outOfOwnMemory(pids: readonly number[]): () => void {
  const limit = (pid: number, bytes: string) => {
    const { uid, gid } = statSync(`/proc/${pid}`);
    // The soft one: a hard one could not be given back.
    execFileSync('prlimit', ['--pid', `${pid}`, `--as=${bytes}:`], { uid, gid, stdio: 'pipe' });
  };
  for (const pid of pids) {
    const [pages = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    limit(pid, `${Number(pages) * pageBytes}`);
  }
  return () => {
    for (const pid of pids)
      try {
        limit(pid, 'unlimited');
      } catch {
        // It has ended.
      }
  };
}

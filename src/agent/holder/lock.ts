import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { type Clock, identify, isStopped, type ProcessIdentity, signal } from '#base';

/**
 * One holder per balancer, whatever starts at the same moment: the kernel gives the lock to one process, and takes it
 * from a process that ends in any way. Descriptors of Node are closed in its children, so no engine keeps it.
 */
const libc = koffi.load('libc.so.6');
const flock = libc.func('int flock(int fd, int operation)');
const exclusiveNow = 2 | 4;

/** One that has the lock and does not answer: it is starting, or the machine is very busy, or it hangs. */
const silentMsMax = 5_000;
const lookEveryMs = 20;

/**
 * Null: another one holds, and answers. One that hangs is ended: it must not wake up later and signal engines that are
 * another's by then. `ended` names those.
 */
export async function lockHolder(options: {
  readonly folder: string;
  readonly answers: () => Promise<boolean>;
  readonly clock: Clock;
}): Promise<{ readonly ended: readonly ProcessIdentity[] } | null> {
  const { folder, answers, clock } = options;
  const path = join(folder, 'holder.pid');
  const ended: ProcessIdentity[] = [];
  const end = (owner: ProcessIdentity | null) => {
    if (owner && owner.pid !== process.pid && signal(owner, 'SIGKILL')) ended.push(owner);
  };
  let silent: { readonly owner: ProcessIdentity; readonly sinceMs: number } | null = null;
  for (;;) {
    if (await answers()) return null;
    const owner = ownerIn(path);
    const fd = tryLock(path);
    if (fd !== null) {
      // One that was started by a version without a lock has none to lose.
      end(owner);
      write(fd);
      return { ended };
    }
    if (owner && owner.pid !== silent?.owner.pid) silent = { owner, sinceMs: clock.monotonicMs() };
    if (silent && (isStopped(silent.owner) || clock.monotonicMs() - silent.sinceMs > silentMsMax))
      end(silent.owner);
    await clock.sleep(lookEveryMs);
  }
}

/** Null: another process has it. */
function tryLock(path: string): number | null {
  const fd = openSync(path, 'a', 0o600);
  if (flock(fd, exclusiveNow) === 0) return fd;
  closeSync(fd);
  return null;
}

function write(fd: number): void {
  try {
    ftruncateSync(fd, 0);
    writeSync(fd, JSON.stringify(identify(process.pid)));
  } catch {
    // No room: the lock holds without it.
  }
}

/** Null: there was none, it is just writing, or it died while it wrote. */
function ownerIn(path: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch {
    return null;
  }
}

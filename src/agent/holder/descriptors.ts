import { closeSync, existsSync, readFileSync } from 'node:fs';
import koffi from 'koffi';
import { Failure } from '#base';

/** Descriptors of other processes. Needs the right to trace them: root, or the same user where the system allows it. */
const libc = koffi.load('libc.so.6');
const syscall3 = libc.func('long syscall(long number, long a, long b, long c)');

/** The same numbers on x86-64 and arm64, and on every architecture added since Linux 5.3 unified them. */
const sysPidfdOpen = 434;
const sysPidfdGetfd = 438;
const errno = { notPermitted: 1, noProcess: 3, badDescriptor: 9, noSystemCall: 38 } as const;
const capSysPtrace = 19n;

/**
 * Takes a copy of another process's descriptor: how a holder that died is replaced while its engines run on, and how a
 * running engine is adopted. Null when it cannot be had.
 */
export function takeDescriptor(pid: number, fd: number): number | null {
  const taken = take(pid, fd);
  return 'fd' in taken ? taken.fd : null;
}

/** The same. @throws Failure HF504 that says why it cannot be had. */
export function mustTakeDescriptor(pid: number, fd: number): number {
  const taken = take(pid, fd);
  if ('fd' in taken) return taken.fd;
  throw new Failure(
    'HF504',
    `descriptor ${fd} of process ${pid} cannot be taken: ${reasonOf(taken.errno)}`,
    remedyOf(taken.errno),
  );
}

function take(pid: number, fd: number): { readonly fd: number } | { readonly errno: number } {
  const pidfd = Number(syscall3(sysPidfdOpen, pid, 0, 0));
  if (pidfd < 0) return { errno: koffi.errno() };
  const taken = Number(syscall3(sysPidfdGetfd, pidfd, fd, 0));
  const why = koffi.errno();
  closeSync(pidfd);
  return taken < 0 ? { errno: why } : { fd: taken };
}

function reasonOf(number: number): string {
  switch (number) {
    case errno.noProcess:
      return 'the process has ended';
    case errno.badDescriptor:
      return 'the process has closed it';
    case errno.noSystemCall:
      return 'this kernel, or the container, does not know pidfd_getfd (Linux 5.6)';
    case errno.notPermitted:
      return `not permitted${hindrances()}`;
    default:
      return `errno ${number}`;
  }
}

function remedyOf(number: number): string {
  if (number !== errno.notPermitted) return '';
  if (process.getuid?.() !== 0) return 'Run the command as root.';
  if (!mayTrace())
    return 'Give it CAP_SYS_PTRACE: in a container --cap-add SYS_PTRACE, in a unit AmbientCapabilities=CAP_SYS_PTRACE.';
  return 'A security module forbids it: allow ptrace for this command (SELinux: setsebool deny_ptrace off).';
}

/** What on this machine may be in the way. */
function hindrances(): string {
  const said = [
    ...(process.getuid?.() === 0 ? [] : ['we are not root']),
    ...(mayTrace() ? [] : ['CAP_SYS_PTRACE is missing']),
    ...(Number(readOr('/proc/sys/kernel/yama/ptrace_scope')) >= 2
      ? ['kernel.yama.ptrace_scope is 2 or more']
      : []),
    ...(readOr('/sys/fs/selinux/enforce').trim() === '1' ? ['SELinux enforces'] : []),
    ...(existsSync('/.dockerenv') || existsSync('/run/.containerenv') ? ['this is a container'] : []),
  ];
  return said.length === 0 ? '' : ` (${said.join(', ')})`;
}

function mayTrace(): boolean {
  const effective = /^CapEff:\s+([0-9a-f]+)$/m.exec(readOr('/proc/self/status'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> capSysPtrace) & 1n) === 1n;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

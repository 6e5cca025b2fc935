import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** How many a process may have, from now on. As the user whose process it is: root of a container may be forbidden to. */
export function limitDescriptors(pid: number, most: number): void {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const id = (of: string) => new RegExp(`^${of}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? '0';
  const user = ['--reuid', id('Uid'), '--regid', id('Gid'), '--clear-groups'];
  execFileSync('setpriv', [...user, 'prlimit', '--pid', `${pid}`, `--nofile=${most}:`]);
}

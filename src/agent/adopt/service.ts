import { existsSync, readFileSync } from 'node:fs';

/** The unit whose control group a process is in: `haproxy.service`. Null: none, or there is no systemd. */
export function unitOf(pid: number): string | null {
  try {
    return unitIn(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
  } catch {
    return null;
  }
}

/** `0::/system.slice/haproxy.service`, or with older kernels one line of many. A person's session is no service. */
export function unitIn(cgroup: string): string | null {
  const found = /\/([^/\n]+\.service)(?:\/|$)/m.exec(cgroup)?.[1] ?? null;
  return found?.startsWith('user@') ? null : found;
}

/** Whether systemd is what runs this machine: sd_booted(3). */
export function systemdRuns(): boolean {
  return existsSync('/run/systemd/system');
}

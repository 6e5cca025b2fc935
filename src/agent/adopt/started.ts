import { readFileSync } from 'node:fs';
import { identify } from '#base';

/** Linux's USER_HZ: the same on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** When a process began, in milliseconds since 1970, to about 20 ms; 0 when it has ended. */
export function startedAt(pid: number): number {
  const found = identify(pid);
  if (!found) return 0;
  const uptimeMs = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1_000;
  return Date.now() - uptimeMs + (Number(found.startTicks) * 1_000) / ticksPerSecond;
}

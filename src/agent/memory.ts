import { readFileSync } from 'node:fs';
import { childrenOf } from '#base';

/** What a process and all that it started hold of the machine's memory; 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    const found = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    const own = Number(found?.[1] ?? 0) * 1024;
    return own + childrenOf(pid).reduce((sum, child) => sum + residentBytes(child), 0);
  } catch {
    return 0;
  }
}

import { readFileSync } from 'node:fs';
import type { Engine, Identity } from '#engines';

/** Debian's packages make the first; every system has the second. */
const users = ['haproxy', 'nobody'];

/** Who an engine's process is: a user without rights where we are root, else whoever we are. */
export function identityOf(engine: Engine, readPasswd = () => readFileSync('/etc/passwd', 'utf8')): Identity {
  if (engine.runsAsSelf || process.getuid?.() !== 0) return null;
  const lines = readPasswd().split('\n');
  for (const user of users) {
    const fields = lines.find((line) => line.startsWith(`${user}:`))?.split(':');
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  return null;
}

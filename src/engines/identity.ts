import { readFileSync } from 'node:fs';
import { ownDialects } from '#dialects';
import type { Site } from '#model';
import type { Engine, Identity } from './engine.ts';

/** Debian's packages make the first; every system has the second. */
const users = ['haproxy', 'nobody'];

/** Who an engine's process is: a user without rights where we are root, else whoever we are. */
export function identityOf(
  engine: Engine,
  site: Pick<Site, 'own'>,
  readPasswd = () => readFileSync('/etc/passwd', 'utf8'),
): Identity {
  if (engine.runsAsSelf || process.getuid?.() !== 0) return null;
  const lines = readPasswd().split('\n');
  for (const user of [...(site.own ? usersOf(site.own) : []), ...users]) {
    const fields = lines.find((line) => line.startsWith(`${user}:`))?.split(':');
    if (fields && fields[2] !== '0') return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  return null;
}

/** The user that a team's own text names can open the logs that it has opened so far. */
function usersOf(own: NonNullable<Site['own']>): string[] {
  const user = ownDialects[own.dialect].user(own);
  return user === null ? [] : [user];
}
